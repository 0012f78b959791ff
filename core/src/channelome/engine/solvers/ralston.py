"""Ralston's method, the second-order one of least error bound. Ralston (1962), doi:10.1090/S0025-5718-1962-0150954-0."""

from .runge_kutta import RungeKutta

RALSTON = RungeKutta(order=2, nodes=(0.0, 2 / 3), stages=((2 / 3,),), weights=(1 / 4, 3 / 4))
