"""The command line, ``channelome``."""

from .main import main as main
