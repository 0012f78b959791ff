: Calcium in a layer under the membrane that decays to a rest and diffuses along the cell.

NEURON {
    SUFFIX ca_layer
    USEION ca READ cai, ica WRITE cai
    RANGE D, d, tau, rest
}

UNITS {
    (mM) = (milli/liter)
    (um) = (micron)
    (mA) = (milliamp)
}

CONSTANT {
    F = 9.648533212
    CIRCLE = 3.14159265358979
}

PARAMETER {
    D = 0.6 (um2/ms)
    d = 0.2 (um)
    tau = 20 (ms)
    rest = 2.4e-4 (mM)
}

ASSIGNED {
    diam (um)
    ica (mA/cm2)
    cai (mM)
}

STATE {
    ca (mM)
}

INITIAL {
    ca = cai
}

BREAKPOINT {
    SOLVE layer METHOD sparse
}

KINETIC layer {
    COMPARTMENT CIRCLE*diam*d { ca }
    LONGITUDINAL_DIFFUSION CIRCLE*diam*d*D { ca }
    ~ ca << (CIRCLE*diam*(d*rest/tau - ica/(2*F)))
    ~ ca -> (CIRCLE*diam*d/tau)
    cai = ca
}
