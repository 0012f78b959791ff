"""Checks for the authors of packs: golden data, finite values and slopes, relaxation. They need JAX in float64."""

from .golden import check_finite as check_finite
from .golden import check_golden as check_golden
from .golden import check_relaxation as check_relaxation
