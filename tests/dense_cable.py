"""The equations of a cell of compartments as SciPy solves them: dense, to tight tolerance, nothing of the engine in it."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp
from scipy.linalg import block_diag

import channelome as ch

MORPH = (
    ch.Morphology.soma("20 um")
    .branch("dend", length="200 um", diameter="2 um")
    .branch("apical", length="300 um", diameter=("4 um", "2 um"))
    .branch("apical", length="200 um", diameter="1 um", at="apical[0](1)")
    .branch("apical", length="250 um", diameter="0.6 um", at="apical[0](1)")
)
"""Two dendrites, of which one tapers and forks."""
SQUID = {
    "INa": "INa_HH1952", "IK": "IK_HH1952", "IL": ch.channel("IL", g_max="0.3 mS/cm^2", E="-54.387 mV"), "celsius": 6.3,
}  # fmt: skip
IONS = ("SodiumFixed", ch.ion("PotassiumFixed", E="-77 mV"))


def conductances(compartments: ch.Compartments, Ra: Any = 100.0) -> np.ndarray:
    """Shape (n, n), uS: between compartments, junctions eliminated exactly (star to mesh)."""
    n, m = len(compartments), len(compartments.parent)
    K = np.zeros((m, m))
    g = 1 / compartments.axial_resistance(Ra)[1:]
    for i, (p, each) in enumerate(zip(compartments.parent[1:], g, strict=True), 1):
        K[i, i] += each
        K[p, p] += each
        K[i, p] -= each
        K[p, i] -= each
    inner, outer = K[:n, :n], K[:n, n:]
    return inner - outer @ np.linalg.solve(K[n:, n:], outer.T) if m > n else inner


def joined(cells: Sequence[np.ndarray], junctions: Sequence[tuple[int, int, float]]) -> np.ndarray:
    """Shape (n, n), uS: cells side by side, and junctions between compartments by their numbers among all of them."""
    K = block_diag(*cells)
    for i, j, g in junctions:
        K[[i, j], [i, j]] += g
        K[[i, j], [j, i]] -= g
    return K


def membrane(V: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rates of m, h, n of the squid axon at rest -65 mV, 6.3 degC (Hodgkin & Huxley 1952, doi:10.1113/jphysiol.1952.sp004764)."""

    def linoid(x: np.ndarray) -> np.ndarray:
        return np.where(np.abs(x) < 1e-7, 1.0, x / -np.expm1(-np.where(np.abs(x) < 1e-7, 1.0, x)))

    a = [linoid((V + 40) / 10), 0.07 * np.exp(-(V + 65) / 20), 0.1 * linoid((V + 55) / 10)]
    b = [4 * np.exp(-(V + 65) / 18), 1 / (1 + np.exp(-(V + 35) / 10)), 0.125 * np.exp(-(V + 65) / 80)]
    return np.array(a), np.array(b)


def squid(
    compartments: ch.Compartments, t: np.ndarray, nA: Callable[[float], np.ndarray], edges: tuple[float, ...] = ()
) -> np.ndarray:
    """Shape (times, n), mV: a cell with the squid's channels everywhere, from rest at -65 mV under currents by compartment."""
    return squids(conductances(compartments), compartments.area * 1e-5, t, nA, edges)


def squids(
    K: np.ndarray, area: np.ndarray, t: np.ndarray, nA: Callable[[float], np.ndarray], edges: tuple[float, ...] = ()
) -> np.ndarray:
    """The same of any number of cells, by the conductances between all their compartments (uS), and areas in 1e-5 um^2."""
    n = len(area)

    def slope(now: float, y: np.ndarray) -> np.ndarray:
        V, x = y[:n], y[n:].reshape(3, n)
        a, b = membrane(V)
        m, h, k = x
        I = 120 * m**3 * h * (V - 50) + 36 * k**4 * (V + 77) + 0.3 * (V + 54.387)
        return np.concatenate([(nA(now) - area * I - K @ V) / area, (a - (a + b) * x).ravel()])

    V0 = np.full(n, -65.0)
    a, b = membrane(V0)
    y, found, begin = np.concatenate([V0, (a / (a + b)).ravel()]), [], t[0]
    for end in (*edges, t[-1] + 1e-9):
        inside = t[(t >= begin) & (t < end)]
        out = solve_ivp(slope, (begin, end), y, "LSODA", t_eval=[*inside, end], rtol=1e-9, atol=1e-9)
        found.append(out.y[:n, :-1].T)
        y, begin = out.y[:, -1], end
    return np.concatenate(found)


def crossing(t: np.ndarray, V: np.ndarray, threshold: float = 0.0) -> np.ndarray:
    """Times at which V crosses upward, by lines between samples."""
    up = np.flatnonzero((V[:-1] < threshold) & (V[1:] >= threshold))
    return t[up] + (threshold - V[up]) / (V[up + 1] - V[up]) * (t[up + 1] - t[up])


def held_squid(
    compartments: ch.Compartments, k: int, t: np.ndarray, V: Callable[[Any], Any], edges: tuple[float, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """As `squid`, of a cell whose compartment `k` is at ``V(t)``, with kinks or jumps at the edges: V, and the current that this takes in nA.

    Where V jumps the charge of the jump is left out; V is taken after it.
    """
    n = len(compartments)
    K, area = conductances(compartments), compartments.area * 1e-5

    def parts(now: float, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        here, x = y[:n].copy(), y[n:].reshape(3, n)
        here[k] = V(now)
        a, b = membrane(here)
        m, h, g = x
        I = 120 * m**3 * h * (here - 50) + 36 * g**4 * (here + 77) + 0.3 * (here + 54.387)
        return here, area * I + K @ here, (a - (a + b) * x).ravel()

    def slope(now: float, y: np.ndarray) -> np.ndarray:
        _, out, gates = parts(now, y)
        dV = -out / area
        dV[k] = 0
        return np.concatenate([dV, gates])

    start = np.full(n, -65.0)
    a, b = membrane(start)
    y, found, begin = np.concatenate([start, (a / (a + b)).ravel()]), [], t[0]
    for end in (*edges, t[-1] + 1e-6):
        inside = t[(t >= begin - 1e-9) & (t < end - 1e-9)]

        # V is taken inside the piece, so that no step looks beyond its edge
        def inner(now: float, y: np.ndarray, first: float = begin, last: float = end) -> np.ndarray:
            return slope(min(max(now, first + 1e-9), last - 1e-9), y)

        out = solve_ivp(inner, (begin, end), y, "LSODA", t_eval=[*np.maximum(inside, begin), end], rtol=1e-9, atol=1e-9)
        for now, row in zip(inside, out.y[:, :-1].T, strict=True):
            here, flows, _ = parts(now + 1e-9, row)
            moves = (V(now + 1e-6) - V(now - 1e-6)) / 2e-6
            found.append((here, flows[k] + area[k] * moves))
        y, begin = out.y[:, -1], end
    return np.array([x for x, _ in found]), np.array([x for _, x in found])
