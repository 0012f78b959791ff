"""Ions: what channels see of them, and that a current moves the right one by the right amount."""

import jax.numpy as jnp
import numpy as np
import pytest
from engine.models import ICa, ICaP, KCa

import channelome as ch
from channelome.authoring import Array, Conductance, Gate, IonView, Length, Ohmic, Pool, Voltage, param
from channelome.maths import FARADAY
from channelome.mechanisms.ions import VALENCE, CalciumDetailed, CalciumFirstOrder, Fixed, Nernst


class Pump(Ohmic, ion="ca"):
    """A constant calcium current, for it has no driving force: g V_0, set by its own reversal potential."""

    g_max: Conductance = 1.0
    E: Voltage = 20.0

    def conductance(self):
        return self.g_max


def clamped(*channels_and_ions: object, **channels: object) -> ch.SingleCompartment:
    """A cell whose V hardly moves, since its capacitance is enormous: V = 0 mV."""
    return ch.SingleCompartment(1, *channels_and_ions, celsius=36.0, C="1e12 uF/cm^2", V="0 mV", **channels)


def test_a_calcium_current_raises_C_in_by_the_analytic_amount() -> None:
    d, tau, rest, I = 0.5, 10.0, 5e-5, -20.0
    pool = CalciumDetailed(d=(d, "um"), tau=(tau, "ms"), C_rest=(rest, "mM"))
    traces = ch.simulate(clamped(pool, Pump=Pump), "20 ms", dt="0.1 ms", record=["ca.C_in", "Pump.current", "V"])
    np.testing.assert_allclose(traces["Pump.current"], I, rtol=1e-9)
    influx = -10 * I / (2 * FARADAY * d)  # mM/ms
    expected = rest + influx * tau * (1 - np.exp(-traces.t / tau))
    np.testing.assert_allclose(traces["ca.C_in"][:, 0], expected, rtol=2e-5)
    assert traces["ca.C_in"][-1, 0] > 100 * rest


@pytest.mark.parametrize("solver", ["rk4", "exp_euler", "backward_euler"])
def test_every_kind_of_solver_moves_calcium_by_the_same_amount(solver: str) -> None:
    options = {"dt": "0.05 ms", "record": "ca.C_in", "solver": solver}
    traces = ch.simulate(clamped(CalciumDetailed, Pump=Pump), "5 ms", **options)
    expected = 2.4e-4 + 10 * 20 / (2 * FARADAY) * 5.0 * (1 - np.exp(-1.0))
    assert traces["ca.C_in"][-1, 0] == pytest.approx(expected, rel=6e-3 if solver == "backward_euler" else 1e-6)


def test_an_outward_calcium_current_does_not_empty_the_pool() -> None:
    traces = ch.simulate(clamped(CalciumDetailed, Pump=Pump(E="-20 mV")), "5 ms", dt="0.1 ms", record="ca.C_in")
    np.testing.assert_allclose(traces["ca.C_in"], 2.4e-4, rtol=1e-12)


def test_first_order_calcium_follows_its_closed_form_with_its_defaults() -> None:
    traces = ch.simulate(
        clamped(CalciumFirstOrder, Pump=Pump(g_max="0.001 mS/cm^2")), "20 ms", dt="0.1 ms", record="ca.C_in"
    )
    source, beta = 0.13 * 0.02, 0.075
    expected = 2.4e-4 * np.exp(-beta * traces.t) + source / beta * (1 - np.exp(-beta * traces.t))
    np.testing.assert_allclose(traces["ca.C_in"][:, 0], expected, rtol=1e-4)


@pytest.mark.parametrize("pool", [CalciumDetailed, CalciumFirstOrder])
def test_a_pool_starts_at_rest(pool: type[Pool]) -> None:
    state = clamped(pool, ICa=ICa).initial_state()
    np.testing.assert_array_equal(state.ions["ca"]["C_in"], [2.4e-4])


def test_a_pool_without_current_stays_at_rest() -> None:
    traces = ch.simulate(clamped(CalciumDetailed), "10 ms", dt="0.1 ms", record="ca.C_in")
    np.testing.assert_allclose(traces["ca.C_in"], 2.4e-4, rtol=1e-13)


def test_a_channel_that_reads_calcium_does_not_move_it() -> None:
    cell = clamped(CalciumDetailed, ch.ion("PotassiumFixed"), KCa=KCa(g_max="50 mS/cm^2"))
    traces = ch.simulate(cell, "5 ms", dt="0.1 ms", record=["ca.C_in", "KCa.current"])
    assert np.abs(traces["KCa.current"]).max() > 1
    np.testing.assert_allclose(traces["ca.C_in"], 2.4e-4, rtol=1e-12)


def test_only_the_declared_share_of_a_mixed_current_is_credited() -> None:
    class Mixed(Ohmic, ion={"ca": "share"}):
        g_max: Conductance = 1.0
        E: Voltage = 20.0
        share: Length = param(0.25)

        def conductance(self):
            return self.g_max

    full, part = (
        cell.derivative(cell.initial_state(), lambda V: 0.0).ions["ca"]["C_in"]
        for cell in (clamped(CalciumDetailed, X=Pump), clamped(CalciumDetailed, X=Mixed))
    )
    np.testing.assert_allclose(part, 0.25 * full, rtol=1e-12)


def test_two_channels_of_one_ion_add_up() -> None:
    cells = clamped(CalciumDetailed, A=Pump), clamped(CalciumDetailed, A=Pump, B=Pump)
    one, two = (cell.derivative(cell.initial_state(), lambda V: 0.0).ions["ca"]["C_in"] for cell in cells)
    np.testing.assert_allclose(two, 2 * one, rtol=1e-12)


def test_calcium_reverses_at_120_mv_at_36_degrees() -> None:
    traces = ch.simulate(clamped(CalciumDetailed, ICa=ICa), "0.1 ms", dt="0.1 ms", record=["ca.E", "ca.C_out"])
    assert traces["ca.E"][0, 0] == pytest.approx(120.3, abs=0.05)
    assert traces["ca.C_out"][0, 0] == 2.0 and traces.units["ca.E"] == "mV"


def test_a_reversal_potential_follows_the_pool() -> None:
    traces = ch.simulate(clamped(CalciumDetailed, Pump=Pump), "5 ms", dt="0.1 ms", record=["ca.E", "ca.C_in"])
    slope = 1e3 * 8.314462618 * 309.15 / (2 * FARADAY)
    np.testing.assert_allclose(traces["ca.E"], slope * np.log(2.0 / traces["ca.C_in"]), rtol=1e-12)


def test_a_permeable_channel_follows_ghk_and_fills_the_pool() -> None:
    cell = clamped(CalciumDetailed, ICa=ICaP(p_max="1e-3 cm/s"))
    traces = ch.simulate(cell, "2 ms", dt="0.1 ms", record=["ICa.current", "ICa.m", "ca.C_in"])
    expected = 1e-3 * traces["ICa.m"] ** 2 * 2 * FARADAY * (traces["ca.C_in"] - 2.0)  # the limit at V = 0
    np.testing.assert_allclose(traces["ICa.current"], expected, rtol=1e-6)
    assert traces["ca.C_in"][-1, 0] > traces["ca.C_in"][0, 0]


@pytest.mark.parametrize(("species", "valence"), [("mg", 2), ("cl", -1), ("h", 1), ("zn", 2)])
def test_another_species_can_be_used(species: str, valence: int) -> None:
    class Carried(Ohmic, ion=species, reads=(species,)):
        """A current of any species."""

        g_max: Conductance = 1.0

        def conductance(self):
            return self.g_max

    own = {} if species in VALENCE else {"valence": valence}
    ion = Nernst(species=species, C_in="1 mM", C_out="10 mM", **own)
    cell = clamped(ion, X=Carried)
    E = 1e3 * 8.314462618 * 309.15 / (valence * FARADAY) * np.log(10)
    np.testing.assert_allclose(cell.currents(cell.initial_state())["X"], -E, rtol=1e-12)
    fixed = Fixed(species=species, E="-33 mV", **own)
    assert cell.replace(**{species: fixed}).currents(cell.initial_state())["X"] == 33.0


def test_a_species_without_a_known_valence_must_be_given_one() -> None:
    with pytest.raises(ch.ModelError, match="species 'zn' is not one of na, k, ca, cl, mg, h: give its valence"):
        Nernst(species="zn", C_in="1 mM", C_out="10 mM")
    with pytest.raises(ch.ModelError, match="must be a name"):
        Fixed(species="z n", E="0 mV", valence=2)


def test_a_pool_of_a_users_own_species_fills() -> None:
    class ZincPool(Pool, species="zn", valence=2):
        """Zinc that only enters."""

        d: Length = 1.0

        def balance(self, I):
            return Gate(-10 * I / (self.valence * FARADAY * self.d) * 1e6, 1e6)

    class Zinc(Ohmic, ion="zn", reads=("zn",)):
        g_max: Conductance = 1.0
        E: Voltage = 10.0

        def conductance(self, zn: IonView):
            return self.g_max + 0 * zn.C_in

    cell = clamped(ZincPool(C_rest="1e-6 mM", C_out="1e-3 mM"), Zn=Zinc)
    traces = ch.simulate(cell, "10 ms", dt="0.1 ms", record="zn.C_in")
    rise = (traces["zn.C_in"][-1] - traces["zn.C_in"][0]) / 10
    np.testing.assert_allclose(rise, 10 * 10 / (2 * FARADAY), rtol=1e-4)


def test_a_channel_that_reads_a_concentration_that_the_ion_lacks_is_told_so() -> None:
    class IReads(Ohmic, ion="k"):
        g_max: Conductance = param(1.0)

        def conductance(self, ca: IonView) -> Array:
            return self.g_max * ca.C_in

    cell = ch.SingleCompartment(1, "PotassiumFixed", Fixed(species="ca", E="120 mV"), X=IReads)
    with pytest.raises(ch.ModelError, match=r"reads C_in of the ion 'ca', which was built without"):
        ch.simulate(cell, "1 ms", dt="0.1 ms")


def test_gradients_pass_through_a_pool() -> None:
    import jax

    def calcium(d: jnp.ndarray) -> jnp.ndarray:
        cell = clamped(CalciumDetailed(d=(d, "um")), Pump=Pump)
        return ch.simulate(cell, "1 ms", dt="0.1 ms", record="ca.C_in")["ca.C_in"][-1, 0]

    slope = jax.grad(calcium)(1.0)
    h = 1e-5
    assert float(slope) == pytest.approx(float((calcium(1 + h) - calcium(1 - h)) / (2 * h)), rel=1e-6)
