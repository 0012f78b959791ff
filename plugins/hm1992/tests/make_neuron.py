"""Golden data of this pack from .mod files that follow its papers: see tests/neuron_data.py for how to run it.

Two of them hold both components of a current, in fixed shares; one is silenced where the other is measured.
"""

from neuron_data import Patch, case, clamp, curves, h, load, mS, write

EK = -95.0


def component(name, patch, source, gates, silent, g_max, **parameters):
    around = {"celsius": h.celsius, "ions": {"PotassiumFixed": {"E": [EK, "mV"]}}}
    around["parameters"] = {"g_max": g_max, **parameters}
    return case(name, source, curves(patch, gates), clamp(patch, silent=silent), **around)


def A_current():
    source = "TC_iA.mod of Amarillo, ModelDB 266989"
    for celsius in (23.0, 35.0):
        found = Patch("TC_iA", current="ik", celsius=celsius, section={"ek": EK})
        phi = 2.8 ** ((celsius - 23) / 10)  # as the file has it
        temperature = {"phi_p": phi, "phi_q": phi}
        plateau = {"V_slow": "-73 mV", "tau_slow": "60 ms"}
        for name, mine, others, share, more in (
            ("IKA1_HM1992", {"p": "m1", "q": "h1"}, ["m2"], 0.6, {}),
            ("IKA2_HM1992", {"p": "m2", "q": "h2"}, ["m1"], 0.4, plateau),
        ):
            yield component(name, found, source, mine, others, mS(found.at.gk_max, share), **temperature, **more)


def K2_current():
    source = "IK2.mod of Dervinis, github.com/dervinism/thalamocortical2"
    for celsius in (22.0, 35.0):
        found = Patch("ik2", current="ik", celsius=celsius, section={"ek": EK}, tables=True)
        phi = 3 ** ((celsius - 22) / 10)  # as the file has it
        more = {"phi_p": phi, "phi_q": phi, "power": 4.0}
        for name, mine, others, share in (
            ("IKK2A_HM1992", {"p": "m", "q": "h1"}, ["h2"], found.at.fact1),
            ("IKK2B_HM1992", {"p": "m", "q": "h2"}, ["h1"], found.at.fact2),
        ):
            yield component(name, found, source, mine, others, mS(found.at.gbar, share), **more)


def h_current():
    found = Patch("Ih", current="ih_Ih", celsius=36.0, tables=True)
    parameters = {"g_max": mS(found.at.gh), "E": [h.eih_Ih, "mV"]}
    source = "HCN.mod of Johnson & McIntyre, ModelDB 114685"
    yield case("Ih_HM1992", source, curves(found, {"p": "f"}), clamp(found), parameters=parameters)


def T_current():
    """ITGHK.mod shifts steady states and time constants by its `shift`; ours has 2 mV in the former and none in the latter.

    Its current follows Goldman, Hodgkin and Katz, so only its gates are compared.
    """
    h.qm_itGHK = 3.55  # the file has 5, as for reticular cells
    gates = {"p": "m", "q": "h"}
    for celsius in (24.0, 36.0):
        at = {"current": "ica", "celsius": celsius, "section": {"cai": 2.4e-4, "cao": 2.0}}
        shifted, unshifted = (curves(Patch("itGHK", shift=shift, **at), gates) for shift in (2.0, 0.0))
        tables = shifted | {"tau": unshifted["tau"]}
        source = "ITGHK.mod of Destexhe, ModelDB 279: steady states with its shift of 2 mV, time constants without"
        yield case("ICaT_HM1992", source, tables, celsius=celsius, parameters={"V_sh": [0.0, "mV"]})


load()
write(__file__, [*A_current(), *K2_current(), *h_current(), *T_current()])
