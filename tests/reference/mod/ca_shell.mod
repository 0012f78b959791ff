TITLE Calcium in a shell under the membrane, Destexhe et al. (1994), doi:10.1152/jn.1994.72.2.803

: mA/cm2 over um and C/mol: 1e4 makes mM/ms of it.
NEURON { SUFFIX ca_shell USEION ca READ ica WRITE cai RANGE d, tau }
UNITS { (mV) = (millivolt) (mA) = (milliamp) (mM) = (milli/liter) (um) = (micron) }
PARAMETER { d = 1 (um) tau = 5 (ms) rest = 2.4e-4 (mM) }
ASSIGNED { ica (mA/cm2) }
STATE { cai (mM) }

BREAKPOINT { SOLVE pool METHOD cnexp }
INITIAL { cai = rest }
DERIVATIVE pool { cai' = influx(ica) + (rest - cai) / tau }
FUNCTION influx(ica (mA/cm2)) {
    influx = -10000 * ica / (2 * 96485.33212 * d)
    if (influx < 0) { influx = 0 }
}
