TITLE a calcium current by the constant-field equation, which calcium inactivates
NEURON { SUFFIX permeable
  USEION ca READ cai, cao WRITE ica
  RANGE pmax }
UNITS { (mV) = (millivolt) (mA) = (milliamp) (molar) = (1/liter) (mM) = (millimolar)
  FARADAY = (faraday) (coulombs)  R = (k-mole) (joule/degC) }
PARAMETER { pmax = 2e-4 (cm/s) ki = 5e-4 (mM) celsius (degC) }
ASSIGNED { v (mV) ica (mA/cm2) cai (mM) cao (mM) minf mtau (ms) }
STATE { m }
INITIAL { settings(v) m = minf }
BREAKPOINT { SOLVE gates METHOD cnexp
  ica = pmax*m^2*(ki/(ki + cai))*flux(v, cai, cao) }
DERIVATIVE gates { settings(v)
  m' = (minf - m)/mtau }
PROCEDURE settings(v (mV)) {
  minf = 1/(1 + exp(-(v + 12)/7.5))
  mtau = 1 + 6/(exp((v + 20)/11) + exp(-(v + 20)/14)) }
FUNCTION flux(v (mV), ci (mM), co (mM)) (.001 coul/cm3) { LOCAL z, eci, eco
  z = (1e-3)*2*FARADAY*v/(R*(celsius + 273.15))
  eco = co*efun(z)
  eci = ci*efun(-z)
  flux = (.001)*2*FARADAY*(eci - eco) }
FUNCTION efun(z) { if (fabs(z) < 1e-4) { efun = 1 - z/2 } else { efun = z/(exp(z) - 1) } }
