TITLE High-voltage-activated calcium current, Reuveni et al. (1993), doi:10.1523/JNEUROSCI.13-11-04609.1993

: E is worked out here, by Nernst, so that it belongs to the same moment as the concentration.
NEURON { SUFFIX ica_re USEION ca READ cai, cao WRITE ica RANGE gmax }
UNITS { (mV) = (millivolt) (S) = (siemens) (mA) = (milliamp) (mM) = (milli/liter) }
PARAMETER { gmax = 0.001 (S/cm2) }
ASSIGNED { v (mV) celsius (degC) cai (mM) cao (mM) ica (mA/cm2) ap (/ms) bp (/ms) aq (/ms) bq (/ms) phi }
STATE { p q }

BREAKPOINT { LOCAL E
    SOLVE gates METHOD cnexp
    E = 1000 * 8.314462618 * (celsius + 273.15) / (2 * 96485.33212) * log(cao / cai)
    ica = gmax * p^2 * q * (v - E)
}
INITIAL {
    phi = 2.3^((celsius - 23) / 10)
    rates(v)
    p = ap / (ap + bp)
    q = aq / (aq + bq)
}
DERIVATIVE gates {
    rates(v)
    p' = phi * (ap * (1 - p) - bp * p)
    q' = phi * (aq * (1 - q) - bq * q)
}
PROCEDURE rates(v (mV)) {
    ap = 0.055 * linoid(-27 - v, 3.8)
    bp = 0.94 * exp((-75 - v) / 17)
    aq = 0.000457 * exp((-13 - v) / 50)
    bq = 0.0065 / (exp((-15 - v) / 28) + 1)
}
FUNCTION linoid(x, k) {
    if (fabs(x / k) < 1e-5) { linoid = k - x / 2 } else { linoid = x / (exp(x / k) - 1) }
}
