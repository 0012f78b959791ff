TITLE Delayed-rectifier potassium current, Traub & Miles (1991), doi:10.1017/CBO9780511895401, as in Brette et al. (2007)

NEURON { SUFFIX ik_tm USEION k READ ek WRITE ik RANGE gmax }
UNITS { (mV) = (millivolt) (S) = (siemens) (mA) = (milliamp) }
PARAMETER { gmax = 0.03 (S/cm2) Vsh = -63 (mV) }
ASSIGNED { v (mV) ek (mV) ik (mA/cm2) an (/ms) bn (/ms) }
STATE { n }

BREAKPOINT {
    SOLVE gates METHOD cnexp
    ik = gmax * n^4 * (v - ek)
}
INITIAL {
    rates(v)
    n = an / (an + bn)
}
DERIVATIVE gates {
    rates(v)
    n' = an * (1 - n) - bn * n
}
PROCEDURE rates(v (mV)) { LOCAL u
    u = v - Vsh
    an = 0.032 * linoid(15 - u, 5)
    bn = 0.5 * exp((10 - u) / 40)
}
FUNCTION linoid(x, k) {
    if (fabs(x / k) < 1e-5) { linoid = k - x / 2 } else { linoid = x / (exp(x / k) - 1) }
}
