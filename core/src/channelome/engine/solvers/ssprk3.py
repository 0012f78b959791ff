"""Strong-stability-preserving third-order method. Shu & Osher (1988), doi:10.1016/0021-9991(88)90177-5."""

from .runge_kutta import RungeKutta

SSPRK3 = RungeKutta(order=3, nodes=(0.0, 1.0, 1 / 2), stages=((1.0,), (1 / 4, 1 / 4)), weights=(1 / 6, 1 / 6, 2 / 3))
