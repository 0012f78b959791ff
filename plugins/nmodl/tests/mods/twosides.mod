TITLE potassium on both sides of the membrane, and what it reverses at
NEURON { SUFFIX twosides  USEION k READ ik WRITE ki, ko, ek  RANGE space }
UNITS { (mA) = (milliamp) (mV) = (millivolt) (molar) = (1/liter) (mM) = (millimolar)  F = (faraday) (coulombs) }
PARAMETER { space = 0.15 (um) clear = 80 (ms) in0 = 120 (mM) out0 = 3 (mM) celsius (degC) }
ASSIGNED { ik (mA/cm2) ek (mV) }
STATE { ki (mM) ko (mM) }
INITIAL { ki = in0  ko = out0  ek = potential() }
BREAKPOINT { SOLVE move METHOD derivimplicit  ek = potential() }
DERIVATIVE move {
  ki' = -ik*(1e4)/(F*20)
  ko' = ik*(1e4)/(F*space) - 3*(ko - out0)/(clear*(ko + out0)) }
FUNCTION potential() { potential = (8.6173e-2)*(celsius + 273.15)*log(ko/ki) }
