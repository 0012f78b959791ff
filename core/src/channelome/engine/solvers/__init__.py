"""Methods of integration, one to a file, found by name."""

from .lookup import solver as solver
