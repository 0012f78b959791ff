"""For all tests: float64, strict promotion of types and ranks. Warnings are errors by pyproject.toml."""

import ctypes
import gc
import sys
from collections.abc import Iterator

import jax
import pytest

if not hasattr(jax.monitoring, "unregister_event_duration_listener"):  # before jax 0.9
    from jax._src import monitoring

    jax.monitoring.unregister_event_duration_listener = monitoring._unregister_event_duration_listener_by_callback

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_numpy_rank_promotion", "raise")


class Compiled:
    """Lets the programs of earlier tests go: each holds a dozen mappings of memory, of which Linux gives a process 65,530 and then kills it.

    What compilers took stays with the C library, gigabytes after an hour, unless it is told to give it back.
    """

    MOST = 1_000

    def __init__(self) -> None:
        self.programs = 0
        jax.monitoring.register_event_duration_secs_listener(self._heard)

    def _heard(self, event: str, _seconds: float, **_: str | int) -> None:
        self.programs += event == "/jax/core/compile/backend_compile_duration"

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_teardown(self) -> None:
        if self.programs > self.MOST:
            jax.clear_caches()
            gc.collect()
            if sys.platform == "linux" and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)):
                trim(0)
            self.programs = 0


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Compiled())  # for the packs' tests too, which this file is no conftest of


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
