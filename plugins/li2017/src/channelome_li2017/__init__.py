"""Cells of the thalamus after Li, Henriquez & Froehlich (2017): data in `models/`, no code."""
