"""The HTC cell of BrainPy's tutorial on conductance-based neurons: writes brainpy_htc.json beside itself.

    python tests/reference/make_brainpy_htc.py

Needs an interpreter with BrainPy. `HTC` is put together as in the tutorial (build_conductance_neurons_v2), nothing corrected:
gates start at 0, calcium at 2.4e-4 mM, IAHP has BrainPy's default of 10 mS/cm^2, and ``update`` multiplies the input by
1e-3 / A although the tutorial has divided it by A before. So its "-30 pA" are -103.4 pA; the cell is also run with -30 pA.
`Corrected` is the cell of the pack channelome-li2017 in BrainPy. All in float64.
"""

import json
from pathlib import Path

import brainpy as bp
import brainpy.math as bm
import numpy as np

bm.enable_x64()
bm.set_platform("cpu")

AREA = 2.9e-4  # cm^2
DURATION, THRESHOLD = 2000.0, 20.0
EVERY = 5.0  # ms between the samples kept


class HTC(bp.dyn.CondNeuGroupLTC):
    """As the tutorial writes it."""

    shell, start, ahp = bp.dyn.CalciumDetailed, 2.4e-4, {}

    def __init__(self, size):
        super().__init__(size, A=AREA, V_initializer=bp.init.OneInit(-65.0), V_th=THRESHOLD)
        self.IL = bp.dyn.IL(size, g_max=0.01, E=-70.0)
        self.INa = bp.dyn.INa_Ba2002(size, V_sh=-30)
        self.Ih = bp.dyn.Ih_HM1992(size, g_max=0.01, E=-43)
        self.Ca = self.shell(size, C_rest=5e-5, tau=10.0, d=0.5, C_initializer=bp.init.OneInit(self.start))
        self.Ca.add_elem(bp.dyn.ICaL_IS2008(size, g_max=0.5))
        self.Ca.add_elem(bp.dyn.ICaN_IS2008(size, g_max=0.5))
        self.Ca.add_elem(bp.dyn.ICaT_HM1992(size, g_max=2.1))
        self.Ca.add_elem(bp.dyn.ICaHT_HM1992(size, g_max=3.0))
        self.K = bp.dyn.PotassiumFixed(size, E=-90.0)
        self.K.add_elem(bp.dyn.IKDR_Ba2002v2(size, V_sh=-30.0, phi=0.25))
        self.K.add_elem(bp.dyn.IK_Leak(size, g_max=0.01))
        self.KCa = bp.dyn.MixIons(self.K, self.Ca)
        self.KCa.add_elem(bp.dyn.IAHP_De1994v2(size, **self.ahp))


class Shell(bp.dyn.CalciumDetailed):
    """Calcium rises: BrainPy's currents are inward positive. 10 / (2 F d) with F in C/mol; ICaN and IAHP bring none."""

    def derivative(self, C, t, V):
        nodes = self.nodes(level=1, include_self=False).unique().subset(bp.dyn.CalciumChannel).values()
        inward = sum(n.current(V, C, self.E) for n in nodes if not isinstance(n, bp.dyn.ICaN_IS2008))
        return bm.maximum(10 * inward / (2 * 96485.33212 * self.d), 0.0) + (self.C_rest - C) / self.tau


class Corrected(HTC):
    """And IAHP as in the paper, calcium from its resting value; `run` resets the gates to their steady state."""

    shell, start, ahp = Shell, 5e-5, {"g_max": 0.3, "beta": 0.03}


def crossings(t, V):
    """When V passes the threshold upwards, interpolated linearly."""
    k = np.flatnonzero((V[:-1] < THRESHOLD) & (V[1:] >= THRESHOLD))
    return t[k] + (THRESHOLD - V[k]) / (V[k + 1] - V[k]) * (t[k + 1] - t[k])


def run(cell, picoampere, given, dt):
    """`given` is what reaches ``update``, which multiplies it by 1e-3 / A; `picoampere` what that is."""
    with bm.environment(dt=dt):
        htc = cell(1)
        if cell is Corrected:
            htc.reset_state()
        runner = bp.DSRunner(htc, monitors={"V": htc.V, "C": htc.Ca.C}, dt=dt, progress_bar=False)
        runner.run(inputs=np.full(round(DURATION / dt), given))
    t = np.asarray(runner.mon.ts) + dt  # BrainPy's ts[k] is when step k begins, what it monitors is its end
    V, C = (np.asarray(runner.mon[name])[:, 0] for name in ("V", "C"))
    keep = slice(round(EVERY / dt) - 1, None, round(EVERY / dt))
    return {
        "cell": cell.__name__,
        "stimulus": f"{picoampere:.10g} pA",
        "dt": dt,
        "spikes": crossings(t, V).round(6).tolist(),
        "every": EVERY,
        "V": V[keep].round(4).tolist(),
        "calcium_first": float(C[0]),
        "calcium_peak": float(C.max()),
        "calcium_end": float(C[-1]),
    }


def given(picoampere):
    """What ``update`` must get for this current."""
    return picoampere * 1e-6 / 1e-3


tutorial = -30 / 1e3 / AREA * 1e-3
cells = [(HTC, tutorial / given(1), tutorial), (HTC, -30.0, given(-30)), (Corrected, -100.0, given(-100))]
cases = [run(*cell, dt) for cell in cells for dt in (0.1, 0.05, 0.01)]
for case in cases:
    print(*(case[key] for key in ("cell", "stimulus", "dt", "calcium_peak")), len(case["spikes"]), case["spikes"][:4])
rows = ",\n".join(json.dumps(case) for case in cases)
text = f'{{"by": "BrainPy {bp.__version__}", "cases": [\n{rows}\n]}}\n'
Path(__file__).with_name("brainpy_htc.json").write_text(text, encoding="utf-8")
