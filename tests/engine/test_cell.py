"""A population of point neurons: shapes, parameters of all kinds, initial state, temperature."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from channelome_hh1952 import IK_HH1952, INa_HH1952
from engine.models import MODELS, calcium, hippocampal, squid

import channelome as ch
from channelome.mechanisms.leak import IL

AXON = ch.ion("SodiumFixed"), ch.ion("PotassiumFixed")


@pytest.mark.parametrize("size", [1, 3, (2, 3), ()])
@pytest.mark.parametrize("name", MODELS)
def test_every_array_of_the_state_has_the_shape_of_the_population(name: str, size: int | tuple[int, ...]) -> None:
    cell = MODELS[name](size)
    shape = (size,) if isinstance(size, int) else size
    state = jax.eval_shape(cell.initial_state)
    assert cell.size == shape
    assert {leaf.shape for leaf in jax.tree.leaves(state)} == {shape}
    slope = jax.eval_shape(lambda state: cell.derivative(state, lambda V: 0.0), state)
    assert jax.tree.map(lambda x: (x.shape, x.dtype), slope) == jax.tree.map(lambda x: (x.shape, x.dtype), state)


def test_traces_have_time_before_the_population() -> None:
    traces = ch.simulate(ch.SingleCompartment((2, 3), IL=IL), "1 ms", dt="0.1 ms", record=["V", "IL.current"])
    assert traces["V"].shape == traces["IL.current"].shape == (11, 2, 3)


def test_neurons_of_a_population_are_as_if_alone() -> None:
    g = np.array([0.1, 0.3, 0.5])
    together = squid(3, IL=IL(g_max=(g, "mS/cm^2"), E="-54.387 mV"))
    V = ch.simulate(together, "5 ms", dt="0.05 ms", stimulus="10 uA/cm^2")["V"]
    for i, value in enumerate(g):
        alone = squid(1, IL=IL(g_max=(value, "mS/cm^2"), E="-54.387 mV"))
        alone_V = ch.simulate(alone, "5 ms", dt="0.05 ms", stimulus="10 uA/cm^2")["V"][:, 0]
        np.testing.assert_allclose(V[:, i], alone_V, rtol=1e-9)


def test_a_parameter_may_be_sampled_with_a_seed() -> None:
    def leaky(seed: int) -> ch.SingleCompartment:
        g = ch.normal("0.1 mS/cm^2", "0.01 mS/cm^2", seed=seed)
        return ch.SingleCompartment(1000, IL=IL(g_max=g), V=ch.uniform("-70 mV", "-0.06 V", seed=seed))

    cell, again, other = leaky(1), leaky(1), leaky(2)
    g = cell.channels["IL"].g_max
    np.testing.assert_array_equal(g, again.channels["IL"].g_max)
    assert np.any(g != other.channels["IL"].g_max)
    assert g.shape == (1000,) and abs(g.mean() - 0.1) < 0.002 and abs(g.std() - 0.01) < 0.001
    assert -70 <= cell.V.min() < -69.5 and -60.5 < cell.V.max() <= -60
    np.testing.assert_array_equal(cell.initial_state().V, cell.V)


def test_samples_out_of_bounds_are_found_when_the_cell_is_built() -> None:
    with pytest.raises(ch.UnitError, match=r"g_max of IL must be at least 0 mS/cm\^2"):
        ch.SingleCompartment(100, IL=IL(g_max=ch.normal("0.1 mS/cm^2", "1 mS/cm^2", seed=0)))


def test_samples_have_units() -> None:
    with pytest.raises(ch.UnitError, match="g_max of IL is in mS/cm\\^2"):
        ch.SingleCompartment(3, IL=IL(g_max=ch.normal("0.1 mV", "1 mV", seed=0)))


def test_replace_makes_another_cell_and_leaves_the_first() -> None:
    cell = calcium()
    new = cell.replace(C="2 uF/cm^2", **{"ICa.p_max": "1e-4 cm/s", "ca.tau": "9 ms"})
    assert (new.C, new.channels["ICa"].p_max, new.ions["ca"].tau) == (2.0, 1e-4, 9.0)
    assert (cell.C, cell.channels["ICa"].p_max, cell.ions["ca"].tau) == (1.0, 2e-5, 5.0)
    whole = cell.replace(IL=IL(E="-50 mV"), ca="CalciumFixed")
    assert whole.channels["IL"].E == -50 and whole.ions["ca"].E == 120
    assert jax.tree.structure(new) == jax.tree.structure(cell)


@pytest.mark.parametrize("path", ["INaa", "IL.g", "ca.taux", "V.x"])
def test_replacing_what_is_not_there_is_an_error(path: str) -> None:
    with pytest.raises(ch.ModelError, match=r"has no|no parameter"):
        calcium().replace(**{path: "1 mV"})


def test_several_instances_of_one_channel_add_up() -> None:
    split = squid(A=IL(g_max="0.1 mS/cm^2"), B=IL(g_max="0.2 mS/cm^2"), IL=IL(g_max="0 mS/cm^2"))
    whole = squid(IL=IL(g_max="0.3 mS/cm^2"))
    slopes = [cell.derivative(cell.initial_state(), lambda V: 0.0).V for cell in (split, whole)]
    np.testing.assert_allclose(*slopes, rtol=1e-12)


@pytest.mark.parametrize("name", MODELS)
def test_gates_and_pools_start_at_steady_state_for_the_initial_voltage(name: str) -> None:
    V = np.array([-90.0, -65.0, -40.0, 0.0])
    cell = MODELS[name](4, V=(V, "mV"))
    state = cell.initial_state()
    np.testing.assert_array_equal(state.V, V)
    slope = cell.derivative(state, lambda V: 0.0)
    for leaf in jax.tree.leaves(slope.channels):
        np.testing.assert_allclose(leaf, 0, atol=1e-12)
    label = next(iter(cell.channels))
    assert cell.initial_state(-40.0).channels[label]["m"][0] == state.channels[label]["m"][2]


def test_current_is_outward_positive_and_the_equation_is_that_of_a_membrane() -> None:
    cell = ch.SingleCompartment(1, IL=IL(g_max="0.5 mS/cm^2", E="-60 mV"), C="2 uF/cm^2", V="-50 mV")
    slope = cell.derivative(cell.initial_state(), lambda V: 3.0).V
    assert float(slope[0]) == pytest.approx((3.0 - 0.5 * 10) / 2)


def test_an_absolute_current_is_spread_over_the_area() -> None:
    cell = ch.SingleCompartment(1, IL=IL(g_max="0 mS/cm^2"), area="20000 um^2")
    V = ch.simulate(cell, "1 ms", dt="0.1 ms", stimulus="0.2 nA")["V"]
    assert V[-1, 0] - V[0, 0] == pytest.approx(1.0, rel=1e-12)  # 0.2 nA / 2e-4 cm^2 = 1 uA/cm^2 into 1 uF/cm^2
    same = ch.simulate(cell, "1 ms", dt="0.1 ms", stimulus="1 uA/cm^2")["V"]
    np.testing.assert_allclose(V, same, rtol=1e-12)


# ---- temperature ---------------------------------------------------------------------------------------------------


def test_a_cell_whose_channels_depend_on_temperature_must_be_given_one() -> None:
    with pytest.raises(ch.ModelError) as caught:
        ch.SingleCompartment(1, *AXON, INa="INa_HH1952", Ik="IK_HH1952")
    message = str(caught.value)
    assert "celsius=..." in message and "'INa' (INa_HH1952, measured at 6.3 degC)" in message and "'Ik'" in message


def test_a_pool_needs_a_temperature_for_its_nernst_potential() -> None:
    with pytest.raises(ch.ModelError, match=r"celsius=\.\.\..*'ca' \(CalciumDetailed, for its Nernst potential\)"):
        ch.SingleCompartment(1, "CalciumDetailed", IL=IL)


def test_taking_the_temperature_away_is_found_too() -> None:
    with pytest.raises(ch.ModelError, match="celsius"):
        calcium().replace(celsius=None)


def test_phi_given_as_a_number_overrides_the_temperature() -> None:
    warm = ch.SingleCompartment(1, *AXON, INa=INa_HH1952, celsius=16.3)
    cold = ch.SingleCompartment(1, *AXON, INa=INa_HH1952(phi=1.0), celsius=16.3)
    none = ch.SingleCompartment(1, *AXON, INa=INa_HH1952(phi=1.0))
    state = none.initial_state(-30.0)._replace(channels={"INa": {"m": jnp.full(1, 0.2), "h": jnp.full(1, 0.7)}})
    m = [cell.derivative(state, lambda V: 0.0).channels["INa"]["m"][0] for cell in (warm, cold, none)]
    assert m[1] == m[2] and float(m[0] / m[1]) == pytest.approx(3.0, rel=1e-12)


def test_a_temperature_may_differ_between_neurons_and_be_given_in_kelvin() -> None:
    cell = ch.SingleCompartment(2, *AXON, IK=IK_HH1952, celsius=([279.45, 289.45], "K"))
    state = cell.initial_state()._replace(channels={"IK": {"n": jnp.full(2, 0.1)}})
    slope = cell.derivative(state, lambda V: 0.0).channels["IK"]["n"]
    assert float(slope[1] / slope[0]) == pytest.approx(3.0, rel=1e-9)


# ---- looks ---------------------------------------------------------------------------------------------------------


def test_a_cell_shows_its_parts_with_units() -> None:
    text = repr(hippocampal(4000))
    for words in (
        "4000 neurons",
        "area = 20000 um^2",
        "INa_TM1991",
        "g_max = 100 mS/cm^2",
        "channelome-tm1991",
        "E = 50 mV",
    ):
        assert words in text
    assert hippocampal()._repr_html_().startswith("<table>")
