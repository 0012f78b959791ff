"""The file that is written of a mechanism: it gives the same numbers as the class at run time, and holds no text of the original."""

import importlib.util
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from channelome_nmodl import accumulated, clamped, motion, received
from channelome_nmodl.load import Imported, load, load_all
from channelome_nmodl.seen import Seen

from channelome.formulas.write import module
from channelome.mechanisms.channels import Channel
from channelome.mechanisms.ions import Ion

MODS = Path(__file__).parent / "mods"
FILES = sorted(MODS.glob("*.mod"))
MECHANISMS = [pytest.param(one, id=f"{path.stem}-{one.plan.base.__name__}") for path in FILES for one in load_all(path)]
CHANNELS = [one for one in MECHANISMS if issubclass(one.values[0].cls, Channel)]  # pyright: ignore


def written(one: Imported, tmp_path: Path):
    """The class of the text that is written, from a file as a pack would hold it."""
    text = module({"IX_Test2020": one.plan}, "0" * 64)
    file = tmp_path / f"written_{one.cls.__name__}_{one.plan.base.__name__}.py"
    file.write_text(text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    sys.modules[file.stem] = made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made.IX_Test2020, text


def numbers(cls):
    """What a class computes."""
    if issubclass(cls, Channel):
        return [clamped.jumps(cls()).currents, clamped.resting(cls())]
    if issubclass(cls, Ion):
        return [accumulated.followed(cls, [Seen("", cls.species, name, False) for name in ("C_in", "C_out", "E")])]
    if hasattr(cls, "receive"):
        return [received.currents((cls(),))]
    release = cls()
    after, amount = release.release(release.flow(release.initial((), float), 3.0), jnp.asarray(1.0))
    after, again = release.release(release.flow(after, 7.0), jnp.asarray(1.0))
    return [np.asarray([amount, again, *after.values()])]


@pytest.mark.parametrize("one", MECHANISMS)
def test_the_written_class_gives_the_numbers_of_the_one_at_run_time(one: Imported, tmp_path: Path):
    cls, text = written(one, tmp_path)
    for name in ("gates", "occupancies", "variables", "carries", "states", "species"):
        assert getattr(cls, name, None) == getattr(one.cls, name, None)
    assert {n: (p.default, p.unit, p.source) for n, p in cls.parameters.items()} == {
        n: (p.default, p.unit, p.source) for n, p in one.cls.parameters.items()
    }
    for mine, theirs in zip(numbers(cls), numbers(one.cls), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-12)
    assert max(map(len, text.splitlines())) <= 120
    assert "TITLE" not in text


def test_it_reads_like_one_written_by_hand():
    text = module({"IKv_Test2020": load(MODS / "kv.mod").plan}, "0" * 64)
    assert "rates(alpha=q10 * a, beta=q10 * b)" in text
    assert "a = 0.01 * linoid(self.vh - V, 10)" in text
    assert "return self.g_max * n**4" in text


@pytest.mark.parametrize("one", CHANNELS)
def test_currents_have_a_slope_everywhere(one: Imported):
    """Branches that are not taken, and singular points, leave no NaN in a gradient."""
    channel = one.cls().at(24.0)

    def rested(V):
        env = motion.surroundings(channel, V)
        return jnp.sum(channel.current(channel.steady_state(env), env))

    V = jnp.asarray([-92.0, -90.0, -55.0, -50.0, -40.0, -38.0, -12.0, 0.0, 0.1, 40.0])
    assert np.all(np.isfinite(jax.grad(rested)(V)))
