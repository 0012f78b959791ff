TITLE two speeds in one variable, stepped by hand
NEURON { SUFFIX twice  USEION k READ ek WRITE ik  RANGE g }
PARAMETER { g = 4e-4 (S/cm2) dt (ms) fast = 4 (ms) slow = 31 (ms) }
ASSIGNED { v (mV) ek (mV) ik (mA/cm2) inf a b }
STATE { m }
INITIAL { rates(v) m = inf }
BREAKPOINT { SOLVE states  ik = g*m*(v - ek) }
PROCEDURE states() { rates(v)  m = 0.7*(m + a*(inf - m)) + 0.3*(m + b*(inf - m)) }
PROCEDURE rates(v (mV)) { inf = 1/(1 + exp((v + 71)/6.3))  a = 1 - exp(-dt/fast)  b = 1 - exp(-dt/slow) }
