TITLE sodium that a pump holds in balance, at what it begins with, in two blocks of INITIAL; its current is nothing until more flows in
NEURON { SUFFIX balanced  USEION na READ nai, nao, ina WRITE nai, ina  NONSPECIFIC_CURRENT iback  RANGE ipump, all }
UNITS { (mol) = (1) (mA) = (milliamp) (um) = (micron) (molar) = (1/liter) (mM) = (millimolar)
  F = (faraday) (10000 coulomb)  PI = (pi) (1) }
PARAMETER { k1 = 0.02 (/mM-ms)  k2 = 0.05 (/ms)  k3 = 0.3 (/ms)  all = 2e-12 (mol/cm2)  share = 0.6667 }
ASSIGNED { diam (um) ina (mA/cm2) nao (mM) nai (mM) ipump (mA/cm2) iback (mA/cm2) around (um) k4 (/mM-ms) }
STATE { na (mM) <1e-3> pump (mol/cm2) <1e-15> held (mol/cm2) <1e-15> }
INITIAL { around = 1  na = nai  k4 = nai*k1*k3/(nao*k2) }
INITIAL { around = PI*diam  pump = all/(1 + nai*k1/k2)  held = all - pump }
BREAKPOINT { SOLVE react METHOD sparse  ina = ipump  iback = -share*ipump }
KINETIC react {
  COMPARTMENT PI*diam*diam/4 { na }
  COMPARTMENT (1e10)*around { pump held }
  ~ na + pump <-> held (k1*around*(1e10), k2*around*(1e10))
  ~ held <-> pump + nao (k3*around*(1e10), k4*around*(1e10))
  CONSERVE pump + held = all*around*(1e10)
  ipump = F*(f_flux - b_flux)/around
  ~ na << (-(ina - ipump)*PI*diam/F)
  nai = na }
