: A calcium current of constant conductance and reversal potential.

NEURON {
    SUFFIX ca_influx
    USEION ca WRITE ica
    RANGE g, e
}

UNITS {
    (mA) = (milliamp)
    (mV) = (millivolt)
    (S) = (siemens)
}

PARAMETER {
    g = 0 (S/cm2)
    e = 60 (mV)
}

ASSIGNED {
    v (mV)
    ica (mA/cm2)
}

BREAKPOINT {
    ica = g*(v - e)
}
