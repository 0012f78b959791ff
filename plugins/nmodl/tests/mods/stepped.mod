TITLE a sodium current whose gates are stepped by hand
COMMENT
Written for these tests: { ( "
ENDCOMMENT
UNITS { (mA) = (milliamp) (mV) = (millivolt) }
NEURON { SUFFIX stepped  USEION na READ ena WRITE ina
	RANGE gnabar, ina
	GLOBAL minf, hinf, mexp, hexp }
PARAMETER { v (mV) celsius = 22 (degC) dt (ms) gnabar = .05 (mho/cm2) <0,10> ena = 45 (mV) on = 1 }
STATE { m h }
ASSIGNED { ina (mA/cm2) minf hinf mexp hexp }
BREAKPOINT { SOLVE states
	ina = gnabar*m*m*m*h*(v - ena) }
INITIAL { rates(v) m = minf  h = hinf }
PROCEDURE states() { rates(v)
	m = on*(m + mexp*(minf - m))
	h = h + hexp*(hinf - h)
	VERBATIM
	return 0;
	ENDVERBATIM
}
PROCEDURE rates(v) { LOCAL q10, tinc, alpha, beta, sum
	TABLE minf, mexp, hinf, hexp DEPEND dt, celsius FROM -100 TO 100 WITH 200
	q10 = 3^((celsius - 22)/10)
	tinc = -dt*q10
	alpha = .2*trap(-(v + 38), 9)
	beta = 3*exp(-(v + 61)/17)
	sum = alpha + beta
	minf = alpha/sum
	mexp = 1 - Exp(tinc*sum)
	alpha = .06*exp(-(v + 63)/21)
	beta = 1/(exp(-(v + 33)/11) + 1)
	sum = alpha + beta
	hinf = alpha/sum
	hexp = 1 - Exp(tinc*sum)
}
FUNCTION trap(x, y) { if (fabs(x/y) < 1e-6) { trap = y*(1 - x/y/2) } else { trap = x/(Exp(x/y) - 1) } }
FUNCTION Exp(x) { if (x < -100) { Exp = 0 } else { Exp = exp(x) } }
