"""VERBATIM: C code that does nothing to the numbers."""

import re

from .tree import Verbatim


def is_harmless(verbatim: Verbatim) -> bool:
    """Whether C code does nothing to the numbers: comments, includes, declarations, ``return 0;``."""
    inner = re.sub(r"^VERBATIM|ENDVERBATIM$", "", verbatim.text)
    inner = re.sub(r"/\*.*?\*/|//[^\n]*", "", inner, flags=re.DOTALL)
    inner = re.sub(r"^\s*#[^\n]*", "", inner, flags=re.MULTILINE)
    inner = re.sub(r"\bextern\b[^;{}]*;", "", inner)
    inner = re.sub(r"\b(\w+)\s*=\s*_ion_\1\s*;", "", inner)  # what an ion's variable is anyway
    inner = re.sub(r"\bf?printf\s*\([^;{}]*\)\s*;", "", inner)
    inner = re.sub(r"\breturn\s*\(?\s*[\d.]*\s*\)?\s*;", "", inner)
    return not inner.strip(" \t\n;")
