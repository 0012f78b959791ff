TITLE Fast sodium current, Traub & Miles (1991), doi:10.1017/CBO9780511895401, as in Brette et al. (2007)

NEURON { SUFFIX ina_tm USEION na READ ena WRITE ina RANGE gmax }
UNITS { (mV) = (millivolt) (S) = (siemens) (mA) = (milliamp) }
PARAMETER { gmax = 0.1 (S/cm2) Vsh = -63 (mV) }
ASSIGNED { v (mV) ena (mV) ina (mA/cm2) am (/ms) bm (/ms) ah (/ms) bh (/ms) }
STATE { m h }

BREAKPOINT {
    SOLVE gates METHOD cnexp
    ina = gmax * m^3 * h * (v - ena)
}
INITIAL {
    rates(v)
    m = am / (am + bm)
    h = ah / (ah + bh)
}
DERIVATIVE gates {
    rates(v)
    m' = am * (1 - m) - bm * m
    h' = ah * (1 - h) - bh * h
}
PROCEDURE rates(v (mV)) { LOCAL u
    u = v - Vsh
    am = 0.32 * linoid(13 - u, 4)
    bm = 0.28 * linoid(u - 40, 5)
    ah = 0.128 * exp((17 - u) / 18)
    bh = 4 / (1 + exp((40 - u) / 5))
}
FUNCTION linoid(x, k) {
    if (fabs(x / k) < 1e-5) { linoid = k - x / 2 } else { linoid = x / (exp(x / k) - 1) }
}
