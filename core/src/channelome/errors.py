"""Errors: each names the thing, the place and the way out."""

from collections.abc import Iterator
from contextlib import contextmanager


class ChannelomeError(Exception):
    """Base of every error that channelome raises on purpose."""


class UnitError(ChannelomeError, TypeError):
    """A value with a missing or wrong unit, or outside the values that a parameter may have."""


class DefinitionError(ChannelomeError, TypeError):
    """A mistake in the class of a channel, an ion or a solver, found when it is defined."""


class ModelError(ChannelomeError, ValueError):
    """A mistake in a model or in what is asked of it, found when it is built or before it runs."""


class UnknownName(ChannelomeError, LookupError):
    """A name that nothing answers to."""


class PackError(ChannelomeError, ImportError):
    """A pack that is broken or does not fit this version."""


class CollisionError(PackError):
    """Two installed distributions claim one name."""


class MismatchWarning(UserWarning):
    """A model file was saved with other versions of its packs. Says what has changed."""


class ChannelomeDeprecationWarning(DeprecationWarning):
    """A name that shall go away. Shown at the line of the script that uses it."""


class SimulationError(ChannelomeError, ArithmeticError):
    """A run that left the numbers: a state became NaN or infinite."""


@contextmanager
def told_of(what: str) -> Iterator[None]:
    """Say of errors in a model, and of its units, what of it they are about."""
    try:
        yield
    except (ModelError, UnitError) as error:
        raise type(error)(f"{what}: {error}") from None
