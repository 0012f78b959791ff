"""From a synapse to the class that it becomes, and to that of its short-term plasticity.

The weight of a projection is NeuroML's ``gbase`` times its ``weight``.
"""

from channelome.authoring import Release, Synapse
from channelome.formulas import expression as x
from channelome.formulas.expression import Formula
from channelome.formulas.plan import NAMES, Field, Method
from channelome.units import Unit

from .document import Document
from .fields import fields_of
from .lems import Reading
from .meaning import Meaning, Plan
from .text import Element

KINDS = ("expOneSynapse", "alphaSynapse", "expTwoSynapse", "blockingPlasticSynapse")
_REFUSED = {
    "expThreeSynapse": "two conductances of one synapse, each with its own gbase, are no one weight",
    "doubleSynapse": "two synapses in one are two projections here", "stdpSynapse": "weights that spikes change are not followed",
    "alphaCurrentSynapse": "it is a current: use Alpha with a weight in nA", "gapJunction": "it is GapJunction here, without a file",
    "linearGradedSynapse": "a synapse that follows the voltage of its source is not read", "gradedSynapse": "a synapse that follows the voltage of its source is not read",
    "silentSynapse": "it is the other end of a graded one",
}  # fmt: skip
REFUSED = frozenset(_REFUSED)
_DT, _ARRIVED, _SPIKED = "dt@", "arrived@", "spiked@"
_TAKEN = NAMES | {name for one in (Synapse, Release) for name in dir(one) if not name.startswith("__")} | {"s", "E", "V", "dt", "arrived", "spiked"}  # fmt: skip
_PASSED = frozenset(["notes", "annotation", "property"])
_E = 2.7182818284590451


def plan_synapse(document: Document, element: Element) -> list[Plan]:
    """The class of a synapse, and that of its plasticity if it has one.

    Raises:
        NeuroMLError: for a synapse that none here is, with the place and the reason.
    """
    kind = document.kind(element)
    if kind in _REFUSED:
        raise element.refuse(f"{element} is a {kind}: {_REFUSED[kind]}.")
    if kind not in KINDS:
        raise element.refuse(f"the synapse {element} has dynamics of its own, which are not followed.")
    return _Planner(document, element, kind).plans()


class _Planner:
    def __init__(self, document: Document, element: Element, kind: str) -> None:
        self.document, self.element, self.kind = document, element, kind
        self.reading = Reading(document)
        self.reading.note(
            f"gbase = {element.need('gbase')} is not in the class: the weight of a projection is gbase times NeuroML's weight"
        )
        allowed = {"plasticityMechanism", "blockMechanism", *_PASSED} if kind == "blockingPlasticSynapse" else _PASSED
        for child in element.children:
            if child.tag not in allowed:
                raise child.refuse(f"{element} has a {child.tag}, which such a synapse has not.")

    def plans(self) -> list[Plan]:
        synapse = self._synapse()
        plastic = self.element.all("plasticityMechanism")
        if len(plastic) > 1:
            raise plastic[1].refuse(f"{self.element} has {len(plastic)} mechanisms of plasticity; one is followed.")
        return [synapse, *(self._release(one) for one in plastic)]

    # ---- the target's side ----

    def _synapse(self) -> Plan:
        p = self._parameter
        dt, arrived = x.symbol(_DT), x.symbol(_ARRIVED)
        if self.kind == "expOneSynapse":
            g = x.symbol("g")
            flow, received = {"g": self._decayed(g, p("tauDecay"))}, {"g": x.add(g, arrived)}
            conductance = g
        elif self.kind == "alphaSynapse":
            g, a, tau = x.symbol("g"), x.symbol("A"), p("tau")
            grown = x.add(g, x.div(x.mul(x.mul(x.number(_E), a), dt), tau))
            flow, received = (
                {"g": self._decayed(grown, tau), "A": self._decayed(a, tau)},
                {"g": g, "A": x.add(a, arrived)},
            )
            conductance = g
        else:
            a, b = x.symbol("A"), x.symbol("B")
            sent = x.mul(arrived, self._factor())
            flow = {"A": self._decayed(a, p("tauRise")), "B": self._decayed(b, p("tauDecay"))}
            received, conductance = {"A": x.add(a, sent), "B": x.add(b, sent)}, x.sub(b, a)
        for block in self.element.all("blockMechanism"):
            conductance = x.mul(conductance, self._block(block))
        made = self._plan(Synapse)
        keys = tuple(flow)
        made.keywords["states"] = keys
        made.symbols = {_DT: "dt", _ARRIVED: "arrived", "v": "V", **{key: f's["{key}"]' for key in keys}}
        made.methods = [
            Method("flow", ("s", "dt"), "table", tuple(flow.values()), keys),
            Method("receive", ("s", "arrived"), "table", tuple(received.values()), keys),
            Method("conductance", ("s", "V"), "value", (conductance,)),
        ]
        self.reading.parameter(self.element, "erev", "voltage", "E")
        own = self.reading.quantities["E"]
        made.fields = [Field("E", own, Unit.parse("mV"), own.value)]
        made.fields += fields_of(made.methods, self.reading.quantities, made.symbols, _TAKEN)
        return made

    def _parameter(self, name: str) -> Formula:
        return self.reading.parameter(self.element, name, "time", name).formula

    def _decayed(self, f: Formula, tau: Formula) -> Formula:
        return x.mul(f, x.call("exp", x.neg(x.div(x.symbol(_DT), tau))))

    def _factor(self) -> Formula:
        """What makes the peak of the difference of two exponentials 1."""
        rise, decay = self._parameter("tauRise"), self._parameter("tauDecay")
        values = self.reading.defaults
        if not 0 < values["tauRise"] < values["tauDecay"]:
            raise self.element.refuse(
                f"{self.element} rises slower than it decays, or at once: 0 < tauRise < tauDecay is read."
            )
        peak = x.div(x.mul(x.call("log", x.div(decay, rise)), x.mul(rise, decay)), x.sub(decay, rise))
        self.reading.names[peak] = "peakTime"
        up, down = (x.call("exp", x.neg(x.div(peak, tau))) for tau in (rise, decay))
        found = x.div(x.number(1), x.sub(down, up))
        self.reading.names[found] = "waveformFactor"
        return found

    def _block(self, element: Element) -> Formula:
        if self.document.kind(element) != "voltageConcDepBlockMechanism":
            raise element.refuse(f"the block is a {self.document.kind(element)[:60]}, which is not known.")
        kinds = {"blockConcentration": "concentration", "scalingConc": "concentration", "scalingVolt": "voltage"}
        p = {name: self.reading.parameter(element, name, kind, name).formula for name, kind in kinds.items()}
        share = x.mul(
            x.div(p["blockConcentration"], p["scalingConc"]),
            x.call("exp", x.neg(x.div(x.symbol("v"), p["scalingVolt"]))),
        )
        return x.div(x.number(1), x.add(x.number(1), share))

    # ---- the source's side ----

    def _release(self, element: Element) -> Plan:
        """Tsodyks and Markram's: resources R that recover, a share U that is released and may grow with each spike."""
        kind = self.document.kind(element)
        if kind not in ("tsodyksMarkramDepMechanism", "tsodyksMarkramDepFacMechanism"):
            raise element.refuse(f"the plasticity is a {kind[:60]}, which is not known.")
        reading = Reading(self.document)
        share = reading.parameter(element, "initReleaseProb", "none", "initReleaseProb").formula
        one, dt, spiked = x.number(1), x.symbol(_DT), x.compare(">", x.symbol(_SPIKED), x.number(0))

        def recovered(state: str, rest: Formula, tau: str) -> Formula:
            own = reading.parameter(element, tau, "time", tau).formula
            return x.add(rest, x.mul(x.sub(x.symbol(state), rest), x.call("exp", x.neg(x.div(dt, own)))))

        R = x.symbol("R")
        facilitates = kind == "tsodyksMarkramDepFacMechanism"
        U = x.symbol("U") if facilitates else share
        flow = {"R": recovered("R", one, "tauRec")}
        after = {"R": x.where(spiked, x.mul(R, x.sub(one, U)), R)}
        rest = {"R": 1.0}
        if facilitates:
            flow["U"] = recovered("U", share, "tauFac")
            after["U"] = x.where(spiked, x.add(U, x.mul(share, x.sub(one, U))), U)
            rest["U"] = reading.defaults["initReleaseProb"]
            reading.note(
                "U starts from initReleaseProb as the file has it, also where the field is given another value"
            )
        made = self._plan(Release)
        made.meaning.notes, made.meaning.quantities = reading.notes, reading.quantities
        keys = tuple(flow)
        made.words["states"] = rest
        made.symbols = {_DT: "dt", _SPIKED: "spiked", **{key: f's["{key}"]' for key in keys}}
        made.methods = [
            Method("flow", ("s", "dt"), "table", tuple(flow.values()), keys),
            Method("release", ("s", "spiked"), "sent", (*after.values(), x.mul(R, U)), keys),
        ]
        made.fields = fields_of(made.methods, reading.quantities, made.symbols, _TAKEN)
        return made

    def _plan(self, base: type[Synapse] | type[Release]) -> Plan:
        meaning = Meaning(self.element.id, self.document.name.rpartition("/")[2], self.kind, self.element.place)
        meaning.quantities, meaning.names, meaning.notes = (
            self.reading.quantities,
            self.reading.names,
            self.reading.notes,
        )
        return Plan(meaning, base, None, ())
