"""What is run: a network, or a lone cell as one of one population."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from ..cells.assembled import Assembled
from ..errors import ModelError
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
        """Raises ModelError for what is neither a cell nor a network."""
        if isinstance(what, Network):
            return cls(what.populations, what.projections, what)
        if not isinstance(what, Assembled):
            by_name = f": cell({what!r}), or network(...), has the model of a name" if isinstance(what, str) else ""
            raise ModelError(f"what is run is a cell or a Network, not {what!r}{by_name}.")
        return cls({LONE: what}, {}, None)
