TITLE two receptors of one synapse, of which magnesium blocks the slow one
NEURON { POINT_PROCESS blocked  RANGE r1, d1, r2, d2, e, mg, share  NONSPECIFIC_CURRENT ifast, islow }
PARAMETER { r1 = .4 (ms) d1 = 2.1 (ms) r2 = 3 (ms) d2 = 61 (ms) e = 1.5 (mV) mg = 1.1 (mM) share = .7 }
ASSIGNED { v (mV) ifast (nA) islow (nA) f1 f2 block }
STATE { A B C D }
INITIAL { A = 0 B = 0 C = 0 D = 0
  if (r1/d1 > .9999) { r1 = .9999*d1 }
  f1 = peak(r1, d1)  f2 = peak(r2, d2) }
BREAKPOINT { SOLVE s METHOD cnexp
  block = 1/(1 + mg*exp(-0.062 (/mV) * v)/3.57)
  ifast = (B - A)*(v - e)
  islow = (D - C)*block*(v - e) }
DERIVATIVE s { A' = -A/r1  B' = -B/d1  C' = -C/r2  D' = -D/d2 }
FUNCTION peak(r, d) { LOCAL tp
  tp = r*d/(d - r)*log(d/r)
  peak = 1/(-exp(-tp/r) + exp(-tp/d)) }
NET_RECEIVE(weight) {
  A = A + weight*f1
  B = B + weight*f1
  state_discontinuity(C, C + weight*f2*share)
  state_discontinuity(D, D + weight*f2*share) }
