"""The engine: from a model and a request to one compiled loop, and from what it computed to results."""

from .simulation import simulate as simulate
