TITLE an inward rectifier, with something that it includes
? old style of comment
NEURON { SUFFIX included  USEION k READ ek WRITE ik  RANGE gkbar  THREADSAFE }
UNITS { (mV) = (millivolt) (mA) = (milliamp) }
PARAMETER { gkbar = 1.4 (mS/cm2) celsius }
ASSIGNED { v ek ik linf taul tadj }
STATE { l }
INCLUDE "shared.inc"
INITIAL { tadj = 2.3^((celsius - 30)/10)  rate(v)  l = linf }
BREAKPOINT { SOLVE state METHOD cnexp
  ik = (0.001)*gkbar*l*(v - ek) }
DERIVATIVE state { rate(v)  l' = (linf - l)/taul }
PROCEDURE rate(u (mV)) {
  if (v == -90) { v = v + 0.0001 }
  linf = boltz(u, -92, -9)
  taul = (0.5 + 3/(exp((u + 90)/14) + 1))/tadj }
UNITSOFF
