"""What is installed that numbers rest on: Python, and distributions with all that they need. Imports neither JAX nor a pack."""

import platform
import re
from collections.abc import Iterable, Mapping

PYTHON = "python"
"""What Python is called beside distributions."""


def needs(names: Iterable[str]) -> dict[str, str]:
    """Version of each distribution that these need in turn, themselves left out, by name in the order of the alphabet.

    What they offer as an extra does not count, and neither does what is not installed, since another system needs it.
    """
    import importlib_metadata

    found: dict[str, str] = {}
    asked = [_plain(name) for name in names]
    seen, waiting = set[str](), list(asked)
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        try:
            distribution = importlib_metadata.distribution(name)
        except importlib_metadata.PackageNotFoundError:
            continue
        if name not in asked:
            found[name] = str(distribution.version)
        waiting += [_plain(one) for one in distribution.requires or () if not re.search(r";.*\bextra\b", one)]
    return dict(sorted(found.items()))


def environment(names: Iterable[str]) -> dict[str, str]:
    """Python and `needs`, for the provenance of a model."""
    return {PYTHON: platform.python_version(), **needs(names)}


def pins(own: Iterable[str], around: Mapping[str, str]) -> list[str]:
    """Lines of a requirements file: ours, and an `environment`. Python, which pip does not install, is a comment."""
    python = [f"# Python {around[PYTHON]}"] if PYTHON in around else []
    rest = [f"{name}=={version}" for name, version in around.items() if name != PYTHON]
    return [*python, *dict.fromkeys([*own, *rest])]


def _plain(requirement: str) -> str:
    """The name in a requirement, as all spellings of it have it."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\s\[<>=~!;(]", requirement.strip())[0]).lower()
