TITLE One end of a gap junction: a conductance to where vgap points

NEURON { POINT_PROCESS Gap NONSPECIFIC_CURRENT i RANGE g, i POINTER vgap }
UNITS { (mV) = (millivolt) (nA) = (nanoamp) (uS) = (microsiemens) }
PARAMETER { g = 0 (uS) }
ASSIGNED { v (mV) vgap (mV) i (nA) }

BREAKPOINT { i = g * (v - vgap) }
