TITLE a synapse that tires and recovers, one reaction after the other between spikes
NEURON { POINT_PROCESS plastic  RANGE tau, e, U, rec, fac  NONSPECIFIC_CURRENT i }
PARAMETER { tau = 2.7 (ms) e = -70 (mV) U = .35 rec = 140 (ms) fac = 45 (ms) }
ASSIGNED { v (mV) i (nA) }
STATE { rise (uS) g (uS) }
INITIAL { rise = 0 g = 0 }
BREAKPOINT { SOLVE chain METHOD sparse  i = g*(v - e) }
KINETIC chain {
  ~ rise <-> g (1/tau, 0)
  ~ g -> (1/(2*tau)) }
NET_RECEIVE(weight (uS), R, u, last (ms)) { LOCAL since
  INITIAL { R = 1  u = 0  last = t }
  since = t - last
  if (fac > 0) { u = u*exp(-since/fac) } else { u = U }
  if (fac > 0) { u = u + U*(1 - u) }
  R = 1 - (1 - R)*exp(-since/rec)
  rise = rise + weight*R*u
  R = R - R*u
  last = t }
