"""The file that is written of a mechanism: it gives the same numbers as the class at run time, and holds no text of the original."""

import importlib.util
import sys
from pathlib import Path

import jax
import numpy as np
import pytest
from channelome_nmodl.compare import currents
from channelome_nmodl.load import load
from channelome_nmodl.write import module

FILES = sorted((Path(__file__).parent / "mods").glob("*.mod"))


def written(path: Path, tmp_path: Path):
    """The class of the text that is written, from a file as a pack would hold it."""
    text = module(load(path).plan, "IX_Test2020", "0" * 64)
    file = tmp_path / f"written_{path.stem}.py"
    file.write_text(text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    sys.modules[file.stem] = made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made.IX_Test2020, text


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_written_class_gives_the_numbers_of_the_one_at_run_time(path: Path, tmp_path: Path):
    cls, text = written(path, tmp_path)
    known = load(path).cls
    assert (cls.gates, cls.occupancies, cls.variables, cls.carries) == (
        known.gates,
        known.occupancies,
        known.variables,
        known.carries,
    )
    assert {n: (p.default, p.unit, p.source) for n, p in cls.parameters.items()} == {
        n: (p.default, p.unit, p.source) for n, p in known.parameters.items()
    }
    for one, other in zip(currents(cls()), currents(known()), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)
    assert max(map(len, text.splitlines())) <= 120
    assert "TITLE" not in text


def test_it_reads_like_one_written_by_hand():
    text = module(load(FILES[[path.stem for path in FILES].index("kv")]).plan, "IKv_Test2020", "0" * 64)
    assert "rates(alpha=q10 * a, beta=q10 * b)" in text
    assert "a = 0.01 * linoid(self.vh - V, 10)" in text
    assert "return self.g_max * n**4" in text


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_currents_have_a_slope_everywhere(path: Path):
    """Branches that are not taken, and singular points, leave no NaN in a gradient."""
    import jax.numpy as jnp
    from channelome_nmodl.compare import _surroundings

    channel = load(path).cls().at(24.0)

    def rested(V):
        env = _surroundings(channel, V)
        return jnp.sum(channel.current(channel.steady_state(env), env))

    V = jnp.asarray([-92.0, -90.0, -55.0, -50.0, -40.0, -38.0, -12.0, 0.0, 0.1, 40.0])
    assert np.all(np.isfinite(jax.grad(rested)(V)))
