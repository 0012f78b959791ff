"""Explicit midpoint rule, second order."""

from .runge_kutta import RungeKutta

MIDPOINT = RungeKutta(order=2, nodes=(0.0, 1 / 2), stages=((1 / 2,),), weights=(0.0, 1.0))
