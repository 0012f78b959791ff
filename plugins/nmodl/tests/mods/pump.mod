TITLE calcium of a cylinder with a buffer and a pump of the membrane, by reactions
NEURON { SUFFIX capump  USEION ca READ cao, ica WRITE cai  RANGE buffer }
UNITS { (mol) = (1) (mA) = (milliamp) (um) = (micron) (molar) = (1/liter) (mM) = (millimolar)
  F = (faraday) (coulombs)  PI = (pi) (1) }
PARAMETER { diam (um) start = 6e-5 (mM) buffer = 0.03 (mM) on = 90 (/mM ms) off = 0.06 (/ms)
  k1 = 1e8 (/mM s) k2 = 6e5 (/s) k3 = 1e4 (/s) density = 1.3e-13 (mol/cm2) }
ASSIGNED { ica (mA/cm2) cao (mM) cai (mM) }
STATE { ca (mM) free (mM) bound (mM) pump (mol/cm2) loaded (mol/cm2) }
INITIAL {
  ca = start
  bound = buffer*start/(start + off/on)
  free = buffer - bound
  loaded = density*start/(start + (k2 + k3)/k1)
  pump = density - loaded
  cai = ca }
BREAKPOINT { SOLVE react METHOD sparse }
KINETIC react {
  COMPARTMENT PI*diam*diam/4 { ca free bound }
  COMPARTMENT (1e10)*PI*diam { pump loaded }
  ~ ca + free <-> bound (on*PI*diam*diam/4, off*PI*diam*diam/4)
  ~ ca + pump <-> loaded ((1e-3)*k1*(1e10)*PI*diam, (1e-3)*k2*(1e10)*PI*diam)
  ~ loaded <-> pump ((1e-3)*k3*(1e10)*PI*diam, 0)
  ~ ca << (-(1e4)*ica*PI*diam/(2*F))
  cai = ca }
