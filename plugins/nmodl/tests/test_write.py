"""The file that is written of a mechanism: it gives the same numbers as the class at run time, and holds no text of the original."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from channelome_nmodl import accumulated, clamped, motion, received
from channelome_nmodl.load import Imported, load, load_all, understood
from channelome_nmodl.seen import Seen
from channelome_nmodl.text import source

from channelome.formulas.write import module, names_of
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


HARD = """
NEURON { SUFFIX hard USEION k READ ek WRITE ik RANGE g }
PARAMETER { g = 1e20 (odd
  unit) first = 3 (mV)
  vh = -40 (mV)
  big = 4e17 }
ASSIGNED { v (mV) ek (mV) ik (mA/cm2) as (1) inf }
STATE { l }
BREAKPOINT { SOLVE s METHOD cnexp ik = 1e-24*g*l*(v - ek) }
INITIAL { rates() l = inf }
DERIVATIVE s { rates() l' = (inf - l)/(as*(1 + as)) }
PROCEDURE rates() {
  inf = 1/(1 + exp((v - vh)/7))
  as = 3 + exp(-((v + 30)/31)^2)*big/1e17 + 0.1*exp(v/44/first)
  if (-50 > v) { as = as + 2 }
}
"""
HARD_NAME = 'x"""\\.mod'


def test_what_is_hard_to_write_is_python_in_the_house_style(tmp_path: Path):
    """A unit over two lines, a keyword as a name, a power after a minus, large numbers, quotes in the name of the file."""
    (one,) = understood(source(HARD, HARD_NAME), None)
    cls, text = written(one, tmp_path)
    assert {n: (p.default, p.source) for n, p in cls.parameters.items()} == {
        n: (p.default, p.source) for n, p in one.cls.parameters.items()
    }
    assert [*cls.parameters] == ["g", "first", "vh", "big"]  # as the file has them
    for mine, theirs in zip(numbers(cls), numbers(one.cls), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-12)
    assert "as_ = " in text
    assert "where(V < -50" in text
    assert "exp(-(((V + 30) / 31) ** 2))" in text


def test_what_is_written_is_formatted_and_linted(tmp_path: Path):
    """Also a class of so many states, and methods of so many arguments, that a line for each would hide the equations."""
    pytest.importorskip("ruff")
    files = [
        *(load_all(path) for path in FILES),
        understood(source(HARD, HARD_NAME), None),
        understood(source(MANY, "many.mod"), None),
    ]
    for number, parts in enumerate(files):
        text = module(names_of([one.plan for one in parts], f"IX{number}_Test2020"), "0" * 64)
        (tmp_path / f"m{number}.py").write_text(text, encoding="utf-8")
    config = ["--config", str(Path(__file__).parents[3] / "pyproject.toml"), "--no-cache", str(tmp_path)]
    for command in (["format", "--check"], ["check"]):
        done = subprocess.run([sys.executable, "-m", "ruff", *command, *config], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout


STATES = [f"state{i}" for i in range(14)]
MANY = (
    "NEURON { SUFFIX many USEION ca READ cai WRITE ica }\nASSIGNED { v (mV) cai (mM) ica (mA/cm2) }\n"
    f"STATE {{ {' '.join(STATES)} }}\nBREAKPOINT {{ SOLVE turn METHOD derivimplicit ica = 1e-3*{'*'.join(STATES)}*cai }}\n"
    f"INITIAL {{ {' '.join(f'{one} = 0.5' for one in STATES)} }}\n"
    f"DERIVATIVE turn {{ {' '.join(f'''{a}' = {a}*(1 - {a})*cai - {b}*exp(v/25)''' for a, b in zip(STATES, STATES[1:] + STATES[:1], strict=True))} }}"
)
EMPTY = "NEURON { SUFFIX nernst USEION ca READ cai, cao WRITE eca }\nASSIGNED { cai (mM) cao (mM) eca (mV) }\nBREAKPOINT { eca = 12.5*log(cao/cai) }"


def test_an_ion_without_variables_is_written(tmp_path: Path):
    (one,) = understood(source(EMPTY, "nernst.mod"), None)
    cls, text = written(one, tmp_path)
    assert "variables" not in text
    assert float(cls().view({}, 20.0).E) == pytest.approx(12.5 * np.log(2.0 / 5e-5))
