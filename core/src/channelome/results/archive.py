"""Files of runs: ``.npz`` by NumPy and ``.nc`` (netCDF) by xarray, with the same JSON metadata and without pickle.

Arrays are named ``t``, by record (``V``, ``INa.m``), ``spikes/times``, ``spikes/neurons`` (of a network by population,
``spikes/E/times``), and by path in the last state (``final/V``, ``final/channels/INa/m``, ``final/cells/E/V``).
"""

import dataclasses
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, TypedDict

import jax
import numpy as np
from jax.core import Tracer

from ..equality import same
from ..errors import ChannelomeError, ModelError
from .arrays import Unreadable, names, read_npz
from .dataset import read_netcdf, to_dataset, write_netcdf
from .spikes import SpikeTrains
from .validity import check_records, check_spikes, check_times, size_of

SCHEMA = 1
_RESERVED = ("metadata", "file", "allow_pickle")
"""What an array may not be called: our own, and the arguments of `numpy.savez_compressed`."""

Kind = Literal["traces", "activity"]
_CLASSES: dict[Kind, str] = {"traces": "Traces", "activity": "Activity"}


class Contents(TypedDict):
    """What a file holds: the fields of `channelome.Traces`, or of `channelome.Activity`, whose spikes are by population.

    `final` is a state when it is written, and nested dictionaries of its fields as it is read.
    """

    t: Any
    data: dict[str, Any]
    units: dict[str, str]
    spikes: SpikeTrains | dict[str, SpikeTrains] | None
    final: Any
    V_th: float | None
    interrupted: bool
    provenance: Mapping[str, str]


def fetched(x: Any) -> np.ndarray:
    """The whole of an array, also where other processes hold shares of it."""
    if isinstance(x, jax.Array) and not x.is_fully_addressable:
        from jax.experimental.multihost_utils import process_allgather

        return np.asarray(process_allgather(x, tiled=True))
    return np.asarray(x)


def concrete(value: Any, what: str) -> np.ndarray:
    """`value` as a NumPy array; a `ModelError` that names `what` where JAX is still tracing it."""
    if isinstance(value, Tracer):
        raise ModelError(f"{what} is being traced by JAX: plot and save outside jit, vmap and grad.")
    return np.asarray(value)


def fields(run: Any, *, compared: bool = False) -> tuple[Any, ...]:
    """The fields of traces or of an activity as they travel: plain, and `end` the state itself; or those that are compared."""

    def plain(x: Any) -> Any:
        return fetched(x) if isinstance(x, jax.Array) else x

    values = {
        field.name: getattr(run, field.name)
        for field in dataclasses.fields(run)
        if (field.compare or not compared) and field.name != "again"  # a function, which stays
    }
    values |= {"t": plain(run.t), "data": {name: plain(x) for name, x in run.data.items()}}
    values |= {"end": jax.tree.map(plain, run.final), "provenance": dict(run.provenance)}
    return tuple(values.values())


def alike(a: Any, b: Any) -> bool:
    """Whether two runs hold the same, as NumPy or as JAX arrays."""
    return same(fields(a, compared=True), fields(b, compared=True))


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
            write_netcdf(part, _dataset(contents))
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)


def read(
    path: str | os.PathLike[str], kind: Kind, state: Callable[[dict[str, Any]], Any], max_bytes: int | None = None
) -> Contents:
    """What `write` wrote to `path`, with NumPy arrays.

    Args:
        kind: what it should hold.
        state: makes the last state of its fields.
        max_bytes: what its arrays may take; 256 MiB or a hundred times the file if None.

    Raises:
        FileNotFoundError: where there is no such file.
        ModelError: for another suffix, and for a file that is broken, foreign, of the other kind or of an unknown schema, that
            contradicts itself or the laws of time, or that takes more memory than it may or than there is.
    """
    source = Path(path)
    reader = {".npz": read_npz, ".nc": read_netcdf}[_suffix(source)]
    if not source.exists():
        raise FileNotFoundError(f"there is no file {source}")
    try:
        text, arrays = reader(source, max_bytes)
    except (ChannelomeError, ImportError):
        raise
    except Unreadable as error:
        raise _broken(source, kind, str(error)) from error
    except Exception as error:  # of NumPy, zipfile, zlib, HDF5: they raise whatever their bytes lead them to
        raise _broken(source, kind, f"it is not a whole {source.suffix} file of plain arrays") from error
    if text is None:
        raise _broken(source, kind, "it has no metadata")
    return _assemble(source, kind, _metadata(source, kind, text), arrays, state)


def to_xarray(contents: Contents) -> Any:
    """An `xarray.Dataset` of the records over time alone: spikes are no table of the same rows."""
    arrays, _ = _flatten(contents)
    kept = {name: array for name, array in arrays.items() if name == "t" or name in contents["units"]}
    return to_dataset(
        kept, units=contents["units"], size=_size(contents), metadata="", attributes=_attributes(contents)
    )


def _dataset(contents: Contents) -> Any:
    arrays, metadata = _flatten(contents)
    return to_dataset(
        arrays, units=contents["units"], size=_size(contents), metadata=metadata, attributes=_attributes(contents)
    )


def _attributes(contents: Contents) -> dict[str, str]:
    return {k: v if isinstance(v, str) else json.dumps(v) for k, v in contents["provenance"].items()}


def _suffix(path: Path) -> str:
    if path.suffix not in (".npz", ".nc"):
        raise ModelError(f"{path}: runs are kept in .npz or .nc files, not '{path.suffix}'. Name it {path.stem}.npz.")
    return path.suffix


def _broken(path: Path, kind: Kind, why: str) -> ModelError:
    return ModelError(f"{path} cannot be read as {kind}: {why}. Files are written by {kind}.save(path).")


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
    _check_kept(contents)
    for name, values in contents["data"].items():
        put(name, values)
    spikes, final = contents["spikes"], contents["final"]
    if final is not None and not hasattr(final, "_fields"):
        raise ModelError(f"final is a {type(final).__name__}, and only a State can be saved: replace(run, end=None).")
    metadata = {
        "schema": SCHEMA,
        "of": "activity" if isinstance(spikes, dict) else "traces",
        "units": contents["units"],
        "spikes": _put_spikes(spikes, put),
        "final": _put_state(final, "final", put),
        "V_th": contents["V_th"],
        "interrupted": contents["interrupted"],
        "provenance": dict(contents["provenance"]),
    }
    try:
        return arrays, json.dumps(metadata)
    except TypeError as error:
        raise ModelError(f"units, V_th and provenance must be plain text and numbers to be saved: {error}.") from error


def _check_kept(contents: Contents) -> None:
    """Refuse what `read` would not believe."""
    spikes = contents["spikes"]
    try:
        check_times(concrete(contents["t"], "t"))
        for trains in spikes.values() if isinstance(spikes, dict) else [spikes] if spikes is not None else []:
            check_spikes(trains, "")
    except Unreadable as error:
        raise ModelError(f"this is no run that a file can hold: {error}.") from error


def _put_spikes(spikes: Any, put: Callable[[str, Any], None], where: str = "spikes") -> Any:
    """Put the arrays of `spikes`. Returns the sizes of populations, by name where `spikes` are."""
    if spikes is None:
        return None
    if isinstance(spikes, dict):
        return {name: _put_spikes(trains, put, f"spikes/{name}") for name, trains in spikes.items()}
    put(f"{where}/times", spikes.times)
    put(f"{where}/neurons", spikes.neurons)
    return list(spikes.size)


def _put_state(part: Any, where: str, put: Callable[[str, Any], None]) -> Any:
    """Put every array of `part` under its path. Returns the names alone, so that a label without arrays is kept too."""
    if part is None:
        return None
    fields = part._asdict() if hasattr(part, "_asdict") else part
    if isinstance(fields, dict):
        return {name: _put_state(x, f"{where}/{name}", put) for name, x in fields.items()}
    put(where, part)
    return "array"


def _size(contents: Contents) -> tuple[int, ...]:
    """Shape of the population, from whatever knows it; of a network no one shape."""
    spikes, final = contents["spikes"], contents["final"]
    if isinstance(spikes, dict):
        return ()
    if spikes is not None:
        return spikes.size
    if final is not None:
        return np.shape(final.V)
    return next((np.shape(values)[1:] for values in contents["data"].values()), ())


# ---- and back ------------------------------------------------------------------------------------------------------


def _metadata(source: Path, kind: Kind, text: str) -> dict[str, Any]:
    try:
        metadata = json.loads(text)
        schema = metadata["schema"]
    except Exception as error:  # also of lists in lists without end
        raise _broken(source, kind, "its metadata is not ours") from error
    if schema != SCHEMA:
        raise ModelError(
            f"{source} has the schema {schema!r:.40}, and this channelome reads {SCHEMA}: update channelome."
        )
    other = metadata.get("of", kind)
    if other != kind and other not in list(_CLASSES):
        raise _broken(source, kind, f"its metadata does not describe {kind}")
    if other != kind:
        raise ModelError(f"{source} does not hold {kind}: load it with channelome.{_CLASSES[other]}.load.")
    return metadata


def _assemble(
    source: Path, kind: Kind, metadata: dict[str, Any], arrays: dict[str, np.ndarray], state: Callable[..., Any]
) -> Contents:
    left = dict(arrays)
    try:
        contents = _contents(metadata, left, state)
    except Unreadable as error:
        raise _broken(source, kind, str(error)) from error
    except KeyError as error:
        raise _broken(source, kind, f"it lacks {error!s:.80}") from error
    except Exception as error:
        raise _broken(source, kind, f"its metadata does not describe {kind}") from error
    if left:
        raise _broken(source, kind, f"its metadata does not tell of {names(left)}")
    return contents


def _contents(metadata: dict[str, Any], left: dict[str, np.ndarray], state: Callable[..., Any]) -> Contents:
    """The contents that `metadata` tells of; takes their arrays out of `left`."""
    units: dict[str, str] = dict(metadata["units"])
    final, V_th, interrupted = metadata["final"], metadata["V_th"], metadata["interrupted"]
    if type(interrupted) is not bool or not (V_th is None or (type(V_th) in (int, float) and abs(V_th) < 1e300)):
        raise Unreadable("its threshold or its end are none")
    t = left.pop("t")
    data = {name: left.pop(name) for name in units}
    check_times(t)
    check_records(data, units, len(t))
    return Contents(
        t=t,
        data=data,
        units=units,
        spikes=_spikes(metadata["spikes"], left),
        final=None if final is None else state(_state(final, "final", left)),
        V_th=None if V_th is None else float(V_th),
        interrupted=interrupted,
        provenance=dict(metadata["provenance"]),
    )


def _spikes(sizes: Any, left: dict[str, np.ndarray], where: str = "spikes") -> Any:
    if sizes is None:
        return None
    if isinstance(sizes, dict) and where == "spikes":
        return {name: _spikes(size, left, f"spikes/{name}") for name, size in sizes.items()}
    trains = SpikeTrains(left.pop(f"{where}/times"), left.pop(f"{where}/neurons"), size_of(sizes))
    check_spikes(trains, "" if where == "spikes" else f" in '{where[7:60]}'")
    return trains


def _state(names: Any, where: str, left: dict[str, Any]) -> Any:
    if isinstance(names, dict):
        return {name: _state(x, f"{where}/{name}", left) for name, x in names.items()}
    return None if names is None else left.pop(where)
