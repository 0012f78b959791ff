"""What is made of a file is the same each time: in every process, after other files, and in the precision that its numbers need."""

from pathlib import Path

import numpy as np
from channelome_nmodl import golden
from channelome_nmodl.clamped import jumps
from channelome_nmodl.load import load_all, understood
from channelome_nmodl.text import source

MODS = Path(__file__).parent / "mods"
NAMES = "zeta alpha omega beta psi gamma phi"


def test_states_that_are_stepped_by_hand_stand_in_the_order_of_the_file():
    each = NAMES.split()
    steps = " ".join(f"{name} = {name} + (1 - exp(-dt/{i + 2}))*(inf - {name})" for i, name in enumerate(each))
    text = (
        "NEURON { SUFFIX many USEION k READ ek WRITE ik }\n"
        f"ASSIGNED {{ v (mV) ek (mV) ik (mA/cm2) inf dt (ms) }} STATE {{ {NAMES} }}\n"
        f"BREAKPOINT {{ SOLVE states ik = 1e-3*{'*'.join(each)}*(v - ek) }}\n"
        "INITIAL { inf = 1/(1 + exp(-v/9)) " + " ".join(f"{name} = inf" for name in each) + " }\n"
        f"PROCEDURE states() {{ inf = 1/(1 + exp(-v/9)) {steps} }}"
    )
    (made,) = understood(source(text, "many.mod"), None)
    assert tuple(made.cls.gates) == tuple(each)  # one order of 5,040: no set's


def test_golden_data_do_not_depend_on_what_was_read_since():
    first = load_all(MODS / "kv.mod")[0].plan
    before = golden.cases(first)
    load_all(MODS / "several.mod")
    assert golden.cases(first) == before
    assert "rtol" not in before[0]  # its gates are alone, which is seen of an older file as well


def test_golden_data_of_states_of_the_size_of_a_pump_are_right():
    text = (
        "NEURON { SUFFIX small USEION ca READ cai WRITE ica }\n"
        "PARAMETER { total = 1e-11 k1 = 4 k2 = 0.2 k3 = 0.7 }\n"
        "ASSIGNED { v (mV) cai (mM) ica (mA/cm2) } STATE { free bound }\n"
        "BREAKPOINT { SOLVE turn METHOD sparse ica = 1e9*k3*bound }\n"
        "INITIAL { free = total bound = 0 }\n"
        "KINETIC turn { ~ free <-> bound (k1*(1 + exp(v/20)), k2)  ~ bound <-> free (k3, 0) }"
    )
    (made,) = understood(source(text, "small.mod"), None)
    (case,) = golden.cases(made.plan)
    mine = np.asarray(case["current"])
    pulse, t = np.asarray(case["pulses"])[None, :], np.asarray(case["t"])[:, None]
    opens, speed = 4 * (1 + np.exp(pulse / 20)), 4 * (1 + np.exp(pulse / 20)) + 0.9
    exact = 1e3 * 1e9 * 0.7 * 1e-11 * opens / speed * (1 - np.exp(-speed * t))
    np.testing.assert_allclose(mine, exact, rtol=1e-8)
    np.testing.assert_allclose(jumps(made.cls()).currents.T, exact, rtol=1e-8)
