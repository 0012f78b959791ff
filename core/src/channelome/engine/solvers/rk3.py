"""Kutta's third-order method."""

from .runge_kutta import RungeKutta

RK3 = RungeKutta(order=3, nodes=(0.0, 1 / 2, 1.0), stages=((1 / 2,), (-1.0, 2.0)), weights=(1 / 6, 2 / 3, 1 / 6))
