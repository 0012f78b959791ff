"""For all tests: float64, strict promotion of types and ranks. Warnings are errors by pyproject.toml."""

import sys
from collections.abc import Iterator

import jax
import pytest

if not hasattr(jax.monitoring, "unregister_event_duration_listener"):  # before jax 0.9
    from jax._src import monitoring

    jax.monitoring.unregister_event_duration_listener = monitoring._unregister_event_duration_listener_by_callback

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_numpy_rank_promotion", "raise")


@pytest.fixture
def float32() -> Iterator[None]:
    """Run the test in JAX's default precision."""
    with jax.enable_x64(False):
        yield


@pytest.fixture(autouse=True)
def closed_figures() -> Iterator[None]:
    """No figure of a test stays open, where any was drawn."""
    yield
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close("all")
