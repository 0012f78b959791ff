TITLE a conductance that jumps and decays
NEURON { POINT_PROCESS onedecay  RANGE tau, e, i  NONSPECIFIC_CURRENT i }
PARAMETER { tau = 3.3 (ms) e = -12 (mV) }
ASSIGNED { v (mV) i (nA) }
STATE { g (uS) }
INITIAL { g = 0 }
BREAKPOINT { SOLVE s METHOD cnexp  i = g*(v - e) }
DERIVATIVE s { g' = -g/tau }
NET_RECEIVE(w (uS)) { g = g + w }
