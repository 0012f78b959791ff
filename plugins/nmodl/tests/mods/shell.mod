TITLE calcium of a thin shell, which what enters only raises
NEURON { SUFFIX shell  USEION ca READ ica, cai WRITE cai  RANGE depth, tau, rest }
UNITS { (mA) = (milliamp) (um) = (micron) (molar) = (1/liter) (mM) = (millimolar)  F = (faraday) (coulombs) }
PARAMETER { depth = 0.2 (um) tau = 35 (ms) rest = 7e-5 (mM) }
ASSIGNED { ica (mA/cm2) inflow (mM/ms) }
STATE { cai (mM) }
INITIAL { cai = rest }
BREAKPOINT { SOLVE fill METHOD cnexp }
DERIVATIVE fill {
  inflow = -(10000)*ica/(2*F*depth)
  if (inflow < 0) { inflow = 0 }
  cai' = inflow + (rest - cai)/tau }
