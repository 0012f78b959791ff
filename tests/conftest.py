"""For all tests: float64, strict promotion of types and ranks. Warnings are errors by pyproject.toml."""

from collections.abc import Iterator

import jax
import pytest

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_numpy_rank_promotion", "raise")


@pytest.fixture
def float32() -> Iterator[None]:
    """Run the test in JAX's default precision."""
    with jax.enable_x64(False):
        yield
