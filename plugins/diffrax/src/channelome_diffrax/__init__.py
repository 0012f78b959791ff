"""Adaptive solvers from diffrax: a pack whose names are solvers."""

from .solvers import Adaptive as Adaptive
