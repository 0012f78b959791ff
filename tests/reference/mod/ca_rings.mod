: Calcium in N rings of a cylinder, with a buffer that stays where it is, and diffusion between rings and along the cell:
: the scheme of Carnevale & Hines (2006), The NEURON Book, ch. 9. Values are meant on circles a whole ring apart, the first on the membrane.

DEFINE N 4

NEURON {
    SUFFIX ca_rings
    USEION ca READ cai, ica WRITE cai
    RANGE D, B, kon, koff, free, bound
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
    B = 0.05 (mM)
    kon = 80 (/mM-ms)
    koff = 0.2 (/ms)
}

ASSIGNED {
    diam (um)
    ica (mA/cm2)
    cai (mM)
    share[N]
    across[N]
}

STATE {
    free[N] (mM)
    empty[N] (mM)
    bound[N] (mM)
}

INITIAL { LOCAL gap, outer, inner
    gap = 0.5/(N - 1)
    outer = 0.5
    FROM i = 0 TO N - 1 {
        inner = 0.5 - (i + 0.5)*gap
        if (i == N - 1) { inner = 0 }
        share[i] = CIRCLE*(outer*outer - inner*inner)
        across[i] = 2*CIRCLE*inner/gap
        outer = inner
        free[i] = cai
        bound[i] = B*kon*cai/(kon*cai + koff)
        empty[i] = B - bound[i]
    }
}

BREAKPOINT {
    SOLVE rings METHOD sparse
}

KINETIC rings { LOCAL here
    COMPARTMENT i, diam*diam*share[i] { free empty bound }
    LONGITUDINAL_DIFFUSION i, D*diam*diam*share[i] { free }
    ~ free[0] << (-ica*CIRCLE*diam/(2*F))
    FROM i = 0 TO N - 2 {
        ~ free[i] <-> free[i+1] (D*across[i], D*across[i])
    }
    FROM i = 0 TO N - 1 {
        here = diam*diam*share[i]
        ~ free[i] + empty[i] <-> bound[i] (kon*here, koff*here)
    }
    cai = free[0]
}
