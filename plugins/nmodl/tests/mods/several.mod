TITLE a current of two ions and one of none, with a gate that is at once where it belongs
NEURON { SUFFIX several
  USEION na READ ena WRITE ina
  USEION k READ ek WRITE ik
  NONSPECIFIC_CURRENT il
  RANGE gna, gk, gl, el, il }
PARAMETER { gna = 1e-3 (S/cm2) gk = 2e-3 (S/cm2) gl = 3e-4 (S/cm2) el = -61 (mV) vh[3] (mV) }
ASSIGNED { v (mV) ena (mV) ek (mV) ina (mA/cm2) ik (mA/cm2) il (mA/cm2) ninf ntau (ms) minf w[3] s }
STATE { n }
INITIAL { rates() n = ninf }
BREAKPOINT { SOLVE gates METHOD cnexp
  ina = gna*minf^3*(v - ena)
  ik = gk*n*(v - ek)
  il = gl*s*(v - el) }
DERIVATIVE gates { rates()  n' = (ninf - n)/ntau }
DEFINE N 3
PROCEDURE rates() { LOCAL i2
  FROM i = 0 TO N-1 { w[i] = 1/(1 + exp(-(v + 20 + 10*i)/8)) }
  s = 0
  FROM i = 0 TO N-1 { s = s + w[i]/N }
  i2 = 0
  WHILE (i2 < 2) { i2 = i2 + 1 }
  minf = w[1]
  if (v < -50) { ninf = 0.1  ntau = 3 } else if (v < 0) { ninf = 0.1 + 0.01*(v + 50)  ntau = 3 + 0.02*(v + 50) } else { ninf = .6  ntau = 4 } }
