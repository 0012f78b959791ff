TITLE Mixed cation current, Huguenard & McCormick (1992), doi:10.1152/jn.1992.68.4.1373

NEURON { SUFFIX ih_hm NONSPECIFIC_CURRENT i RANGE gmax, E }
UNITS { (mV) = (millivolt) (S) = (siemens) (mA) = (milliamp) }
PARAMETER { gmax = 0.01 (S/cm2) E = -43 (mV) }
ASSIGNED { v (mV) i (mA/cm2) inf tau (ms) }
STATE { p }

BREAKPOINT {
    SOLVE gates METHOD cnexp
    i = gmax * p * (v - E)
}
INITIAL {
    rates(v)
    p = inf
}
DERIVATIVE gates {
    rates(v)
    p' = (inf - p) / tau
}
PROCEDURE rates(v (mV)) {
    inf = 1 / (1 + exp((v + 75) / 5.5))
    tau = 1 / (exp(-0.086 * v - 14.59) + exp(0.0701 * v - 1.87))
}
