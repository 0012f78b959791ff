"""On which cells, with which mechanisms and currents, we are compared with NEURON. Plain data, which knows neither NEURON nor channelome.

`reference/make_neuron_cables.py` builds each case in NEURON, `reference/test_neuron_cables.py` here. Cells are cut into compartments of equal
length within a branch, as few as keep each no longer than LONGEST. Names are ours: NEURON's ``apic`` is ``apical``.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

LONGEST = 20.0
"""um."""
RA, C, V0, THRESHOLD = 100.0, 1.0, -65.0, 0.0
"""ohm cm, uF/cm^2, mV; a spike is where V passes THRESHOLD (mV) upwards."""
INTERVAL, DURATION, DT = 0.1, 60.0, 0.025
"""ms: of the samples, of a run, and the step at which NEURON is compared with its own converged run."""


@dataclass(frozen=True)
class Cell:
    """A morphology and what is done to it.

    Attributes:
        places: the soma and three dendrites; each the middle of a compartment.
        current: nA, by the first word of a set's name.
        roles: which of its types play the parts that sets of mechanisms speak of, where not those of the same name.
    """

    places: tuple[str, ...]
    current: Mapping[str, float]
    roles: Mapping[str, str | None] = field(default_factory=dict)

    def region(self, roles: tuple[str, ...]) -> tuple[str, ...]:
        """The types of this cell that play these parts."""
        found = [self.roles.get(role, role) for role in roles]
        return tuple(dict.fromkeys(kind for kind in found if kind))


CELLS = {
    "ball_and_stick": Cell(
        ("soma[0](0.5)", "dend[0](0.1)", "dend[0](0.5)", "dend[0](0.98)"),
        {"hh": 0.5, "mixed": 0.1, "passive": 0.05},
        {"axon": None, "apical": "dend"},
    ),
    "pyramidal": Cell(
        ("soma[0](0.5)", "dend[18](0.5)", "apical[11](0.5)", "apical[20](0.5)"),
        {"hh": 1.0, "mixed": 0.25, "passive": 0.05},
    ),
    "ca1_n120": Cell(
        ("soma[0](0.5)", "dend[22](0.5)", "apical[2](0.5)", "apical[15](0.5)"),
        {"hh": 1.5, "mixed": 0.3, "passive": 0.05},
        {"axon": None},
    ),
    "allen_485574832": Cell(
        ("soma[0](0.5)", "dend[36](0.5)", "apical[17](0.5)", "apical[40](0.5)"),
        {"hh": 1.0, "mixed": 0.1, "passive": 0.02},
    ),
}
"""`pyramidal` is the cell of ``ch.Morphology.example()``. The last two are not ours to ship: of them only what NEURON computed is here."""

BALL_AND_STICK = {"soma": 20.0, "length": 500.0, "diameter": 2.0}
"""um."""


@dataclass(frozen=True)
class Mechanism:
    """A channel or ion by its name here, with the parameters that are given, in mS/cm^2, mV, ms, um; `where` are parts, () everywhere.

    Attributes:
        growth: um: where given, `g_max` is the value at the soma and grows e-fold on this way from there.
    """

    label: str
    name: str
    values: Mapping[str, float]
    where: tuple[str, ...] = ()
    growth: float | None = None


UNITS = {"g_max": "mS/cm^2", "E": "mV", "d": "um", "tau": "ms"}
AXON, DENDRITES, CALCIUM = ("soma", "axon"), ("dend", "apical"), ("soma", "apical")
IONS = [Mechanism("na", "SodiumFixed", {"E": 50.0}), Mechanism("k", "PotassiumFixed", {"E": -77.0})]


@dataclass(frozen=True)
class Mixture:
    """A set of mechanisms, its temperature in degC, and from when to when (ms) the current flows into which of a cell's places."""

    celsius: float
    start: float
    stop: float
    mechanisms: tuple[Mechanism, ...]
    at: int = 0


LEAK = Mechanism("IL", "IL", {"g_max": 0.1, "E": -65.0})
SETS = {
    "hh": Mixture(
        6.3, 1.0, 45.0137,
        (*IONS, Mechanism("INa", "INa_HH1952", {"g_max": 120.0}), Mechanism("IK", "IK_HH1952", {"g_max": 36.0}),
         Mechanism("IL", "IL", {"g_max": 0.3, "E": -54.387})),
    ),
    "mixed": Mixture(
        36.0, 1.0137, 18.0,
        (*IONS, Mechanism("ca", "CalciumDetailed", {"d": 0.2, "tau": 50.0}, CALCIUM),
         Mechanism("INa", "INa_TM1991", {"g_max": 400.0}, AXON), Mechanism("INa_dend", "INa_TM1991", {"g_max": 3.0}, DENDRITES),
         Mechanism("IK", "IK_TM1991", {"g_max": 100.0}, AXON), Mechanism("IK_dend", "IK_TM1991", {"g_max": 3.0}, DENDRITES),
         Mechanism("ICa", "ICaHT_Re1993", {"g_max": 0.2}, CALCIUM), Mechanism("IAHP", "IAHP_De1994", {"g_max": 30.0}, CALCIUM),
         Mechanism("Ih", "Ih_HM1992", {"g_max": 0.02, "E": -43.0}, ("apical",), growth=300.0),
         Mechanism("IL", "IL", {"g_max": 0.1, "E": -70.0})),
    ),
    "passive": Mixture(6.3, 1.0, 45.0137, (LEAK,)),
    "passive, from a dendrite": Mixture(6.3, 1.0, 45.0137, (LEAK,), at=3),
}  # fmt: skip
"""Edges of the current lie on no multiple of a step: one of each set at least."""

AROUND = (2.0, 4.0)
"""ms before and after a spike that do not count as away from spikes."""


def away(t: np.ndarray, spikes: Iterable[float]) -> np.ndarray:
    """Which of the times lie away from all spikes."""
    far = np.ones(len(t), bool)
    for spike in spikes:
        far &= (t < spike - AROUND[0]) | (t > spike + AROUND[1])
    return far


def upward(t: np.ndarray, V: np.ndarray) -> np.ndarray:
    """When V passes THRESHOLD upwards, on straight lines between samples."""
    k = np.flatnonzero((V[:-1] < THRESHOLD) & (V[1:] >= THRESHOLD))
    return t[k] + (t[k + 1] - t[k]) * (THRESHOLD - V[k]) / (V[k + 1] - V[k])


RALLPACK = {
    "length": 1000.0, "diameter": 1.0, "compartments": 1000, "Ra": 100.0, "C": 1.0, "leak": 0.025, "rest": -65.0, "current": 0.1,
    "duration": 250.0,
}  # fmt: skip
"""The cable of Rallpacks 1 and 3 (Bhalla, Bilitch & Bower 1992, doi:10.1016/0166-2236(92)90009-W), in um, ohm cm, uF/cm^2, mS/cm^2, mV, nA, ms.

The current flows into the first compartment from 0 ms on; V is read in the first and the last. Rallpack 3 adds the channels of hh1952 to
its leak, which keeps its conductance and its potential.
"""
RALLPACK_TREE = {"levels": 10, "diameter": 16.0, "length": 32.0}
"""Rallpack 2: each branch, one compartment, ends in two of its diameter over 2^(2/3) and its length over 2^(1/3), 1,023 in all; the rest as above."""
