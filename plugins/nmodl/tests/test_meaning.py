"""What is understood of a file, and what is refused: with the line and the reason."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from channelome_nmodl.load import load, understood
from channelome_nmodl.text import NmodlError, source

import channelome as ch

MODS = Path(__file__).parent / "mods"
KV = (MODS / "kv.mod").read_text(encoding="utf-8")


def imported(text: str, folder: Path = MODS):
    return understood(source(text, "it.mod"), folder)[0]


def changed(old: str, new: str, text: str = KV) -> str:
    assert old in text
    return text.replace(old, new, 1)


def test_a_classical_file_is_a_class_like_any_other():
    kv = ch.load_channel(MODS / "kv.mod")
    assert (kv.ion, kv.gates, kv.needs_celsius) == ("k", ("n",), True)
    assert {name: (p.default, str(p.unit)) for name, p in kv.parameters.items()} == {
        "g_max": (36.0, "mS/cm^2"), "vh": (-55.0, "mV"), "q": (3.0, "1")
    }  # fmt: skip
    assert kv.parameters["g_max"].source == "kv.mod, line 4: gbar"


def test_it_gives_the_spikes_of_the_same_channel_written_by_hand():
    def axon(IK):
        leak = ch.channel("IL", g_max="0.3 mS/cm^2", E="-54.387 mV")
        ions = ("SodiumFixed", ch.ion("PotassiumFixed", E="-77 mV"))
        INa = ch.load_channel(MODS / "stepped.mod")
        return ch.SingleCompartment(1, *ions, INa=INa, IK=IK, IL=leak, celsius=6.3)

    class IK_byhand(ch.load_channel(MODS / "kv.mod").__bases__[0], ion="k"):  # Ohmic
        """The equations of Hodgkin & Huxley (1952), written here."""

        def n(self, V):
            from channelome.authoring import exp, linoid, rates

            return rates(alpha=0.01 * linoid(-(V + 55), 10), beta=0.125 * exp(-(V + 65) / 80))

        def conductance(self, n):
            return 36.0 * n**4

    V = [
        ch.simulate(axon(IK), "30 ms", dt="0.025 ms", stimulus="20 uA/cm^2")["V"]
        for IK in (ch.load_channel(MODS / "kv.mod"), IK_byhand)
    ]
    assert np.ptp(V[0]) > 20
    assert np.abs(V[0] - V[1]).max() < 1e-9


@pytest.mark.parametrize("V", [-55.0, -38.0, -40.0])
def test_values_and_slopes_are_right_where_the_file_guards_a_quotient(V: float):
    for name in ("kv.mod", "stepped.mod"):
        channel = ch.load_channel(MODS / name)()
        gate = channel.gates[0]

        def opening(v, channel=channel, gate=gate):
            return channel._gate(gate, {"V": v, "celsius": 22.0}).alpha

        h = 1e-4
        assert jnp.isfinite(opening(V))
        assert jax.grad(opening)(V) == pytest.approx(float(opening(V + h) - opening(V - h)) / (2 * h), rel=1e-6)


def test_hand_written_steps_are_undone_to_rates():
    plan = load(MODS / "stepped.mod").plan
    assert plan.base.__name__ == "Ohmic"
    assert {method.name: method.returns for method in plan.methods[:-1]} == {"m": "rates", "h": "rates"}
    notes = " ".join(plan.meaning.notes)
    assert "hand-written update of m was undone" in notes
    assert "TABLE was left out" in notes
    assert "VERBATIM" in notes


def test_a_kinetic_scheme_is_a_markov_channel():
    cls = load(MODS / "scheme.mod").cls
    assert (cls.__base__.__name__, cls.occupancies) == ("Markov", ("c1", "c2", "c3", "o", "i"))


def test_each_species_carries_its_own_part():
    channel = load(MODS / "several.mod").cls()
    V = jnp.asarray([-70.0, 10.0])
    env = {"V": V, "celsius": None}
    from channelome.mechanisms.ions import IonView

    env |= {"na": IonView("na", 1, 1.0, 1.0, 50.0), "k": IonView("k", 1, 1.0, 1.0, -80.0)}
    states = channel.steady_state(env)
    parts = channel.carried(channel.current(states, env), states, env)
    assert set(parts) == {"na", "k"}
    assert np.all(np.sign(parts["na"]) == -1)
    assert np.all(np.sign(parts["k"]) == 1)


def test_variables_start_where_initial_says():
    cls = load(MODS / "coupled.mod").cls
    assert cls.variables == ("a", "b")
    start = cls().steady_state({"V": jnp.asarray([-70.0]), "celsius": None})
    assert {name: float(x[0]) for name, x in start.items()} == {"a": 0.1, "b": 0.8}


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("SUFFIX kv", "ARTIFICIAL_CELL kv", "not a channel of the membrane"),
        ("SUFFIX kv", "POINT_PROCESS kv", "no spike reaches it"),
        ("RANGE gbar", "RANGE gbar POINTER p", "POINTER p"),
        ("ik = gbar", "VERBATIM x = 3; ENDVERBATIM ik = gbar", "line 7: VERBATIM"),
        ("a = .01*", "a = scop_random()*", r"line 12: scop_random\(\) draws random numbers"),
        ("n^4", "n^4*t", r"time itself \(t\)"),
        ("n^4", "n^4*dt", r"length of a step itself \(dt\)"),
        ("n^4", "n^4*nseg", "nseg"),
        ("n^4", "n^4*missing", "missing is used, and is not declared"),
        ("n^4", "n^4*missing(3)", r"line 7: missing\(\)"),
        ("WRITE ik", "WRITE ik, ki", "ki is said to be written, and is not"),
        ("n' =", "n'' =", "order 2"),
        ("states METHOD", "other METHOD", "no block of that name"),
        ("rates(v) n = ninf", "rates(v) gbar = v", "set once, in INITIAL"),
        ("q10 = q", "WHILE (v < 0) { a = 1 } q10 = q", "line 11: a WHILE"),
        ("FUNCTION vtrap(x, y) {", "FUNCTION vtrap(x, y) { vtrap = vtrap(x, y)", "calls itself"),
        ("vtrap(-(v - vh), 10)", "vtrap(-(v - vh))", "takes 2 arguments, and is given 1"),
        ("PARAMETER", 'INCLUDE "../secret.inc"\nPARAMETER', "leads out of the folder"),
        ("PARAMETER", 'INCLUDE "/etc/passwd"\nPARAMETER', "leads out of the folder"),
        ("PARAMETER", 'INCLUDE "absent.inc"\nPARAMETER', "not in the folder"),
        ("FUNCTION vtrap", "FUNCTION_TABLE tab(v)\nFUNCTION vtrap", ""),
        ("rates(v) n' =", "rates(v) FROM i = 0 TO 100000 { a2 = a2 + 1 } n' =", "more than 10000 rounds"),
        ("ik = gbar*n^4*(v - ek)", "ik = 0", "0 whatever happens"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_reason(old: str, new: str, reason: str):
    if not reason:  # a table that nothing calls is no obstacle
        imported(changed(old, new))
        return
    with pytest.raises(NmodlError, match=reason):
        imported(changed(old, new))


@pytest.mark.parametrize(
    "unit", ["0 coulomb", "coulombs0", "1e999 coulomb", "1e-320 / 1e300 coulomb", "/ 0 coulomb", "... coulomb"]
)
def test_a_unit_of_a_constant_that_is_no_number_is_refused(unit: str):
    text = changed("PARAMETER", f"UNITS {{ F = (faraday) ({unit}) }}\nPARAMETER")
    with pytest.raises(NmodlError, match=r"the constant F"):
        imported(changed("n^4*", "n^4*F*", text))


def test_a_file_that_includes_itself_is_refused(tmp_path: Path):
    (tmp_path / "loop.inc").write_text('INCLUDE "loop.inc"\n')
    with pytest.raises(NmodlError, match="includes itself"):
        imported(changed("PARAMETER", 'INCLUDE "loop.inc"\nPARAMETER'), tmp_path)


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path):
    secret = tmp_path / "secret.inc"
    secret.write_text("PARAMETER { s = 1 }")
    folder = tmp_path / "mods"
    folder.mkdir()
    (folder / "inside.inc").symlink_to(secret)
    with pytest.raises(NmodlError, match="leads out of the folder"):
        imported(changed("PARAMETER", 'INCLUDE "inside.inc"\nPARAMETER'), folder)


def test_a_guard_that_is_wrong_at_its_point_is_found_and_kept():
    found = imported(changed("vtrap = y*(1 - x/y/2)", "vtrap = 3*y"))
    assert "the file's guard gives 30, the limit is 10" in " ".join(found.plan.meaning.findings)


def test_what_initial_uses_before_it_is_set_is_found():
    found = imported(changed("INITIAL { rates(v) n = ninf }", "INITIAL { n = ninf }")).plan.meaning.findings
    assert "INITIAL uses ninf, which nothing has set by then" in " ".join(found)


def test_names_of_ours_are_not_taken_by_the_files():
    cls = imported(KV.replace("vh", "replace").replace("ninf", "slope")).cls
    assert cls.gates == ("n",)
    assert {"g_max", "replace_", "q"} == set(cls.parameters)


def test_a_suffix_that_no_plugin_reads_is_named(tmp_path: Path):
    path = tmp_path / "x.ode"
    path.write_text("")
    with pytest.raises(ch.ModelError, match=r"no installed plugin reads channels from '\.ode'"):
        ch.load_channel(path)
    with pytest.raises(ch.ModelError, match="there is no file"):
        ch.load_channel(tmp_path / "absent.mod")


def test_a_scheme_that_starts_in_one_state_starts_there():
    text = (MODS / "scheme.mod").read_text(encoding="utf-8")
    cls = imported(changed("SOLVE kin STEADYSTATE sparse", "c1 = 1 c2 = 0 c3 = 0 o = 0 i = 0", text)).cls
    assert cls.variables == ("c1", "c2", "c3", "o", "i")
    start = cls().steady_state({"V": jnp.asarray([-70.0]), "celsius": None})
    assert {name: float(x[0]) for name, x in start.items()} == {"c1": 1.0, "c2": 0.0, "c3": 0.0, "o": 0.0, "i": 0.0}


def test_a_guard_may_be_as_wide_as_a_parameter_says():
    text = changed("q = 3", "q = 3 near = 1e-6", changed("< 1e-6", "< near"))
    assert imported(text).plan.methods[0].returns == "rates"
    assert "near" not in imported(text).cls.parameters
