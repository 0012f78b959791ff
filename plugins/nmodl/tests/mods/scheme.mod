TITLE five states of a sodium channel
NEURON { SUFFIX scheme  USEION na READ ena WRITE ina  RANGE gmax }
UNITS { (mV) = (millivolt) (pS) = (picosiemens) (mA) = (milliamp) (S) = (siemens) }
PARAMETER { gmax = 0.02 (S/cm2) a0 = 1.9 (/ms) b0 = .4 (/ms) on = .05 (/ms) off = 2e-3 (/ms) }
ASSIGNED { v (mV) ena (mV) ina (mA/cm2) a (/ms) b (/ms) }
STATE { c1 c2 c3 o i }
BREAKPOINT { SOLVE kin METHOD sparse
  ina = gmax*o*(v - ena) }
INITIAL { SOLVE kin STEADYSTATE sparse }
KINETIC kin { rates(v)
  ~ c1 <-> c2 (3*a, b)
  ~ c2 <-> c3 (2*a, 2*b)
  ~ c3 <-> o (a, 3*b)
  ~ o <-> i (on, off)
  CONSERVE c1 + c2 + c3 + o + i = 1 }
PROCEDURE rates(v (mV)) { a = a0*exp(v/24 (mV))  b = b0*exp(-v/19(mV)) }
