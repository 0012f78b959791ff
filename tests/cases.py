"""Tests over tables: of which `make test` runs some cases, and `make test-all` all; of mistakes and what is said of them."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest

import channelome as ch


def some_of(cases: Iterable[Any], *quick: Any) -> list[Any]:
    """All `cases`, those but the `quick` marked as thorough."""
    cases = list(cases)
    assert set(quick) <= set(cases)
    return [pytest.param(case, marks=() if case in quick else pytest.mark.thorough) for case in cases]


def each_is_named(mistakes: Mapping[str, tuple[Callable[[], object], str]]) -> Callable[[str], None]:
    """A test that each mistake is an error that says the words beside it."""

    @pytest.mark.parametrize("mistake", mistakes)
    def test(mistake: str) -> None:
        make, message = mistakes[mistake]
        with pytest.raises(ch.ChannelomeError, match=message):
            make()

    return test
