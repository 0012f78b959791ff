"""What is run: a network, or a lone cell as one of one population."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from ..networks import Network
from ..networks.projection import Pathway

LONE = ""
"""The label of the one population of a lone cell."""


class Model(NamedTuple):
    """What is run: a network, or a lone cell as a network of one population without a name."""

    populations: Mapping[str, Any]
    projections: Mapping[str, Pathway]
    network: Network | None

    @classmethod
    def of(cls, what: Any) -> "Model":
        if isinstance(what, Network):
            return cls(what.populations, what.projections, what)
        return cls({LONE: what}, {}, None)
