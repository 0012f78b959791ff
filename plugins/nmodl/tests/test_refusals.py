"""What docs/import.md says is refused, line by line: each with a small file, the reason and the line."""

import pytest
from channelome_nmodl.load import understood
from channelome_nmodl.text import NmodlError, source

from channelome.testing import check_channel

CHANNEL = """NEURON {{ SUFFIX it  USEION k READ ek WRITE ik  {neuron} }}
PARAMETER {{ gbar = 0.01 (S/cm2) }}
ASSIGNED {{ v (mV) ek (mV) ik (mA/cm2) old }}
STATE {{ m }}
INITIAL {{ m = minf(v)  {initial} }}
BREAKPOINT {{ {solve}
  ik = {flow} }}
DERIVATIVE s {{ m' = (minf(v) - m)/3 }}
FUNCTION minf(v) {{ minf = {minf} }}
{more}
"""
POOL = """NEURON {{ SUFFIX it  USEION ca READ ica, cai WRITE cai  USEION na READ nai }}
ASSIGNED {{ v ica nai }}
STATE {{ cai }}
INITIAL {{ cai = 1e-4 }}
BREAKPOINT {{ SOLVE s METHOD cnexp {clip} }}
DERIVATIVE s {{
  cai' = -ica*{factor} - cai/20 }}
"""
SYNAPSE = """NEURON {{ POINT_PROCESS it
  {carried} }}
PARAMETER {{ tau = 3 }}
ASSIGNED {{ v i ica }}
STATE {{ g }}
INITIAL {{ g = 0 }}
BREAKPOINT {{ SOLVE s METHOD cnexp  i = g*v }}
DERIVATIVE s {{ g' = -g/tau{moved} }}
{receive}
"""


def channel(**given: str) -> str:
    plain = {
        "neuron": "", "initial": "", "solve": "SOLVE s METHOD cnexp", "flow": "gbar*m*(v - ek)", "minf": "1/(1 + exp(-(v + 40)/9))", "more": "",
    }  # fmt: skip
    return CHANNEL.format(**plain | given)


def pool(**given: str) -> str:
    return POOL.format(**{"clip": "", "factor": "1"} | given)


def synapse(**given: str) -> str:
    plain = {"carried": "NONSPECIFIC_CURRENT i", "moved": "", "receive": "NET_RECEIVE(w) { g = g + w }"}
    return SYNAPSE.format(**plain | given)


REFUSED = {
    "ARTIFICIAL_CELL": ("NEURON {\n ARTIFICIAL_CELL it }\nNET_RECEIVE(w) { net_event(t) }", 2, "is not a channel of the membrane"),
    "POINT_PROCESS without NET_RECEIVE": (synapse(receive=""), 1, "has no NET_RECEIVE"),
    "ELECTRODE_CURRENT": (synapse(carried="ELECTRODE_CURRENT i"), 2, "ELECTRODE_CURRENT i is what no mechanism here has"),
    "POINTER": (channel(neuron="\n POINTER other"), 2, "POINTER other"),
    "VERBATIM": (channel(more="PROCEDURE p() {\nVERBATIM\n x = 3;\nENDVERBATIM\n}", solve="p() SOLVE s METHOD cnexp"), 11, "C code that does something"),
    "random": (channel(minf="scop_random(1)"), 9, "draws random numbers"),
    "FUNCTION_TABLE": (channel(minf="f(v)", more="FUNCTION_TABLE f(v)"), 9, "whose numbers are not in the file"),
    "time": (channel(flow="gbar*m*(v - ek)*t"), 7, r"depends on time itself \(t\)"),
    "dt": (channel(flow="gbar*m*(v - ek)*dt"), 7, r"the length of a step itself \(dt\)"),
    "other currents": (channel(flow="gbar*m*(v - ek)*ina", neuron="\n USEION na READ ina"), 2, "depends on ina, the sum over all channels"),
    "its own among all": (channel(minf="1/(1 + exp(ik))").replace("READ ek", "READ ek, ik"), 1, "depends on ik, the sum over all channels"),
    "pool of v": (pool(factor="v"), 7, "its pool depends on v"),
    "pool of another ion": (pool(factor="nai"), 7, "its pool depends on nai"),
    "set once from v": (channel(initial="\n old = v", flow="gbar*m*(v - ek)*old"), 6, "old is set once, in INITIAL, from v"),
    "remembers": (channel(solve="SOLVE s METHOD cnexp\n old = 0.9*old + v", flow="gbar*m*(v - ek)*old"), 7, "old remembers what it was"),
    "BREAKPOINT sets a concentration": (pool(clip="if (cai < 1e-5) { cai = 1e-5 }"), 5, "BREAKPOINT sets the state cai itself"),
    "BREAKPOINT moves a state": (channel(solve="SOLVE s METHOD cnexp\n m = 0.9*m"), 7, "the state m is moved by more than its equation"),
    "derivative in an if": (channel().replace("s { m'", "s { if (v > 0) {\n m'").replace("/3 }", "/3 } }"), 8, "stands in an if"),
    "NONLINEAR": (channel(more="NONLINEAR q { ~ m*m = 1 }", solve="SOLVE q"), 6, "NONLINEAR equations are not solved"),
    "net_send": (synapse(receive="NET_RECEIVE(w) {\n g = g + w net_send(3, 1) }"), 10, "makes events of its own"),
    "weights change": (synapse(receive="NET_RECEIVE(w) {\n g = g + w\n w = 2*w }"), 9, "weights that spikes change"),
    "synapse of an ion": (synapse(carried="NONSPECIFIC_CURRENT i\n USEION ca WRITE ica"), 3, "carried by no ion"),
    "states move with v": (synapse(moved="*exp(v/20)"), 8, "its states move with v"),
    "Ca": (channel().replace("USEION k READ ek WRITE ik", "\nUSEION Ca READ eCa WRITE iCa").replace("ek", "eCa").replace("ik", "iCa"), 2, "to NEURON another than 'ca'"),
    "INCLUDE": ('\nINCLUDE "../other.inc"\n' + channel(), 2, "INCLUDE"),
    "BEFORE": (channel(more="BEFORE STEP { gbar = 2 }"), 10, "BEFORE or AFTER STEP"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_the_docs_say_is_refused_is_so_with_its_line(what: str):
    text, line, reason = REFUSED[what]
    with pytest.raises(NmodlError, match=rf"^it\.mod, line {line}\b.*{reason}"):
        understood(source(text, "it.mod"), None, {})


@pytest.mark.parametrize("text", [channel(), pool(), synapse(), channel(more="FUNCTION_TABLE f(v)")])
def test_what_they_are_made_from_is_not_refused(text: str):
    assert understood(source(text, "it.mod"), None, {})


def test_a_state_that_breakpoint_holds_within_bounds_is_said():
    (one,) = understood(source(channel(solve="SOLVE s METHOD cnexp if (m > 1) { m = 1 }"), "it.mod"), None, {})
    assert one.plan.meaning.findings == [
        "the state m is set beside its equation: here the current is of what is set, and the state moves on"
    ]


@pytest.mark.parametrize(
    ("spelling", "known"),
    [
        ("x/(exp(x) - 1)", True),
        ("-x/(1 - exp(x))", True),
        ("x*exp(-x)/(1 - exp(-x))", True),
        ("x/tanh(x)", False),
        ("1/((exp(x) - 1)/x)", False),
    ],
)
def test_a_singular_quotient_is_linoid_or_is_found_by_the_kit(spelling: str, known: bool):
    text = channel(minf="f((v + 40.3)/9)/(1 + f((v + 40.3)/9))", more=f"FUNCTION f(x) {{ f = {spelling} }}")
    (one,) = understood(source(text, "it.mod"), None, {})
    finite = [found for found in check_channel(one.cls, level="quick").findings if found.check == "finite"]
    assert ["nan at -40.3 mV" in found.message for found in finite] == [not known]
