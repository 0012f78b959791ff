"""A cell of imported channels beside the same cell of channels written by hand: whole calls of `simulate`, in turn, on one core.

    python benchmarks/imported.py [ROUNDS]

The hand-written ones are INa_TM1991 and IK_TM1991 of their pack; the imported ones are read from the same equations as people write
them in NMODL, with ``vtrap``, a PROCEDURE and `minf`, `mtau`.
"""

import sys
import tempfile
from pathlib import Path

import timing

timing.pin()

import numpy as np  # noqa: E402

import channelome as ch  # noqa: E402

VTRAP = "FUNCTION vtrap(x, y) { if (fabs(x/y) < 1e-6) { vtrap = y*(1 - x/y/2) } else { vtrap = x/(exp(x/y) - 1) } }\n"
NA = """
NEURON { SUFFIX na USEION na READ ena WRITE ina RANGE gbar }
PARAMETER { gbar = 0.1 (S/cm2) vsh = -63 (mV) }
ASSIGNED { v (mV) ena (mV) ina (mA/cm2) minf mtau (ms) hinf htau (ms) }
STATE { m h }
BREAKPOINT { SOLVE states METHOD cnexp ina = gbar*m*m*m*h*(v - ena) }
INITIAL { rates(v) m = minf h = hinf }
DERIVATIVE states { rates(v) m' = (minf - m)/mtau h' = (hinf - h)/htau }
PROCEDURE rates(v (mV)) { LOCAL a, b, u
  u = v - vsh
  a = 0.32*vtrap(13 - u, 4) b = 0.28*vtrap(u - 40, 5) mtau = 1/(a + b) minf = a/(a + b)
  a = 0.128*exp((17 - u)/18) b = 4/(1 + exp((40 - u)/5)) htau = 1/(a + b) hinf = a/(a + b) }
"""
K = """
NEURON { SUFFIX kd USEION k READ ek WRITE ik RANGE gbar }
PARAMETER { gbar = 0.03 (S/cm2) vsh = -63 (mV) }
ASSIGNED { v (mV) ek (mV) ik (mA/cm2) ninf ntau (ms) }
STATE { n }
BREAKPOINT { SOLVE states METHOD cnexp ik = gbar*n^4*(v - ek) }
INITIAL { rates(v) n = ninf }
DERIVATIVE states { rates(v) n' = (ninf - n)/ntau }
PROCEDURE rates(v (mV)) { LOCAL a, b, u
  u = v - vsh
  a = 0.032*vtrap(15 - u, 5) b = 0.5*exp((10 - u)/40) ntau = 1/(a + b) ninf = a/(a + b) }
"""


def cells(size: int) -> dict[str, ch.SingleCompartment]:
    """The cell by hand and the imported one."""
    with tempfile.TemporaryDirectory() as folder:
        made = {}
        for name, text in {"na": NA, "k": K}.items():
            path = Path(folder) / f"{name}.mod"
            path.write_text(text + VTRAP, encoding="ascii")
            made[name] = ch.load_channel(path)()
    ions = (ch.ion("SodiumFixed", E="50 mV"), ch.ion("PotassiumFixed", E="-90 mV"))
    leak = ch.channel("IL", g_max="0.05 mS/cm^2", E="-60 mV")
    by_hand = {
        "INa": ch.channel("INa_TM1991", g_max="100 mS/cm^2", V_sh="-63 mV"),
        "IK": ch.channel("IK_TM1991", g_max="30 mS/cm^2", V_sh="-63 mV"),
    }
    imported = {"INa": made["na"], "IK": made["k"]}
    return {
        name: ch.SingleCompartment(size, *ions, **channels, IL=leak)
        for name, channels in {"by hand": by_hand, "imported": imported}.items()
    }


def main() -> None:
    """Print the time of each and the ratio, for a small and a large population."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    for size, duration in ((1_000, "200 ms"), (100_000, "5 ms")):
        both = cells(size)
        options = {"dt": "0.1 ms", "stimulus": "1.5 uA/cm^2", "record": []}
        ends = [np.asarray(ch.simulate(cell, duration, **options).final.V) for cell in both.values()]
        off = float(np.max(np.abs(ends[0] - ends[1])))

        def whole(cell: ch.SingleCompartment, duration: str = duration, options: dict = options) -> object:
            return ch.simulate(cell, duration, **options).final.V

        runs = {name: timing.timed(lambda cell=cell: whole(cell)) for name, cell in both.items()}
        seconds = timing.interleave(runs, rounds)
        steps = size * float(duration.split()[0]) / 0.1
        least = {name: 1e9 * min(times) / steps for name, times in seconds.items()}
        share = timing.ratio(seconds["imported"], seconds["by hand"])
        said = ", ".join(f"{name} {ns:.2f} ns" for name, ns in least.items())
        print(f"{size} neurons: {said} per neuron and step; ratio {share:.3f}; V differs by {off:.1e} mV at the end")


if __name__ == "__main__":
    main()
