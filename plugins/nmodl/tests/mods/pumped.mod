TITLE calcium that spreads along a cell, with a pump of the membrane whose current is that of its fluxes
NEURON { SUFFIX pumped  USEION ca READ cao, cai, ica WRITE cai, ica  RANGE ipump }
UNITS { (mol) = (1) (mA) = (milliamp) (um) = (micron) (molar) = (1/liter) (mM) = (millimolar)
  F = (faraday) (10000 coulomb)  PI = (pi) (1) }
PARAMETER { DCa = 0.5 (um2/ms)  k1 = 0.5 (/mM-ms)  k2 = 2e-4 (/ms)  k3 = 2e-4 (/ms)  k4 = 1e-7 (/mM-ms)  all = 3e-11 (mol/cm2) }
ASSIGNED { diam (um) ica (mA/cm2) cao (mM) cai (mM) ipump (mA/cm2) before (mA/cm2) around (um) }
CONSTANT { outside = 1e10 (um2) }
STATE { ca (mM) <1e-7> pump (mol/cm2) loaded (mol/cm2) }
INITIAL { around = PI*diam  ca = cai  pump = all/(1 + cai*k1/k2)  loaded = all - pump }
BREAKPOINT { SOLVE react METHOD sparse  before = ipump  ica = ipump }
KINETIC react {
  COMPARTMENT PI*diam*diam/4 { ca gone }
  COMPARTMENT (1e10)*around { pump loaded }
  COMPARTMENT outside { cao }
  LONGITUDINAL_DIFFUSION DCa*PI*diam*diam/4 { ca }
  ~ ca + pump <-> loaded (k1*around*(1e10), k2*around*(1e10))
  ~ loaded <-> pump + cao (k3*around*(1e10), k4*around*(1e10))
  CONSERVE pump + loaded = all*around*(1e10)
  ipump = 2*F*(f_flux - b_flux)/around
  ~ ca << (-(ica - before)*PI*diam/(2*F))
  cai = ca }
