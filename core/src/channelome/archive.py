"""Files of traces: ``.npz`` by NumPy and ``.nc`` (netCDF) by xarray, with the same JSON metadata and without pickle.

Arrays are named ``t``, by record (``V``, ``INa.m``), ``spikes/times``, ``spikes/neurons``, and by path in the last
state (``final/V``, ``final/channels/INa/m``, ``final/ions/ca/C_in``).
"""

import json
import os
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
from jax.core import Tracer

from .dataset import read_netcdf, to_dataset, write_netcdf
from .errors import ModelError
from .spikes import SpikeTrains
from .state import State

SCHEMA = 1
_RESERVED = ("metadata", "file", "allow_pickle")
"""What an array may not be called: our own, and the arguments of `numpy.savez_compressed`."""

_NOT_AN_ARCHIVE = (OSError, ValueError, EOFError, TypeError, AttributeError, KeyError, zipfile.BadZipFile, zlib.error)


class Contents(TypedDict):
    """What a file holds: the fields of `channelome.Traces`."""

    t: Any
    data: dict[str, Any]
    units: dict[str, str]
    spikes: SpikeTrains | None
    final: Any
    V_th: float | None
    interrupted: bool
    provenance: Mapping[str, str]


def concrete(value: Any, what: str) -> np.ndarray:
    """`value` as a NumPy array; a `ModelError` that names `what` where JAX is still tracing it."""
    if isinstance(value, Tracer):
        raise ModelError(f"{what} is being traced by JAX: plot and save outside jit, vmap and grad.")
    return np.asarray(value)


def write(path: str | os.PathLike[str], contents: Contents) -> None:
    """Write `contents` to `path`, by its suffix; the file is there whole or not at all.

    Raises:
        ModelError: for another suffix, and for what a file cannot hold.
    """
    target = Path(path)
    suffix = _suffix(target)
    part = target.with_name(target.name + ".part")
    try:
        if suffix == ".npz":
            arrays, metadata = _flatten(contents)
            with part.open("wb") as file:
                np.savez_compressed(file, metadata=np.array(metadata), **arrays)
        else:
            write_netcdf(part, _dataset(contents, with_final=True))
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)


def read(path: str | os.PathLike[str]) -> Contents:
    """What `write` wrote to `path`, with NumPy arrays.

    Raises:
        FileNotFoundError: where there is no such file.
        ModelError: for another suffix, and for a file that is broken, foreign or of an unknown schema.
    """
    source = Path(path)
    reader = {".npz": _read_npz, ".nc": read_netcdf}[_suffix(source)]
    if not source.exists():
        raise FileNotFoundError(f"there is no file {source}")
    try:
        text, arrays = reader(source)
    except _NOT_AN_ARCHIVE as error:
        raise _broken(source, f"it is not a whole {source.suffix} file of plain arrays") from error
    if text is None:
        raise _broken(source, "it has no metadata")
    contents = _assemble(source, _metadata(source, text), arrays)
    _check_samples(source, contents)
    return contents


def to_xarray(contents: Contents) -> Any:
    """An `xarray.Dataset` of everything but the last state."""
    return _dataset(contents, with_final=False)


def _dataset(contents: Contents, *, with_final: bool) -> Any:
    arrays, metadata = _flatten(contents)
    kept = {name: array for name, array in arrays.items() if with_final or not name.startswith("final/")}
    attributes = {k: v if isinstance(v, str) else json.dumps(v) for k, v in contents["provenance"].items()}
    return to_dataset(kept, units=contents["units"], size=_size(contents), metadata=metadata, attributes=attributes)


def _read_npz(path: Path) -> tuple[str | None, dict[str, np.ndarray]]:
    # numpy leaves the file open where it finds it broken
    with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
        arrays: dict[str, np.ndarray] = {name: file[name] for name in file.files}
    metadata = arrays.pop("metadata", None)
    return (None if metadata is None else str(metadata)), arrays


def _suffix(path: Path) -> str:
    if path.suffix not in (".npz", ".nc"):
        raise ModelError(f"{path}: traces are kept in .npz or .nc files, not '{path.suffix}'. Name it {path.stem}.npz.")
    return path.suffix


def _broken(path: Path, why: str) -> ModelError:
    return ModelError(f"{path} cannot be read as traces: {why}. Files are written by traces.save(path).")


# ---- from contents to named arrays and metadata --------------------------------------------------------------------


def _flatten(contents: Contents) -> tuple[dict[str, Any], str]:
    arrays: dict[str, Any] = {}

    def put(name: str, value: Any) -> None:
        array = concrete(value, f"'{name}'")
        if name in arrays or name in _RESERVED:
            raise ModelError(
                f"an array cannot be called '{name}' in a file, the name is taken: rename the record or label."
            )
        if array.dtype.kind not in "biuf":
            raise ModelError(f"'{name}' has the type {array.dtype}, which files do not hold: save float32 or float64.")
        arrays[name] = array

    put("t", contents["t"])
    if arrays["t"].ndim != 1:
        raise ModelError(f"t has the shape {arrays['t'].shape}: take one run, jax.tree.map(lambda x: x[0], traces).")
    for name, values in contents["data"].items():
        put(name, values)
    spikes, final = contents["spikes"], contents["final"]
    if spikes is not None:
        put("spikes/times", spikes.times)
        put("spikes/neurons", spikes.neurons)
    metadata = {
        "schema": SCHEMA,
        "units": contents["units"],
        "spikes": None if spikes is None else {"size": list(spikes.size)},
        "final": None if final is None else _put_state(final, put),
        "V_th": contents["V_th"],
        "interrupted": contents["interrupted"],
        "provenance": dict(contents["provenance"]),
    }
    try:
        return arrays, json.dumps(metadata)
    except TypeError as error:
        raise ModelError(f"units, V_th and provenance must be plain text and numbers to be saved: {error}.") from error


def _put_state(final: Any, put: Callable[[str, Any], None]) -> dict[str, dict[str, list[str]]]:
    """Put every array of `final` under its path. Returns all names, so that a label without arrays is kept too."""
    if not isinstance(final, State):
        raise ModelError(
            f"final is a {type(final).__name__}, and only a State can be saved: replace(traces, end=None)."
        )
    put("final/V", final.V)
    names: dict[str, dict[str, list[str]]] = {}
    for part, labels in (("channels", final.channels), ("ions", final.ions)):
        names[part] = {label: list(states) for label, states in labels.items()}
        for label, states in labels.items():
            for name, values in states.items():
                put(f"final/{part}/{label}/{name}", values)
    return names


def _size(contents: Contents) -> tuple[int, ...]:
    """Shape of the population, from whatever knows it."""
    spikes, final = contents["spikes"], contents["final"]
    if spikes is not None:
        return spikes.size
    if isinstance(final, State):
        return np.shape(final.V)
    return next((np.shape(values)[1:] for values in contents["data"].values()), ())


# ---- and back ------------------------------------------------------------------------------------------------------


def _metadata(source: Path, text: str) -> dict[str, Any]:
    try:
        metadata = json.loads(text)
        schema = metadata["schema"]
    except (ValueError, TypeError, KeyError) as error:
        raise _broken(source, "its metadata is not ours") from error
    if schema != SCHEMA:
        raise ModelError(f"{source} has the schema {schema!r}, and this channelome reads {SCHEMA}: update channelome.")
    return metadata


def _assemble(source: Path, metadata: dict[str, Any], arrays: dict[str, np.ndarray]) -> Contents:
    left = dict(arrays)
    try:
        contents = _contents(metadata, left)
    except KeyError as error:
        raise _broken(source, f"it lacks {error}") from error
    except (TypeError, AttributeError, ValueError) as error:
        raise _broken(source, "its metadata does not describe traces") from error
    if left:
        raise _broken(source, f"its metadata does not tell of {', '.join(sorted(left))}")
    return contents


def _contents(metadata: dict[str, Any], left: dict[str, np.ndarray]) -> Contents:
    """The contents that `metadata` tells of; takes their arrays out of `left`."""
    units: dict[str, str] = dict(metadata["units"])
    spikes, final, V_th = metadata["spikes"], metadata["final"], metadata["V_th"]
    return Contents(
        t=left.pop("t"),
        data={name: left.pop(name) for name in units},
        units=units,
        spikes=None if spikes is None else _spikes(tuple(map(int, spikes["size"])), left),
        final=None if final is None else _state(final, left),
        V_th=None if V_th is None else float(V_th),
        interrupted=bool(metadata["interrupted"]),
        provenance=dict(metadata["provenance"]),
    )


def _spikes(size: tuple[int, ...], left: dict[str, np.ndarray]) -> SpikeTrains:
    return SpikeTrains(left.pop("spikes/times"), left.pop("spikes/neurons"), size)


def _state(names: dict[str, dict[str, list[str]]], left: dict[str, Any]) -> State:
    def part(part: str) -> dict[str, dict[str, Any]]:
        labels = names[part].items()
        return {label: {name: left.pop(f"final/{part}/{label}/{name}") for name in states} for label, states in labels}

    return State(left.pop("final/V"), part("channels"), part("ions"))


def _check_samples(source: Path, contents: Contents) -> None:
    n = contents["t"].shape
    for name, values in contents["data"].items():
        if len(n) != 1 or values.shape[:1] != n:
            raise _broken(source, f"'{name}' has the shape {values.shape}, but t {n}")
    spikes = contents["spikes"]
    if spikes is not None and (spikes.times.ndim != 1 or spikes.times.shape != spikes.neurons.shape):
        raise _broken(source, f"it has {spikes.times.shape} spike times of {spikes.neurons.shape} neurons")
