"""The classical fourth-order Runge-Kutta method."""

from .runge_kutta import RungeKutta

RK4 = RungeKutta(
    order=4,
    nodes=(0.0, 1 / 2, 1 / 2, 1.0),
    stages=((1 / 2,), (0.0, 1 / 2), (0.0, 0.0, 1.0)),
    weights=(1 / 6, 1 / 3, 1 / 3, 1 / 6),
)
