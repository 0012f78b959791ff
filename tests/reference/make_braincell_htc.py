"""The HTC cell of braincell's documentation (examples/thalamic_neurons): writes braincell_htc.json beside itself.

    python tests/reference/make_braincell_htc.py

Needs an interpreter with braincell. `HTC` is put together as documented: gates start at 0, calcium at 2.4e-4 mM, IAHP's beta
is 0.09 /ms, IL has 0.0075 mS/cm^2, and the current of ICaN is counted as calcium. `Corrected` is the cell of the pack
channelome-li2017 in braincell: it starts from its steady state, and its ICaN brings no calcium. All in float64.
"""

import json
from pathlib import Path

import braincell
import brainstate
import braintools
import brainunit as u
import numpy as np

brainstate.environ.set(precision=64)

AREA = 2.9e-4  # cm^2
DURATION, THRESHOLD = 2000.0, 20.0
mS = u.mS / u.cm**2


class HTC(braincell.SingleCompartment):
    """As documented; its input is multiplied by 1e-3 / A."""

    g_L, calcium, ahp = 0.0075, {}, {}

    def __init__(self, size):
        start = braintools.init.Constant(-65.0 * u.mV)
        super().__init__(size, V_initializer=start, V_th=THRESHOLD * u.mV, solver="ind_exp_euler")
        self.factor = 1e-3 / (AREA * u.cm**2)
        self.na = braincell.ion.SodiumFixed(size, E=50.0 * u.mV)
        self.na.add(INa=braincell.channel.Na_Ba2002(size, V_sh=-30 * u.mV))
        self.k = braincell.ion.PotassiumFixed(size, E=-90.0 * u.mV)
        self.k.add(IKL=braincell.channel.K_Leak(size, g_max=0.01 * mS))
        self.k.add(IDR=braincell.channel.KDR_Ba2002(size, V_sh=-30.0 * u.mV, q10=2.0, temp=u.celsius2kelvin(16.0)))
        self.ca = braincell.ion.CalciumDetailed(size, C_rest=5e-5 * u.mM, tau=10.0 * u.ms, d=0.5 * u.um, **self.calcium)
        self.ca.add(ICaL=braincell.channel.CaL_IS2008(size, g_max=0.5 * mS))
        self.add_ican(size)
        self.ca.add(ICaT=braincell.channel.CaT_HM1992(size, g_max=2.1 * mS))
        self.ca.add(ICaHT=braincell.channel.CaHT_HM1992(size, g_max=3.0 * mS))
        self.kca = braincell.MixIons(self.k, self.ca)
        self.kca.add(IAHP=braincell.channel.AHP_De1994(size, g_max=0.3 * mS, **self.ahp))
        self.Ih = braincell.channel.HCN_HM1992(size, g_max=0.01 * mS, E=-43 * u.mV)
        self.IL = braincell.channel.IL(size, g_max=self.g_L * mS, E=-70 * u.mV)

    def add_ican(self, size):
        self.ca.add(ICaN=braincell.channel.CaN_IS2008(size, g_max=0.5 * mS))

    def compute_derivative(self, I_ext=0.0 * u.nA):
        total = self.sum_current_inputs(I_ext, self.V.value) * self.factor
        nodes = self.nodes(braincell.IonChannel, allowed_hierarchy=(1, 1)).values()
        for node in nodes:
            total = total + node.current(self.V.value)
        self.V.derivative = total / self.C
        for node in nodes:
            node.compute_derivative(self.V.value)


class ICaN(braincell.channel.CaN_IS2008):
    """The same current, of which no part is calcium: credited to potassium, whose concentration is fixed, so to none."""

    root_type = brainstate.mixin.JointTypes[braincell.ion.Potassium, braincell.ion.Calcium]
    current_owner_type = braincell.ion.Potassium

    def current(self, V, K, Ca):
        return self.g_max * Ca.Ci / (Ca.Ci + 0.2 * u.mM) * self.p.value * (self.E - V)

    def f_p_inf(self, V, K, Ca):
        return super().f_p_inf(V, Ca)

    def f_p_tau(self, V, K, Ca):
        return super().f_p_tau(V, Ca)


class Corrected(HTC):
    g_L = 0.01
    ahp = {"beta": 0.03}  # noqa: RUF012
    calcium = {"Ci_initializer": braintools.init.Constant(5e-5 * u.mM)}  # noqa: RUF012

    def __init__(self, size):
        super().__init__(size)
        self.kca.add(ICaN=ICaN(size, g_max=0.5 * mS))

    def add_ican(self, size):
        pass


def crossings(t, V):
    """When V passes the threshold upwards, interpolated linearly."""
    k = np.flatnonzero((V[:-1] < THRESHOLD) & (V[1:] >= THRESHOLD))
    return t[k] + (THRESHOLD - V[k]) / (V[k + 1] - V[k]) * (t[k + 1] - t[k])


def run(cell, picoampere, dt):
    brainstate.environ.set(dt=dt * u.ms)
    htc = cell(1)
    htc.init_state()
    if cell is Corrected:
        htc.reset_state()
    times = u.math.arange(round(DURATION / dt)) * brainstate.environ.get_dt()

    def step(t):
        with brainstate.environ.context(t=t):
            htc.update(picoampere * 1e-3 * u.uA)  # 1e-3 / A times uA are nA / A
            return htc.V.value, htc.ca.Ci.value

    V, C = brainstate.transform.jit(lambda: brainstate.transform.for_loop(step, times))()
    V, C = np.asarray(V.to_decimal(u.mV))[:, 0], np.asarray(C.to_decimal(u.mM))[:, 0]
    t = (np.arange(V.size) + 1) * dt  # after update: the state at the end of the step
    return {
        "cell": cell.__name__,
        "stimulus": f"{picoampere:g} pA",
        "dt": dt,
        "spikes": crossings(t, V).round(6).tolist(),
        "calcium_peak": float(C.max()),
        "calcium_end": float(C[-1]),
    }


cells = [(HTC, -30.0), (Corrected, -30.0), (Corrected, -100.0), (Corrected, 100.0)]
cases = [run(*cell, dt) for cell in cells for dt in (0.05, 0.01)]
for case in cases:
    print(*(case[key] for key in ("cell", "stimulus", "dt", "calcium_peak")), len(case["spikes"]), case["spikes"][:4])
rows = ",\n".join(json.dumps(case) for case in cases)
text = f'{{"by": "braincell {braincell.__version__}", "cases": [\n{rows}\n]}}\n'
Path(__file__).with_name("braincell_htc.json").write_text(text, encoding="utf-8")
