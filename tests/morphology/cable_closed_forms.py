"""Closed forms of the cable equation, written from the equation; test_cable_closed_forms.py holds them against SciPy.

Along a cable of radius r(x) with membrane conductance g and capacitance C, fed with a current I at one place,

    d/dx (pi r^2 / Ra dV/dx) = 2 pi r sqrt(1 + r'^2) (g V + C dV/dt).

V is the deflection from rest. Lengths are in um, Ra in ohm cm, g in mS/cm^2, C in uF/cm^2, I in nA, V in mV, times in ms. Sources of
the solutions: Rall (1959), doi:10.1016/0014-4886(59)90046-9; Jack, Noble & Tsien (1975), Electric Current Flow in Excitable Cells.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import erfc, ive, kve


@dataclass(frozen=True)
class Cable:
    """A cylinder."""

    diameter: float
    Ra: float
    g: float
    C: float = 1.0

    @property
    def length_constant(self) -> float:
        """um."""
        return 1e4 * float(np.sqrt(1e-4 * self.diameter / (4 * self.Ra * 1e-3 * self.g)))

    @property
    def time_constant(self) -> float:
        """ms."""
        return self.C / self.g

    @property
    def resistance(self) -> float:
        """Mohm: input resistance of the cable that begins here and never ends."""
        return 0.01 * self.Ra / (np.pi * self.diameter**2 / 4) * self.length_constant

    def semi_infinite(self, x: np.ndarray, I: float) -> np.ndarray:
        """V at rest under I into its one end, x = 0."""
        return I * self.resistance * np.exp(-x / self.length_constant)

    def infinite(self, x: np.ndarray, I: float) -> np.ndarray:
        """V at rest, at the way x from where I enters a cable without ends."""
        return self.semi_infinite(np.abs(x), I / 2)

    def sealed(self, x: np.ndarray, I: float, length: float, at: float = 0.0) -> np.ndarray:
        """V at rest under I into the place `at` of a cable through whose ends nothing flows."""
        near, far = (end / self.length_constant for end in (np.minimum(x, at), length - np.maximum(x, at)))
        return I * self.resistance * np.cosh(near) * np.cosh(far) / np.sinh(length / self.length_constant)

    def killed(self, x: np.ndarray, I: float, length: float) -> np.ndarray:
        """V at rest under I into the end x = 0, with V = 0 at the other."""
        return (
            I * self.resistance * np.sinh((length - x) / self.length_constant) / np.cosh(length / self.length_constant)
        )

    def step_infinite(self, x: np.ndarray, t: np.ndarray, I: float) -> np.ndarray:
        """V at times t > 0 after I begins, at the way x from where it enters a cable without ends."""
        X, root = np.abs(x) / self.length_constant, np.sqrt(t / self.time_constant)
        late = np.exp(-X) * erfc(X / (2 * root) - root) - np.exp(X) * erfc(X / (2 * root) + root)
        return I * self.resistance / 4 * late

    def step_sealed(self, x: float, t: np.ndarray, I: float, length: float, at: float = 0.0) -> np.ndarray:
        """V of one place at times t > 0, shape (n,), after I begins to flow into the place `at` of a sealed cable.

        What is missing from the steady state is a sum of cosines, of which those are taken that are not below 1e-16 at the first time.
        """
        n = np.arange(2 + int(length / (np.pi * self.length_constant) * np.sqrt(37 * self.time_constant / np.min(t))))
        rate = 1 + (n * np.pi * self.length_constant / length) ** 2
        weight = np.where(n == 0, 1.0, 2.0) * np.cos(n * np.pi * x / length) * np.cos(n * np.pi * at / length) / rate
        missing = np.exp(-np.multiply.outer(t, rate) / self.time_constant) @ weight
        steady = self.sealed(np.array(x), I, length, at)
        return steady - I * self.resistance * self.length_constant / length * missing


@dataclass(frozen=True)
class Cone:
    """A cable that tapers evenly from one diameter to another, its membrane the slanted side; the far end is sealed."""

    diameters: tuple[float, float]
    length: float
    Ra: float
    g: float

    def steady(self, x: np.ndarray, I: float) -> np.ndarray:
        """V at rest under I into the end x = 0.

        Over the radius u = r(x) = r(0) + k x the equation is ``u V'' + 2 V' = b V`` with ``b = 2 Ra g sqrt(1 + k^2) / k^2``, which
        ``I_1(z) / sqrt(u)`` and ``K_1(z) / sqrt(u)`` solve, ``z = 2 sqrt(b u)``. Their slopes are ``sqrt(b) / u`` times I_2 and -K_2.
        """
        begin, end = (d / 2 for d in self.diameters)
        k = (end - begin) / self.length
        b = 2 * self.Ra * self.g * 1e-7 * np.hypot(1, k) / k**2
        last = 2 * np.sqrt(b * end)

        def solution(u: np.ndarray, order: int, sign: float) -> np.ndarray:
            z = 2 * np.sqrt(b * u)
            grown = kve(2, last) * ive(order, z) * np.exp(z - last)
            return grown + sign * ive(2, last) * kve(order, z) * np.exp(last - z)

        first = np.array(begin)
        flow = -np.pi * begin**2 / (0.01 * self.Ra) * k * np.sqrt(b) / begin * solution(first, 2, -1.0)
        u = begin + k * x
        return I / flow * solution(u, 1, 1.0) / np.sqrt(u)
