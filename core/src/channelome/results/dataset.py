"""A run as an `xarray.Dataset`, and as a netCDF file of one.

Arrays come and go by the names that `channelome.results.archive` gives them. Where a dataset calls one otherwise, for netCDF
names hold no slash, the variable's attribute ``channelome_name`` keeps the name.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..errors import ModelError
from .arrays import Unreadable, check_room

if TYPE_CHECKING:
    import xarray

_METADATA = "channelome_metadata"
_NAME = "channelome_name"
_OWN = {"t": "time", "spikes/times": "spike_time", "spikes/neurons": "spike_neuron"}


def to_dataset(
    arrays: Mapping[str, np.ndarray],
    *,
    units: Mapping[str, str],
    size: tuple[int, ...],
    metadata: str,
    attributes: Mapping[str, str],
) -> "xarray.Dataset":
    """A dataset of `arrays`, with the coordinate ``time`` in ms and the spikes as ``spike_time`` and ``spike_neuron``.

    Args:
        arrays: ``"t"``, the records, and what else there is; a name with slashes becomes one with dots.
        units: of the records, by name.
        size: shape of the population, whose axes become ``neuron``, or ``neuron_0``, ``neuron_1`` and so on.
        metadata: JSON text for the reader of a file; empty for none.
        attributes: of the whole dataset.

    Raises:
        ModelError: where two arrays would have the same name.
    """
    variables: dict[str, Any] = {}
    for name, array in arrays.items():
        variable = _OWN.get(name, name.replace("/", "."))
        if variable in variables or variable in ("spike", "neuron"):
            raise ModelError(
                f"the array '{name}' cannot be called '{variable}' in a dataset: rename the record or label."
            )
        attrs = {"units": units[name]} if name in units else {}
        if name == "t" or (name.startswith("spikes/") and name.endswith("/times")):
            attrs["units"] = "ms"
        if variable != name:
            attrs[_NAME] = name
        variables[variable] = (_axes(name, variable, array.shape, units, size), array, attrs)
    times = {name: variables.pop(name) for name in ("time",) if name in variables}
    return _xarray().Dataset(variables, times, {**attributes, **({_METADATA: metadata} if metadata else {})})


def write_netcdf(path: Path, dataset: "xarray.Dataset") -> None:
    """Write `dataset` to `path` as compressed netCDF 4."""
    # xarray would add a fill value to floats, and a reader would take NaN for a missing sample
    encoding = {name: {"_FillValue": None, "zlib": variable.size > 1} for name, variable in dataset.variables.items()}
    dataset.to_netcdf(path, engine=_engine(), encoding=encoding)


def read_netcdf(path: Path, max_bytes: int | None) -> tuple[str | None, dict[str, np.ndarray]]:
    """The JSON metadata (None if there is none) and the named arrays of the netCDF file at `path`.

    Raises:
        ModelError: for more than there is room for.
        Exception: whatever xarray and HDF5 say of a file that is not netCDF; `Unreadable` where it contradicts itself.
    """
    engine = _engine()
    with _xarray().open_dataset(path, engine=engine, decode_cf=False) as dataset:
        for name, variable in dataset.variables.items():
            if variable.dtype.kind not in "biuf":
                raise Unreadable(f"'{str(name)[:60]}' holds {str(variable.dtype)[:60]}, and not plain numbers")
        check_room(path, sum(variable.nbytes for variable in dataset.variables.values()), max_bytes)
        metadata = dataset.attrs.get(_METADATA)
        if not isinstance(metadata, str | None):
            raise Unreadable("its metadata is no text")
        arrays = {str(v.attrs.get(_NAME, name)): v.values for name, v in dataset.variables.items()}
        if len(arrays) < len(dataset.variables):
            raise Unreadable("it holds an array twice")
    return metadata, arrays


def _axes(
    name: str, variable: str, shape: tuple[int, ...], units: Mapping[str, str], size: tuple[int, ...]
) -> tuple[str, ...]:
    if name == "t":
        return ("time",)
    if name.startswith("spikes/"):
        population = name.split("/")[1:-1]
        return ("_".join(["spike", *population]),)
    over_time: tuple[str, ...] = ("time",) if name in units else ()
    rest = shape[len(over_time) :]
    if rest != size:
        return (*over_time, *(f"{variable}_{axis}" for axis in range(len(rest))))
    return (*over_time, *(("neuron",) if len(size) == 1 else (f"neuron_{axis}" for axis in range(len(size)))))


def _xarray() -> Any:
    try:
        import xarray
    except ImportError as error:
        raise ImportError('datasets and .nc files need xarray: pip install "channelome[xarray]"') from error
    return xarray


def _engine() -> Literal["h5netcdf"]:
    try:
        import h5netcdf  # noqa: F401  # pyright: ignore
    except ImportError as error:
        raise ImportError('.nc files need h5netcdf: pip install "channelome[xarray]"') from error
    return "h5netcdf"
