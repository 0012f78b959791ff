"""Reconstructed cells: read, measured, cut into compartments, addressed by region and place. NumPy alone."""

from .compartments import Compartments as Compartments
from .compartments import Tree as Tree
from .discretise import d_lambda as d_lambda
from .discretise import max_length as max_length
from .discretise import per_branch as per_branch
from .morphology import Morphology as Morphology
from .regions import Places as Places
