"""Channels are written as their papers write them; every mistake is found when the class is defined."""

import dataclasses
from collections.abc import Callable
from typing import Annotated, Any

import jax
import numpy as np
import pytest

import channelome as ch
from channelome.authoring import (
    Conductance,
    Factor,
    Gate,
    Markov,
    Ohmic,
    Permeability,
    Permeable,
    Pool,
    Rate,
    Unit,
    Voltage,
    exp,
    param,
    rates,
    where,
)
from channelome.mechanisms.channels import equations
from channelome.mechanisms.describe import describe

MISTAKES: dict[str, tuple[Callable[[], Any], tuple[str, ...]]] = {}


def mistake(*words: str) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    """Register a function that defines a wrong class, with what its error must say."""

    def keep(define: Callable[[], Any]) -> Callable[[], Any]:
        MISTAKES[define.__name__] = (define, words)
        return define

    return keep


@mistake("Wrong.m", "'voltage'", "neither V, celsius, another gate nor an ion", "self.voltage", "reads=('voltage',)")
def a_gate_with_an_unknown_argument() -> None:
    class Wrong(Ohmic, ion="k"):
        g_max: Conductance = 1.0

        def m(self, voltage):
            return rates(1.0, 1.0)

        def conductance(self, m):
            return self.g_max * m


@mistake("Wrong.conductance", "'h'", "stands for an ion", ".C_in", "needs a method, h(self, V)")
def a_conductance_with_a_missing_gate_of_the_name_of_an_ion() -> None:
    class Wrong(Ohmic, ion="k"):
        g_max: Conductance = 1.0

        def conductance(self, h):
            return self.g_max * h


@mistake("Wrong.conductance", "'q'", "no gate of that name", "Write a method q(self, V)")
def a_conductance_with_a_missing_gate() -> None:
    class Wrong(Ohmic, ion="k"):
        g_max: Conductance = 1.0

        def conductance(self, q):
            return self.g_max * q


@mistake("'g_max'", "Wrong", "no unit", "Conductance")
def a_field_whose_type_has_no_unit() -> None:
    class Wrong(Ohmic, ion="k"):
        g_max: float = 1.0

        def conductance(self):
            return self.g_max


@mistake("'g_max'", "Wrong", "Conductance")
def a_field_without_a_type() -> None:
    class Wrong(Ohmic, ion="k"):
        g_max = 1.0

        def conductance(self):
            return self.g_max


@mistake("'g_max'", "Wrong", "bare number", "'1 mS/cm^2'")
def a_default_that_is_not_a_bare_number() -> None:
    class Wrong(Ohmic, ion="k"):
        g_max: Conductance = "1 mS/cm^2"

        def conductance(self):
            return self.g_max


@mistake("Wrong.m", "must return rates(alpha, beta) or Gate(inf, tau)", "tuple")
def a_gate_that_returns_a_tuple() -> None:
    class Wrong(Ohmic, ion="k"):
        g_max: Conductance = 1.0

        def m(self, V):
            return V, V

        def conductance(self, m):
            return self.g_max * m


@mistake("Wrong.m", "must return rates(alpha, beta) or Gate(inf, tau)", "NoneType")
def a_gate_that_forgets_to_return() -> None:
    class Wrong(Ohmic, ion="k"):
        g_max: Conductance = 1.0

        def m(self, V):
            rates(V, V)

        def conductance(self, m):
            return self.g_max * m


@mistake("Wrong.conductance", "must return a number in mS/cm^2", "NoneType")
def a_conductance_that_forgets_to_return() -> None:
    class Wrong(Ohmic, ion="k"):
        g_max: Conductance = 1.0

        def conductance(self):
            pass


@mistake("Wrong.permeability", "must return a number in cm/s", "Gate")
def a_permeability_that_returns_a_gate() -> None:
    class Wrong(Permeable, ion="ca"):
        p_max: Permeability = 1.0

        def permeability(self, V):
            return Gate(V, V)


@mistake("Wrong.m", "fails when it is evaluated", "may not branch on V with if", "where(condition, this, that)")
def a_gate_that_branches_on_V() -> None:
    class Wrong(Ohmic, ion="k"):
        g_max: Conductance = 1.0

        def m(self, V):
            return rates(1.0, 2.0) if V > 0 else rates(2.0, 1.0)

        def conductance(self, m):
            return self.g_max * m


@mistake("Wrong.m", "exp, where, ... of channelome.authoring")
def a_gate_with_the_exponential_of_numpy() -> None:
    class Wrong(Ohmic, ion="k"):
        g_max: Conductance = 1.0

        def m(self, V):
            return rates(np.exp(V), 1.0)

        def conductance(self, m):
            return self.g_max * m


@mistake("Wrong.m", "exp, where, ... of channelome.authoring")
def a_gate_with_the_exponential_of_math() -> None:
    import math

    class Wrong(Ohmic, ion="k"):
        g_max: Conductance = 1.0

        def m(self, V):
            return rates(math.exp(V), 1.0)

        def conductance(self, m):
            return self.g_max * m


@mistake("Wrong.m", "fails when it is evaluated", "V_half")
def a_gate_that_reads_a_field_that_is_not_there() -> None:
    class Wrong(Ohmic, ion="k"):
        g_max: Conductance = 1.0

        def m(self, V):
            return rates(V - self.V_half, 1.0)

        def conductance(self, m):
            return self.g_max * m


@mistake("Wrong", "circle", "m -> h -> m")
def gates_in_a_circle() -> None:
    class Wrong(Ohmic, ion="k"):
        g_max: Conductance = 1.0

        def m(self, h):
            return rates(h, 1.0)

        def h(self, m):
            return rates(m, 1.0)

        def conductance(self, m):
            return self.g_max * m


@mistake("Wrong", "no reversal potential", "ion='k'", "E: Voltage")
def a_channel_without_a_reversal_potential() -> None:
    class Wrong(Ohmic):
        g_max: Conductance = 1.0

        def conductance(self):
            return self.g_max


@mistake("Wrong", "needs one ion", "ion='ca'")
def a_permeable_channel_without_an_ion() -> None:
    class Wrong(Permeable):
        p_max: Permeability = 1.0

        def permeability(self):
            return self.p_max


@mistake("Wrong.m", "'k=2'", "without a default", "Constants are fields")
def a_gate_whose_argument_has_a_default() -> None:
    class Wrong(Ohmic, ion="k"):
        g_max: Conductance = 1.0

        def m(self, V, k=2):
            return rates(V, k)

        def conductance(self, m):
            return self.g_max * m


@mistake("Wrong", "nothing asks for the gate 'h'", "conductance(self, ..., h)", "_h")
def a_gate_that_was_forgotten() -> None:
    class Wrong(Ohmic, ion="na"):
        g_max: Conductance = 1.0

        def m(self, V):
            return Gate(inf=1 / (1 + exp(-V)), tau=1.0)

        def h(self, V, m):
            return rates(alpha=exp(-V), beta=m)

        def conductance(self, m):
            return self.g_max * m**3


@mistake("Wrong", "share of 'na'", "'P_na'", "does not exist")
def a_share_that_is_no_field() -> None:
    class Wrong(Ohmic, ion={"na": "P_na"}):
        g_max: Conductance = 1.0
        E: Voltage = -43.0

        def conductance(self):
            return self.g_max


@mistake("Wrong", "needs a method transitions(self, ...)")
def a_scheme_without_transitions() -> None:
    class Wrong(Markov, ion="k", states=("C", "O")):
        g_max: Conductance = 1.0

        def conductance(self, O):
            return self.g_max * O


@mistake("Wrong.transitions", "'O2'", "C, O")
def a_transition_to_a_state_that_is_not_there() -> None:
    class Wrong(Markov, ion="k", states=("C", "O")):
        g_max: Conductance = 1.0

        def transitions(self, V):
            return {("C", "O2"): exp(V), ("O", "C"): 1.0}

        def conductance(self, O):
            return self.g_max * O


@mistake("Wrong.transitions", "'C'", "(from, to)")
def a_transition_from_a_state_to_itself() -> None:
    class Wrong(Markov, ion="k", states=("C", "O")):
        g_max: Conductance = 1.0

        def transitions(self, V):
            return {("C", "C"): exp(V), ("O", "C"): 1.0}

        def conductance(self, O):
            return self.g_max * O


@mistake("Wrong.transitions must return", "list")
def transitions_that_are_a_list() -> None:
    class Wrong(Markov, ion="k", states=("C", "O")):
        g_max: Conductance = 1.0

        def transitions(self, V):
            return [("C", "O", V)]

        def conductance(self, O):
            return self.g_max * O


@mistake("Wrong", "asks for the occupancy 'O'", "a transition from it")
def transitions_that_depend_on_an_occupancy() -> None:
    class Wrong(Markov, ion="k", states=("C", "O")):
        g_max: Conductance = 1.0

        def transitions(self, V, O):
            return {("C", "O"): O, ("O", "C"): 1.0}

        def conductance(self, O):
            return self.g_max * O


@mistake("Wrong", "'zn'", "valence=...")
def an_ion_of_an_unknown_species_without_valence() -> None:
    class Wrong(Pool, species="zn"):
        tau: Rate = 1.0

        def balance(self, I):
            return Gate(0.0, 1.0)


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_an_error_at_definition_that_names_class_method_and_remedy(name: str) -> None:
    define, words = MISTAKES[name]
    with pytest.raises(ch.DefinitionError) as caught:
        define()
    for word in words:
        assert word in str(caught.value)


def test_methods_that_are_no_gates_and_gates_of_a_base_may_stay_unasked() -> None:
    class Both(Ohmic, ion="na"):
        g_max: Conductance = 1.0

        def speed(self, V):
            return exp(V / 30)

        def describe(self, how):
            return how.upper()

        def _slow(self, V):
            return Gate(inf=0.5, tau=1.0)

        def m(self, V):
            return Gate(inf=0.5, tau=1 / self.speed(V))

        def h(self, V):
            return self._slow(V)

        def conductance(self, m, h):
            return self.g_max * m * h

    class Persistent(Both):
        """Without inactivation."""

        def conductance(self, m):
            return self.g_max * m

    assert Both.gates == ("m", "h") and Persistent.gates == ("m",)


class IM_Test(Ohmic, ion="k"):
    """A muscarinic current.

    More words.
    """

    g_max: Conductance = param(0.1, source="our choice")
    V_half: Voltage = -35.0
    phi: Factor = 2
    a: Annotated[Any, Unit.parse("1/(ms*mM)")] = 3.0

    def n(self, V, ca):
        return rates(alpha=self.a * ca.C_in, beta=where(V > 0, 1.0, 2.0), phi=self.phi)

    def q(self, V, n):
        return Gate(inf=n * exp(-((V / 100) ** 2)), tau=3.0)

    def conductance(self, n, q):
        return self.g_max * n * q


def test_a_class_tells_what_it_is_made_of() -> None:
    assert IM_Test.gates == ("n", "q")
    assert (IM_Test.ion, IM_Test.reads, IM_Test.needs_celsius) == ("k", ("ca",), False)
    facts = describe(IM_Test)
    assert facts["summary"] == "A muscarinic current." and facts["kind"] == "Ohmic"
    assert facts["parameters"]["g_max"] == {"default": 0.1, "unit": "mS/cm^2", "source": "our choice"}
    assert facts["parameters"]["a"]["unit"] == "1/(ms*mM)"
    assert equations(IM_Test) == facts["equations"]
    assert "alpha=self.a * ca.C_in" in facts["equations"] and "def q" in facts["equations"]


def test_a_class_of_a_script_is_used_at_once_as_class_and_as_instance() -> None:
    cell = ch.SingleCompartment(2, "PotassiumFixed", "CalciumFixed", A=IM_Test, B=IM_Test(g_max="0.2 mS/cm^2"), IL="IL")
    traces = ch.simulate(cell, "1 ms", dt="0.1 ms", record=["V", "A.current", "B.current"])
    np.testing.assert_allclose(traces["B.current"], 2 * traces["A.current"], rtol=1e-12)


def test_instances_are_frozen() -> None:
    channel = IM_Test()
    with pytest.raises(AttributeError, match=r"make the next one with \.replace\(g_max=\.\.\.\)"):
        channel.g_max = 3.0
    with pytest.raises(AttributeError, match="cannot be changed"):
        del channel.g_max
    assert channel.replace(g_max="3 mS/cm^2").g_max == 3.0 and channel.g_max == 0.1


def test_metadata_of_a_class_cannot_be_changed_through_instances() -> None:
    with pytest.raises(AttributeError):
        IM_Test().ion = "na"
    for facts in (IM_Test.parameters, IM_Test.carries):
        with pytest.raises(TypeError):
            facts["g_max"] = None  # pyright: ignore
    with pytest.raises(dataclasses.FrozenInstanceError):
        IM_Test.parameters["g_max"].unit = None  # pyright: ignore


def test_building_one_channel_leaves_the_others_alone() -> None:
    before = describe(IM_Test)
    IM_Test(g_max="7 mS/cm^2", phi=9)

    class Other(IM_Test, ion="na"):
        """Another."""

        g_max = 5.0

    assert describe(IM_Test) == before and IM_Test().ion == "k" and Other().ion == "na"


def test_a_preset_is_a_subclass_with_other_defaults() -> None:
    class Preset(IM_Test):
        """Of another paper."""

        g_max = param(0.7, source="another paper")
        V_half = -30

    assert (Preset().g_max, Preset().V_half, Preset().phi) == (0.7, -30.0, 2.0)
    assert Preset.parameters["g_max"].source == "another paper"
    assert Preset.parameters["g_max"].unit.symbol == "mS/cm^2"
    assert Preset.gates == IM_Test.gates and IM_Test().g_max == 0.1


def test_a_parameter_without_default_must_be_given() -> None:
    class Needy(Ohmic, ion="k"):
        g_max: Conductance

        def conductance(self):
            return self.g_max

    with pytest.raises(ch.ModelError, match="Needy must be given g_max, in mS/cm\\^2"):
        Needy()


def test_an_unknown_parameter_is_an_error_with_a_suggestion() -> None:
    with pytest.raises(ch.ModelError, match=r"IM_Test has no parameter 'gmax'\. Did you mean 'g_max'\?"):
        IM_Test(gmax="1 mS/cm^2")
    with pytest.raises(ch.ModelError, match="has no parameter 'x'"):
        IM_Test().replace(x=1.0)


def test_a_channel_is_a_pytree_of_its_parameters_by_name() -> None:
    channel = IM_Test(g_max="3 mS/cm^2")
    leaves = {jax.tree_util.keystr(path): leaf for path, leaf in jax.tree_util.tree_leaves_with_path(channel)}
    assert leaves == {".g_max": 3.0, ".V_half": -35.0, ".phi": 2.0, ".a": 3.0}
    doubled = jax.tree.map(lambda x: 2 * x, channel)
    assert isinstance(doubled, IM_Test) and doubled.g_max == 6.0


def test_an_ion_in_capitals_is_named() -> None:
    with pytest.raises(ch.DefinitionError, match=r"'Na' is no ion\. Did you mean 'na'"):

        class Wrong(Ohmic, ion="Na"):
            g_max: Conductance = 1.0

            def conductance(self):
                return self.g_max
