"""Forward Euler, first order."""

from .runge_kutta import RungeKutta

EULER = RungeKutta(order=1, nodes=(0.0,), stages=(), weights=(1.0,))
