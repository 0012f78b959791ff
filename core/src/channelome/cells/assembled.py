"""A cell as it is written: ions and channels by label, whatever its shape; what all kinds of cell do with them before they run."""

from collections.abc import Mapping
from typing import Annotated, Self

from ..mechanisms.channels import Channel
from ..mechanisms.ions import Ion
from ..module import NODE, STATIC, Module
from ..registry import registry
from ..registry.cite import of_parts
from ..registry.provenance import About
from ..streams import Stream
from .show import as_html, text


class Assembled(Module):
    """Base of the kinds of cell: their parts, drawing what is sampled, citing, showing."""

    ions: Annotated[Mapping[str, Ion], NODE]
    channels: Annotated[Mapping[str, Channel], NODE]
    about: Annotated[About, STATIC] = About()
    """The registered cell or the file that it was made from, for citations."""

    @property
    def _drawn_shape(self) -> tuple[int, ...]:
        """Of a sampled parameter: one value for each cell."""
        raise NotImplementedError

    def drawn_from(self, stream: Stream) -> Self:
        """A copy whose sampled values without a seed of their own follow from the stream: of a network's seed and a label."""
        shape = self._drawn_shape
        new = self.drawn(shape, stream)
        parts = {
            name: {label: part.drawn(shape, stream.of(label)) for label, part in getattr(self, name).items()}
            for name in ("ions", "channels")
        }
        if new is self and all(part is getattr(self, of)[label] for of in parts for label, part in parts[of].items()):
            return self
        copy = object.__new__(type(self))
        copy.__dict__.update(new.__dict__, **parts)
        return copy

    @property
    def classes(self) -> list[type[Module]]:
        """The classes of its ions and channels, each once."""
        return list(dict.fromkeys(type(part) for part in (*self.ions.values(), *self.channels.values())))

    def cite(self, style: str = "text") -> str:
        """References of the model and of its mechanisms, as ``"text"``, ``"bibtex"`` or ``"csl-json"``."""
        return of_parts(registry, [self.about], self.classes, style)

    def __repr__(self) -> str:
        return text(self)

    def _repr_html_(self) -> str:
        return as_html(self)
