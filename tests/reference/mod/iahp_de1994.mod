TITLE Slow calcium-activated potassium current, Destexhe et al. (1994), doi:10.1152/jn.1994.72.2.803

NEURON { SUFFIX iahp_de USEION k READ ek WRITE ik USEION ca READ cai RANGE gmax }
UNITS { (mV) = (millivolt) (S) = (siemens) (mA) = (milliamp) (mM) = (milli/liter) }
PARAMETER { gmax = 0.01 (S/cm2) alpha = 48 beta = 0.03 (/ms) }
ASSIGNED { v (mV) cai (mM) ek (mV) ik (mA/cm2) opening (/ms) }
STATE { p }

BREAKPOINT {
    SOLVE gates METHOD cnexp
    ik = gmax * p^2 * (v - ek)
}
INITIAL {
    rates(cai)
    p = opening / (opening + beta)
}
DERIVATIVE gates {
    rates(cai)
    p' = opening * (1 - p) - beta * p
}
PROCEDURE rates(cai (mM)) { opening = alpha * cai * cai }
