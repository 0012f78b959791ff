"""The file that is written of a mechanism: it gives the numbers of the class at run time, and golden data that neither made."""

import importlib.util
import sys
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from channelome_neuroml.document import Document
from channelome_neuroml.golden import PULSES, TIMES, WARM, E, cases
from channelome_neuroml.load import Imported, outcomes
from channelome_neuroml.pack import of, written

import channelome as ch
from channelome.formulas.write import module
from channelome.instruments.clamp import voltage_clamp
from channelome.mechanisms.channels import Channel
from channelome.mechanisms.ions import Ion

NML = Path(__file__).parent / "nml"
MECHANISMS = [
    pytest.param(part, id=f"{path.stem}-{one.element.id}-{part.plan.base.__name__}")
    for path in sorted(NML.glob("*.nml"))
    for one in outcomes(Document(path))
    for part in one.imported
]
CHANNELS = [one for one in MECHANISMS if issubclass(one.values[0].cls, Channel) and not one.values[0].cls.variables]  # pyright: ignore


def again(one: Imported, tmp_path: Path):
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


def numbers(cls) -> dict:
    """What a class computes at odd numbers."""
    if issubclass(cls, Channel):
        channel = cls(g_max="1 mS/cm^2", **({"E": (E, "mV")} if "E" in cls.parameters else {}))
        V = jnp.asarray([-91.3, -54.7, -22.1, 13.9])
        ions = [ch.ion("SodiumFixed"), ch.ion("PotassiumFixed"), ch.ion("CalciumFixed")]
        env = {"V": V, "celsius": 27.0, **{one.species: one.view({}, 27.0) for one in ions}}
        states = channel.steady_state(env)
        other = {name: 0.8 * x + 0.1 for name, x in states.items()}
        slopes = {f"d{name}": x for name, x in channel.slope(other, env).items()}
        return {**states, **slopes, "I": channel.current(other, env)}
    if issubclass(cls, Ion):
        given = {"C_out": "2 mM", "area": "300 um^2"}
        ion = cls(**{name: value for name, value in given.items() if name in cls.parameters})
        return ion.slope({"C_in": jnp.asarray([1e-3])}, jnp.asarray([-3.0]))
    thing = cls()
    states = {name: x + 0.3 for name, x in thing.initial((2,), float).items()}
    after = thing.flow(states, 3.7)
    if hasattr(cls, "receive"):
        after = thing.receive(after, jnp.asarray([1.0, 2.0]))
        return {**after, "g": thing.conductance(after, jnp.asarray([-60.0, 20.0]))}
    after, sent = thing.release(after, jnp.asarray([1.0, 0.0]))
    return {**after, "sent": sent}


@pytest.mark.parametrize("one", MECHANISMS)
def test_the_written_class_gives_the_numbers_of_the_one_at_run_time(one: Imported, tmp_path: Path):
    cls, text = again(one, tmp_path)
    for name in ("gates", "occupancies", "variables", "carries", "states", "species"):
        assert getattr(cls, name, None) == getattr(one.cls, name, None)
    assert {n: (p.default, p.unit, p.source) for n, p in cls.parameters.items()} == {
        n: (p.default, p.unit, p.source) for n, p in one.cls.parameters.items()
    }
    mine, theirs = numbers(cls), numbers(one.cls)
    assert mine.keys() == theirs.keys()
    for name in mine:
        np.testing.assert_allclose(mine[name], theirs[name], rtol=1e-12, err_msg=name)
        assert np.all(np.isfinite(theirs[name])), name
    assert max(map(len, text.splitlines())) <= 120
    assert "after Hodgkin" not in text  # of the notes


@pytest.mark.parametrize("one", CHANNELS)
def test_golden_data_are_the_currents_of_the_class(one: Imported):
    (case,) = cases(one)
    parameters = {name: tuple(value) for name, value in case["parameters"].items()}
    ions = [ch.ion(name, **values) for name, values in case["ions"].items()]
    found = voltage_clamp(
        one.cls(**parameters), (PULSES, "mV"), (TIMES, "ms"), hold=(-81.3, "mV"), celsius=WARM, ions=ions
    )
    wanted = np.asarray(case["current"])
    np.testing.assert_allclose(found, wanted, rtol=0, atol=case.get("rtol", 1e-9) * np.abs(wanted).max())


def test_it_reads_like_one_written_by_hand():
    text = written(NML / "kv.channel.nml", "IKv_Test2020").text
    assert 'class IKv_Test2020(Ohmic, ion="k"):' in text
    assert "linoid(self.n_alpha_midpoint - V, self.n_alpha_scale)" in text
    assert "return self.g_max * n**4" in text
    assert 'g_max: Conductance = param(source="kv.channel.nml, line 3' in text


def test_of_several_the_name_says_which():
    assert "of the mechanism mixed" in written(NML / "gates.nml", "IMixed_Test2020").text
    with pytest.raises(ch.ModelError, match=r"holds the mechanisms 'naRates', .* of which IKv_Test2020 is none"):
        written(NML / "gates.nml", "IKv_Test2020")


def test_a_synapse_comes_with_its_plasticity():
    (one,) = [one for one in outcomes(Document(NML / "synapses.nml")) if one.element.id == "nmda"]
    text = of(one.imported, NML / "synapses.nml", "Nmda_Test2020").text
    assert "class Nmda_Test2020(Synapse" in text
    assert "class NmdaRelease_Test2020(Release" in text
