TITLE states that depend on each other, are not linear, and do not start at rest
NEURON { SUFFIX coupled  NONSPECIFIC_CURRENT i  RANGE g, e, i }
PARAMETER { g = 4e-4 (S/cm2) e = -20 (mV) k1 = .3 (/ms) k2 = .05 (/ms) }
ASSIGNED { v (mV) i (mA/cm2) }
STATE { a b }
INITIAL { a = 0.1  b = 0.8 }
BREAKPOINT { SOLVE both METHOD derivimplicit  i = g*a*b*(v - e) }
DERIVATIVE both {
  a' = k1*(1 - a)*exp(v/40) - k2*a*b - k2*a
  b' = k2*(1 - b)*(1 - b) - k1*a*b*exp(-v/60) }
