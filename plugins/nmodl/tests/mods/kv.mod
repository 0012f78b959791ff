TITLE a delayed rectifier for trying out
NEURON { SUFFIX kv  USEION k READ ek WRITE ik  RANGE gbar }
UNITS { (mV) = (millivolt) (S) = (siemens) (mA) = (milliamp) }
PARAMETER { gbar = 0.036 (S/cm2) <0,1e9> vh = -55 (mV) q = 3 }
ASSIGNED { v (mV) ek (mV) ik (mA/cm2) celsius (degC) ninf ntau (ms) }
STATE { n }
BREAKPOINT { SOLVE states METHOD cnexp ik = gbar*n^4*(v - ek) }
INITIAL { rates(v) n = ninf }
DERIVATIVE states { rates(v) n' = (ninf - n)/ntau }
PROCEDURE rates(v (mV)) { LOCAL a, b, q10
  q10 = q^((celsius - 6.3)/10)
  a = .01*vtrap(-(v - vh), 10)
  b = .125*exp(-(v + 65)/80)
  ninf = a/(a + b)  ntau = 1/(q10*(a + b)) }
FUNCTION vtrap(x, y) { if (fabs(x/y) < 1e-6) { vtrap = y*(1 - x/y/2) } else { vtrap = x/(exp(x/y) - 1) } }
