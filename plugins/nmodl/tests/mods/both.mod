TITLE a current that fills a pool of its own, in which it is blocked
NEURON { SUFFIX both  USEION ca READ eca, ica, cai WRITE ica, cai  RANGE gmax, kd }
PARAMETER { gmax = 3e-4 (S/cm2) kd = 4e-4 (mM) eca (mV) }
ASSIGNED { v (mV) ica (mA/cm2) minf }
STATE { m  cai (mM) }
INITIAL { m = 1/(1 + exp(-(v + 22)/6.5))  cai = 1e-4 }
BREAKPOINT { SOLVE s METHOD derivimplicit  ica = gmax*m*m*kd/(kd + cai)*(v - eca) }
DERIVATIVE s { minf = 1/(1 + exp(-(v + 22)/6.5))
  m' = (minf - m)/2.3
  cai' = -0.31*ica - (cai - 1e-4)/90 }
