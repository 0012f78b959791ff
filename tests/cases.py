"""Cases of a test of which `make test` runs some, and `make test-all` all."""

from collections.abc import Iterable
from typing import Any

import pytest


def some_of(cases: Iterable[Any], *quick: Any) -> list[Any]:
    """All `cases`, those but the `quick` marked as thorough."""
    cases = list(cases)
    assert set(quick) <= set(cases)
    return [pytest.param(case, marks=() if case in quick else pytest.mark.thorough) for case in cases]
