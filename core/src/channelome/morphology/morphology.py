"""A reconstructed cell: the class that users hold."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ..errors import ModelError
from . import build, morphio_files
from .anatomy import Anatomy
from .branches import Branches, branches, without_empty
from .compartments import Compartments
from .discretise import PerBranch, Rule, discretise
from .pictures import cell, dendrogram
from .points import Points, asked, check_repairs, tree
from .regions import mask
from .report import report
from .swc import parse, read_text
from .table import from_table, to_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Morphology:
    """Branches of frusta that form a tree. Frozen; NumPy alone; equal to another with the same branches and names.

    Lengths are in um, areas in um^2, volumes in um^3. Make one with `from_swc`, `from_file`, `from_neuromorpho`, by hand with `soma` and
    `branch`, or take `example`.

    Attributes:
        anatomy: what it is made of.
    """

    anatomy: Anatomy

    def __init__(self, anatomy: Anatomy) -> None:
        if not isinstance(anatomy, Anatomy):
            raise ModelError(
                f"a Morphology is read from a file, Morphology.from_swc('cell.swc') or from_file, or built, Morphology.soma('20 um').branch(...); "
                f"it is not made of {anatomy!r}."
            )
        object.__setattr__(self, "anatomy", anatomy)

    @classmethod
    def from_swc(
        cls, path: str | Path, *, repair: str | Sequence[str] = (), names: Mapping[str, str] | None = None
    ) -> Self:
        """The cell of an SWC file, its soma and branches as NEURON's Import3d has them.

        Args:
            path: of the file.
            repair: what to mend, by name, several in a list or a string, or "all": ``duplicates``, ``parents``, ``roots``, ``order``,
                ``diameters``, ``lengths``. What was done is in `notes` and in `report`.
            names: regions under names of one's own.

        Raises:
            ModelError: for what is wrong in the file, with its lines and the way out.
        """
        return cls.from_points(
            parse(read_text(path), Path(path).name), source=Path(path).name, repair=repair, names=names
        )

    @classmethod
    def from_file(
        cls, path: str | Path, *, repair: str | Sequence[str] = (), names: Mapping[str, str] | None = None
    ) -> Self:
        """The cell of a file, by its ending: ``.swc``; ``.nml`` (NeuroML 2); ``.asc`` (Neurolucida) and ``.h5`` with the extra ``morphology``.

        Args:
            path: of the file.
            repair: as in `from_swc`; of other files only ``lengths`` can be asked, of ``.asc`` and ``.h5`` ``diameters`` too.
            names: regions under names of one's own, beside those of the file.

        Raises:
            ImportError: for files that need the extra, without it.
            ModelError: for another ending, and for what is wrong in the file.
        """
        if not isinstance(path, str | Path):
            raise ModelError(f"a morphology is read from the path of a file, such as 'cell.swc', not {path!r}.")
        path, wanted = Path(path), asked(repair)
        kind = path.suffix.lower()
        if kind == ".swc":
            return cls.from_swc(path, repair=repair, names=names)
        if kind in (".asc", ".h5"):
            check_repairs(wanted, {"lengths", "diameters"}, kind)
            found, notes = morphio_files.read(path, wanted)
            groups: dict[str, str | tuple[int, ...]] = {}
        elif kind in (".nml", ".xml"):
            from . import neuroml  # not above: XML takes 6 ms of every start

            check_repairs(wanted, {"lengths"}, kind)
            found, groups = neuroml.parse(read_text(path), path.name)
            notes = ()
        else:
            raise ModelError(f"'{path.name}' ends with none of .swc, .nml, .asc, .h5, by which the format is told.")
        found, more = without_empty(found, path.name, wanted)
        return cls(Anatomy(found, path.name, groups, (*notes, *more))).named(**(names or {}))

    @classmethod
    def example(cls) -> Self:
        """A pyramidal cell to try things on: soma, axon stub, basal and apical dendrites with obliques and a tuft, 57 branches, 4.0 mm.

        It is grown at random, nobody's reconstruction: our choice. `tests/morphology/make_cells.py` made it.
        """
        return cls.from_swc(Path(__file__).with_name("pyramidal.swc"))

    @classmethod
    def from_points(
        cls,
        points: Points,
        *,
        source: str = "points",
        repair: str | Sequence[str] = (),
        names: Mapping[str, str] | None = None,
    ) -> Self:
        """The cell of points as SWC files list them, read by other means."""
        if not isinstance(points, Points):
            raise ModelError(
                f"from_points() takes Points, of channelome.morphology, and not {points!r}; a file is read by from_swc()."
            )
        mend = asked(repair)
        ordered, parent, notes = tree(points, source, mend)
        found, more = without_empty(branches(ordered, parent), source, mend)
        return cls(Anatomy(found, source, {}, (*notes, *more))).named(**(names or {}))

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> Self:
        """The cell that `to_table` gave, from a file of a model for instance. Its names are checked when they are used.

        Raises:
            ModelError: for what is missing, unknown or not a tree.
        """
        return cls(from_table(table))

    def to_table(self) -> dict[str, Any]:
        """Branches and names as lists, numbers and texts, in um, which TOML and JSON can hold; equal when read again."""
        return to_table(self.anatomy)

    @classmethod
    def from_neuromorpho(
        cls,
        name: str,
        *,
        sha256: str | None = None,
        cache: str | Path | None = None,
        refresh: bool = False,
        server: str = "https://neuromorpho.org",
        repair: str | Sequence[str] = (),
        names: Mapping[str, str] | None = None,
    ) -> Self:
        """A cell of NeuroMorpho.org by its name there, from the cache if it was fetched before.

        Args:
            name: of the neuron, ``"n120"``.
            sha256: what the file must have, so that a published model stays what it was; the cache holds that of its first fetch to it.
            cache: folder; None for ``channelome/neuromorpho`` in the user's cache folder.
            refresh: fetch it again even if the cache has it.
            server: address of NeuroMorpho.org or a mirror.

        Raises:
            ModelError: if the name is unknown, the server cannot be reached, or the file is another than it was.
        """
        from . import neuromorpho  # late: it takes longer to import than all the rest

        path = neuromorpho.fetched(name, sha256=sha256, cache=cache, refresh=refresh, server=server)
        return cls.from_swc(path, repair=repair, names=names)

    @classmethod
    def soma(cls, diameter: Any, *, length: Any = None) -> Self:
        """A soma alone: a sphere of this diameter, or a cylinder of this length. Go on with `branch`."""
        return cls(build.soma(diameter, length))

    @classmethod
    def ball_and_stick(cls, *, soma: Any = "20 um", length: Any = "500 um", diameter: Any = "2 um") -> Self:
        """A spherical soma with one dendrite, ``dend[0]``. The defaults are our choice."""
        return cls.soma(soma).branch("dend", length=length, diameter=diameter)

    def branch(
        self, name: str, *, length: Any = None, diameter: Any = None, points: Any = None, at: str = "soma",
        type: str | int | None = None, direction: Sequence[float] | None = None,
    ) -> Self:  # fmt: skip
        """A copy with one more branch.

        Args:
            name: ``axon``, ``dend``, ``apical``, or a word of one's own, which then stands for all branches added under it.
            length: of a straight branch.
            diameter: of it; two for a branch that tapers, at its beginning and end.
            points: in place of these, x, y, z and diameter in um, shape (n, 4), with the unit: ``(points, "um")``.
            at: the place where it is connected. At the middle of a soma its way to there costs nothing.
            type: where the name is none: ``axon``, ``dend`` (if left out), ``apical``, or a number as in SWC.
            direction: of a straight branch, for pictures; else it is chosen.

        Raises:
            ModelError: if the place is unknown or not one, or the shape is not given or given twice.
            UnitError: for a length or diameter without unit, or not positive.
        """
        return self.__class__(
            build.branch(
                self.anatomy,
                name,
                length=length,
                diameter=diameter,
                points=points,
                at=at,
                type=type,
                direction=direction,
            )
        )

    def named(self, /, **names: str) -> Self:
        """A copy in which regions have names: ``morph.named(tuft="apical & distance > 300 um")``.

        Raises:
            ModelError: for a text that is no region of the cell, or a name that has a meaning already.
        """
        for name, text in names.items():
            if not isinstance(text, str):
                raise ModelError(
                    f"the region '{name}' is written as text, such as 'apical & distance > 300 um', not {text!r}."
                )
        new = self.__class__(
            Anatomy(self.anatomy.branches, self.anatomy.source, {**self.anatomy.groups, **names}, self.anatomy.notes)
        )
        for name in names:
            mask(new.anatomy, name, np.zeros(1, int), np.zeros(1))
        return new

    def discretise(self, rule: Rule, *, Ra: Any = None, C: Any = None) -> Compartments:
        """The cell cut into compartments by `per_branch`, `max_length` or `d_lambda`.

        Args:
            rule: how finely.
            Ra: axial resistivity, with unit; `d_lambda` needs it. One, or one for each branch.
            C: capacitance of the membrane, with unit; `d_lambda` needs it. One, or one for each branch.
        """
        return discretise(self.anatomy, rule, Ra, C)

    @property
    def branches(self) -> Branches:
        """The branches as arrays: points, parents, places on them, types."""
        return self.anatomy.branches

    @property
    def lengths(self) -> np.ndarray:
        """Shape (branches,), um."""
        return self.anatomy.frusta.lengths

    @property
    def areas(self) -> np.ndarray:
        """Shape (branches,), um^2: of the membrane, without flat ends."""
        return self.anatomy.frusta.areas

    @property
    def volumes(self) -> np.ndarray:
        """Shape (branches,), um^3."""
        return self.anatomy.frusta.volumes

    @property
    def orders(self) -> np.ndarray:
        """Shape (branches,): branch order. The soma has 0, what begins at it 1."""
        return self.anatomy.orders

    @property
    def distances(self) -> np.ndarray:
        """Shape (branches, 2), um: way from the middle of the soma along the axis to the beginning and end of each branch."""
        every = np.arange(len(self))
        return np.column_stack([self.anatomy.distance(every, np.full(len(self), end)) for end in (0.0, 1.0)])

    @property
    def labels(self) -> list[str]:
        """The names of all branches, in order."""
        return [self.anatomy.label(i) for i in range(len(self))]

    @property
    def notes(self) -> tuple[str, ...]:
        """What was repaired when it was read."""
        return self.anatomy.notes

    def report(self) -> str:
        """Measures by type, what deserves a look, what was repaired, as text."""
        return report(self.anatomy)

    def plot(self, *, projection: str = "xy", ax: Any = None) -> "Figure":
        """The cell from one side, branches coloured by type; `projection` names two of x, y, z, or is "3d"."""
        return cell(self.discretise(PerBranch(1)), projection, ax)

    def plot_dendrogram(self, *, ax: Any = None) -> "Figure":
        """Branches as lines over the way from the soma, each as thick as it is."""
        return dendrogram(self.anatomy, ax)

    def __len__(self) -> int:
        return len(self.anatomy)

    def __repr__(self) -> str:
        return f"Morphology({self.anatomy.source}: {self.anatomy.census()}; {self.lengths.sum():.5g} um, {self.areas.sum():.5g} um^2)"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Morphology):
            return NotImplemented
        return self.anatomy.same_as(other.anatomy)

    def __hash__(self) -> int:
        return hash((len(self), self.branches.points.tobytes()))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a Morphology cannot be changed; make the next one with branch() or named().")
