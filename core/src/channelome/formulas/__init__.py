"""Formulas, and the classes that they amount to: what importers of other formats make of files, at run time and as text."""
