TITLE calcium in four shells with a fixed and a mobile buffer, which move along the cell
NEURON { SUFFIX shells  USEION ca READ cai, ica WRITE cai  GLOBAL vr  RANGE DCa, DB }
UNITS { (mM) = (milli/liter) (mA) = (milliamp) (um) = (micron) F = (faraday) (10000 coulomb) PI = (pi) (1) }
DEFINE N 4
PARAMETER { DCa = 0.22 (um2/ms)  DB = 0.05 (um2/ms)  tot = 0.02 (mM)  on = 60 (/mM-ms)  off = 0.12 (/ms)  totm = 0.01 (mM) }
ASSIGNED { diam (um)  ica (mA/cm2)  cai (mM)  vr[N]  fr[N] }
STATE { ca[N] (mM) <1e-7>  b[N] (mM) cab[N] (mM)  m[N] (mM) cam[N] (mM) }
BREAKPOINT { SOLVE s METHOD sparse }
INITIAL { geometry()
  FROM i=0 TO N-1 { ca[i] = cai  b[i] = tot/(1 + on/off*cai)  cab[i] = tot - b[i]  m[i] = totm/(1 + on/off*cai)  cam[i] = totm - m[i] } }
PROCEDURE geometry() { LOCAL r, h
  r = 1/2  h = r/(N-1)/2  vr[0] = 0  fr[0] = 2*r
  FROM i=0 TO N-2 {
    vr[i] = vr[i] + PI*(r - h/2)*2*h
    r = r - h  fr[i+1] = 2*PI*r/(2*h)
    r = r - h  vr[i+1] = PI*(r + h/2)*2*h } }
LOCAL q
KINETIC s {
  COMPARTMENT i, diam*diam*vr[i] { ca b cab m cam }
  LONGITUDINAL_DIFFUSION i, DCa*diam*diam*vr[i] { ca }
  LONGITUDINAL_DIFFUSION i, DB*diam*diam*vr[i] { m cam }
  ~ ca[0] << (-ica*PI*diam/(2*F))
  FROM i=0 TO N-2 {
    ~ ca[i] <-> ca[i+1] (DCa*fr[i+1], DCa*fr[i+1])
    ~ m[i] <-> m[i+1] (DB*fr[i+1], DB*fr[i+1])
    ~ cam[i] <-> cam[i+1] (DB*fr[i+1], DB*fr[i+1]) }
  FROM i=0 TO N-1 { q = diam*diam*vr[i]
    ~ ca[i] + b[i] <-> cab[i] (on*q, off*q)
    ~ ca[i] + m[i] <-> cam[i] (on*q, off*q) }
  cai = ca[0] }
