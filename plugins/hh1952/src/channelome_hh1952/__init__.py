"""Channels of the squid giant axon, after Hodgkin & Huxley (1952)."""

from .potassium import IK_HH1952 as IK_HH1952
from .sodium import INa_HH1952 as INa_HH1952
