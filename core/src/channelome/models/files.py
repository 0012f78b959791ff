"""What a user calls: cells and networks by name and from files, and into files."""

import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ..cells import MultiCompartment, SingleCompartment
from ..errors import ChannelomeError, MismatchWarning, ModelError
from ..networks import Network
from ..registry import registry
from ..registry.document import MAX_BYTES, SUFFIXES, dump
from ..registry.hooks import building, importer, model_built
from ..registry.loading import outer_level
from ..registry.provenance import Model, changes, check_installed, read_model
from ..registry.words import described
from .build import build
from .shape import beside
from .table import table_of

OnMismatch = Literal["strict", "warn", "ignore"]


def cell(
    what: "str | os.PathLike[str] | Mapping[str, Any]", /, *, size: Any = None, **changes: Any
) -> SingleCompartment | MultiCompartment:
    """A whole cell, by name (``"SquidAxon_HH1952"``), from a TOML or JSON file, or from a table of the same form.

    Args:
        what: a registered name; a path ending in ``.toml`` or ``.json``; or a mapping.
        size: of the population, if not the model's own.
        changes: parameters other than the model's, with units: ``C=...``, ``**{"INa.g_max": ...}``.

    Raises:
        UnknownName: where no installed pack has the name.
        ModelError: for a table that is not a cell, naming the entry.
        UnitError: for a value with a missing or wrong unit.
    """
    model = read_model(registry, what, "cell")
    if model.table.get("kind") == "Network":
        raise ModelError(f"{model.where} is a network, not a cell: channelome.network(...) reads it.")
    built = _built(model, "warn", size)
    return built.replace(**changes) if changes else built


def network(what: "str | os.PathLike[str] | Mapping[str, Any]", /, **changes: Any) -> Network:
    """A whole network, by name (``"COBAHH_Brette2007"``), from a TOML or JSON file, or from a table of the same form.

    Args:
        what: a registered name; a path ending in ``.toml`` or ``.json``; or a mapping.
        changes: ``seed=...``, and values other than the model's, as of `Network.replace`: ``**{"exc.weight": "7 nS"}``.

    Raises:
        UnknownName, ModelError, UnitError: as `cell`.
    """
    model = read_model(registry, what, "network")
    if model.table.get("kind") != "Network":
        raise ModelError(f"{model.where} is a cell, not a network: channelome.cell(...) reads it.")
    if "seed" in changes:
        model = model._replace(table={**model.table, "seed": _seed(changes.pop("seed"))})
    built = _built(model, "warn")
    return built.replace(**changes) if changes else built


def load(path: "str | os.PathLike[str]", *, on_mismatch: OnMismatch = "warn") -> Any:
    """The cell or network that `save` wrote to `path`, or that was written by hand.

    Args:
        path: of a ``.toml`` or ``.json`` file, or of one that a plugin reads (the hook ``channelome_importers``).
        on_mismatch: what to do where packs are others than when the file was saved: ``"strict"`` raises, ``"warn"``
            warns (`MismatchWarning`), ``"ignore"`` does neither. Both say what has changed.

    Raises:
        UnknownName: where a pack is missing, with the command that installs it.
        ModelError: for a file that is no model, naming the place; for a mismatch if strict.
        UnitError: for a value with a missing or wrong unit.
    """
    if on_mismatch not in ("strict", "warn", "ignore"):
        raise ModelError(f"on_mismatch must be 'strict', 'warn' or 'ignore', not {on_mismatch!r}.")
    if Path(path).suffix not in SUFFIXES and (imported := _imported(Path(path))) is not None:
        return _built(imported, on_mismatch) if isinstance(imported, Model) else imported
    if isinstance(path, str) and Path(path).suffix not in SUFFIXES:
        raise ModelError(
            f"'{path}' is no .toml or .json file, and no plugin reads '{Path(path).suffix}' files: cells and networks by name "
            f"are cell(...) and network(...)."
        )
    return _built(read_model(registry, Path(path)), on_mismatch)


def save(
    model: SingleCompartment | MultiCompartment | Network,
    path: "str | os.PathLike[str]",
    *,
    title: str = "",
    morphology: str = "",
) -> None:
    """Write a cell or a network to `path`, ``.toml`` or ``.json``: names, numbers with units, provenance; no code.

    What was sampled is kept as it was written, with its seed; other arrays are lists of numbers. The file is there whole
    or not at all.

    Args:
        model: a cell or network.
        path: of the file.
        title: what it is, for people.
        morphology: name of an SWC file beside it that holds the shape of a reconstructed cell, which then stands there alone.

    Raises:
        ModelError: for another suffix, a part whose class has no registered name, and a model with so many numbers of
            its own that the file would be larger than one may be.
    """
    file = Path(path)
    if file.suffix not in SUFFIXES:
        raise ModelError(
            f"{file}: models are saved in .toml or .json files, not '{file.suffix}'. Name it {file.stem}.toml."
        )
    table = table_of(model, title, beside(morphology, file.parent, model) if morphology else None)
    text = dump(table, file.suffix).encode()
    if len(text) > MAX_BYTES:
        raise ModelError(
            f"{file} would have {len(text) >> 20} MiB, and a model file has at most {MAX_BYTES >> 20}: give connections by a rule "
            f"and arrays by normal(...) or uniform(...), or keep them in an .npz file that your script reads."
        )
    part = file.with_name(file.name + ".part")
    try:
        part.write_bytes(text)
        os.replace(part, file)
    finally:
        part.unlink(missing_ok=True)


def _seed(seed: Any) -> int:
    if not isinstance(seed, int | np.integer) or isinstance(seed, bool) or seed < 0:
        raise ModelError(f"seed must be a whole number from 0, not {seed!r}.")
    return int(seed)


def _imported(file: Path) -> Model | SingleCompartment | MultiCompartment | Network | None:
    """The model that a plugin reads from a file of another format, or the cell or network itself; None where no plugin does."""
    read = importer(file.suffix) if file.suffix else None
    if read is None:
        return None
    if not file.is_file():
        raise ModelError(f"there is no file {file}.")
    try:
        table = read(file)
    except (ChannelomeError, KeyboardInterrupt):  # the latter of the user
        raise
    except BaseException as error:  # a plugin that calls exit() must not take the session with it
        raise ModelError(f"{file} cannot be read by {read.__module__}: {described(error)}") from error
    if isinstance(table, SingleCompartment | MultiCompartment | Network):
        return table
    if not isinstance(table, Mapping):
        raise ModelError(
            f"{file}: {read.__module__} must return the table of a model, or a cell or network, not {table!r:.100}."
        )
    return read_model(registry, table)._replace(where=str(file), folder=file.parent)


def _built(model: Model, on_mismatch: OnMismatch, size: Any = None) -> Any:
    check_installed(registry, model)
    changed = [] if on_mismatch == "ignore" else changes(registry, model.table)
    if changed:
        said = f"{model.where} was saved with other packs: {'; '.join(changed)}."
        if on_mismatch == "strict":
            raise ModelError(
                f"{said} `channelome freeze {model.where}` says what to install; on_mismatch='warn' loads it."
            )
        warnings.warn(f"{said} Values in the file are used as they are.", MismatchWarning, stacklevel=outer_level())
    with building():
        built = build(model, size)
    model_built(built)
    return built
