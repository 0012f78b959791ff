"""Registering what a script, a notebook or a folder defines. Imports the engine, which looking up does not."""

import hashlib
import importlib
import importlib.util
import os
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any, cast

from .errors import ChannelomeError, ModelError, PackError
from .mechanisms.channels import Channel
from .mechanisms.describe import KINDS_OF_CLASSES, describe
from .mechanisms.ions import Ion
from .mechanisms.transmission import Release, Synapse
from .registry import registry
from .registry.document import SUFFIXES
from .registry.hooks import importer
from .registry.loading import place
from .registry.provenance import read_model
from .registry.sync import is_offered
from .registry.words import described

_PACKAGE = "channelome_local"


def register(what: Any, *, name: str | None = None, aliases: tuple[str, ...] = (), check: bool = False) -> Any:
    """Give a channel, ion or synapse class of this script, or a solver, a name for this process; returns it, so it decorates.

    Args:
        what: a subclass of a channel, ion or synapse base, or a solver object (then with `name`).
        name: the class's own by default.
        aliases: other spellings.
        check: first put it through the checks that packs pass, `channelome.testing`; it has no name if one fails.

    Raises:
        CollisionError: where something else has the name.
        ModelError: where `what` is none of these, or fails a check.
    """
    register_local(what, name, aliases, check)
    return what


def load_dir(folder: "str | os.PathLike[str]", *, check: bool = False) -> list[str]:
    """Register what the Python files and model files of a folder hold: a pack that is not packaged. Returns the names.

    Every public class of a channel, ion or synapse that a ``.py`` file defines is registered under its name, every cell and
    network of a ``.toml`` or ``.json`` file under the file's name. Called again, it takes what has changed.

    Args:
        folder: whose files are read, but for tests, names that begin with ``_`` and folders in it. This runs their Python code.
        check: first put the classes through the checks that packs pass, `channelome.testing`.

    Raises:
        PackError: where a file cannot be run, naming file and line.
        CollisionError: where something else has a name.
        ModelError: where there is no such folder, a model file is none, or a class fails a check.
    """
    return load_folder(folder, check)


def load_channel(path: "str | os.PathLike[str]", name: str = "") -> Any:
    """The class of channels that a file of another format holds, as NEURON's ``.mod``; a plugin reads it.

    It is a class like any other: ``SingleCompartment(1, ..., IKv=load_channel("kv3.mod"))``, ``register(load_channel(...), name=...)``.

    Args:
        path: of a file whose suffix a plugin claims (the hook ``channelome_mechanisms``).
        name: which channel, where the file holds several, as NeuroML's can.

    Raises:
        ModelError: where no installed plugin reads such files, the file cannot be read, or no channel can be made of it.
        CollisionError: where two plugins read such files.
    """
    return _loaded(Path(path), "channel", name=name)


def load_ion(path: "str | os.PathLike[str]", species: str = "", name: str = "") -> Any:
    """The class of ions that a file of another format holds: the pool, or the pump, of a ``.mod`` that writes concentrations.

    Args:
        path: as of `load_channel`.
        species: which ion, where the file holds several.
        name: which mechanism, where it holds several of one ion.

    Raises:
        ModelError, CollisionError: as `load_channel`.
    """
    return _loaded(Path(path), "ion", species, name)


def load_synapse(path: "str | os.PathLike[str]", name: str = "") -> Any:
    """The class of synapses that a file of another format holds, as a ``.mod`` with NET_RECEIVE: ``project(..., synapse=load_synapse(...))``.

    Raises:
        ModelError, CollisionError: as `load_channel`.
    """
    return _loaded(Path(path), "synapse", name=name)


def load_plasticity(path: "str | os.PathLike[str]", name: str = "") -> Any:
    """The class of short-term plasticity that the synapse in a file of another format has.

    Raises:
        ModelError, CollisionError: as `load_channel`.
    """
    return _loaded(Path(path), "plasticity", name=name)


_BASES: dict[str, type] = {"channel": Channel, "ion": Ion, "synapse": Synapse, "plasticity": Release}


def _loaded(file: Path, kind: str, species: str = "", name: str = "") -> Any:
    """The one class of a kind that a file of another format holds."""
    read = importer(file.suffix.lower(), hook="channelome_mechanisms") if file.suffix else None
    if read is None:
        known = {".mod": "channelome-nmodl", ".nml": "channelome-neuroml"}.get(file.suffix.lower())
        remedy = (
            f"`pip install {known}` brings one" if known else f"load_{kind} reads what a plugin claims by its suffix"
        )
        raise ModelError(f"no installed plugin reads {kind}s from '{file.suffix}' files, such as {file}: {remedy}.")
    if not file.is_file():
        raise ModelError(f"there is no file {file}.")
    try:
        made = read(file)
    except ChannelomeError:
        raise
    except Exception as error:
        raise ModelError(f"the plugin that reads '{file.suffix}' files failed on {file}: {described(error)}") from error
    found: list[Any] = list(made) if isinstance(made, list | tuple) else [made]
    kinds = [next((name for name, base in _BASES.items() if _is(one, base)), None) for one in found]
    if not found or None in kinds:
        raise ModelError(
            f"the plugin that reads '{file.suffix}' files made {made!r} of {file}, which is no class of channels, ions or synapses."
        )
    fitting = [one for one, of in zip(found, kinds, strict=True) if of == kind and name in ("", one.__name__)]
    if species:
        fitting = [one for one in fitting if getattr(one, "species", None) == species]
    if len(fitting) != 1:
        there = " and ".join(f"{_said(one)} ({of}: load_{of})" for one, of in zip(found, kinds, strict=True))
        what = f"{'no' if not fitting else 'more than one'} {kind}{f' {species}' if species else ''}{f' {name!r}' if name else ''}"
        raise ModelError(
            f"{file} holds {what}, but {there}."
            if not fitting
            else f"{file} holds {what}: say {'species' if kind == 'ion' else 'name'}=..., of {there}."
        )
    return fitting[0]


def _said(cls: Any) -> str:
    return f"the ion '{cls.species}', {cls.__name__}" if issubclass(cls, Ion) else cls.__name__


def register_local(what: Any, name: str | None, aliases: tuple[str, ...], check: bool) -> None:
    """Put `what` into the process's registry, under the kind that it is."""
    kind = next((kind for kind, bases in KINDS_OF_CLASSES.items() if any(_is(what, base) for base in bases)), None)
    solver = all(callable(getattr(what, member, None)) for member in ("start", "step", "voltage", "state"))
    if kind is None and not solver:
        raise ModelError(
            f"only classes of channels, ions and synapses and solver objects can be registered, not {what!r}."
        )
    if kind is None and name is None:
        raise ModelError("a solver is registered under a name: register(solver, name='mine').")
    if check:
        _check(what)
    table = describe(what) if kind is not None else None
    registry.register(what, name=name, kind=kind or "solver", aliases=aliases, table=table)


def load_folder(folder: "str | os.PathLike[str]", check: bool) -> list[str]:
    """Register what the files of a folder hold; see `channelome.load_dir`."""
    path = Path(folder).resolve()
    if not path.is_dir():
        raise ModelError(f"there is no folder {folder}.")
    package = _package(path)
    files = [
        file
        for file in sorted(path.glob("*.py"))
        if file.stem != "conftest" and not file.stem.startswith(("_", "test_"))
    ]
    classes = [cls for file in files for cls in _classes(f"{package}.{file.stem}")]
    for cls in classes:
        register_local(cls, None, (), check)
    models = sorted(file for suffix in SUFFIXES for file in path.glob(f"*{suffix}"))
    for file in models:
        model = read_model(registry, file)
        kind = "network" if model.table.get("kind") == "Network" else "cell"
        table = {"summary": str(model.table.get("title", ""))}
        registry.register(file, name=file.stem, kind=kind, table=table)
    return [*(cls.__name__ for cls in classes), *(file.stem for file in models)]


def _package(folder: Path) -> str:
    """A package whose folder this is, so that ``from .rates import x`` finds the file beside; nothing of it has run yet."""
    name = f"{_PACKAGE}_{hashlib.sha256(str(folder).encode()).hexdigest()[:8]}"
    for module in [known for known in sys.modules if known == name or known.startswith(f"{name}.")]:
        del sys.modules[module]
    spec = ModuleSpec(name, None, is_package=True)
    spec.submodule_search_locations = [str(folder)]
    sys.modules[name] = importlib.util.module_from_spec(spec)
    importlib.invalidate_caches()
    return name


def _classes(name: str) -> list[type]:
    """The classes of mechanisms that a module defines itself."""
    try:
        module = importlib.import_module(name)
    except KeyboardInterrupt:  # of the user
        raise
    except BaseException as error:
        raise PackError(f"loading it from {place(error, name)} failed: {described(error)}") from error
    own = [value for value in vars(module).values() if isinstance(value, type) and value.__module__ == name]
    bases = tuple(base for bases in KINDS_OF_CLASSES.values() for base in bases)
    return [cls for cls in own if issubclass(cls, bases) and is_offered(cls, "")]


def _check(what: Any) -> None:
    from . import testing

    if not isinstance(what, type):
        report = testing.check_solver(what)
    elif issubclass(what, Channel):
        report = testing.check_channel(what)
    elif issubclass(what, Ion):
        report = testing.check_ion(what)
    else:
        report = testing.check_synapse(cast("Any", what))
    if not report.ok:
        raise ModelError(f"it fails checks of the kit, and is not registered:\n{report}")


def _is(what: Any, base: type) -> bool:
    return isinstance(what, type) and issubclass(what, base)
