"""From a name to a solver."""

from typing import Any

from ...errors import ModelError
from ...registry import registry
from ..protocols import Solver


def solver(what: Any) -> Solver:
    """The solver that `what` names (``"staggered"``, ``"rk4"``, ``"Tsit5_diffrax"``), or `what` itself if it is one.

    Raises:
        UnknownName: where nothing has the name.
        ModelError: for an object without the methods of a `Solver`.
    """
    if isinstance(what, str):
        return registry.load(what, "solver")
    if all(callable(getattr(what, member, None)) for member in ("start", "step", "voltage", "state")):
        return what
    raise ModelError(f"a solver is a registered name or an object with start, step, voltage and state, not {what!r}.")
