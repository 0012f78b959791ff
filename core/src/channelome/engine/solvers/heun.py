"""Heun's method, the explicit trapezoid, second order."""

from .runge_kutta import RungeKutta

HEUN = RungeKutta(order=2, nodes=(0.0, 1.0), stages=((1.0,),), weights=(1 / 2, 1 / 2))
