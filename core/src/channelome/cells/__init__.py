"""Kinds of cell, and the parts that they are built of by name."""

from .multi import MultiCompartment as MultiCompartment
from .on import on as on
from .parts import channel as channel
from .parts import ion as ion
from .single import SingleCompartment as SingleCompartment
