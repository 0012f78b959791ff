"""Arrays by name out of an ``.npz`` file that may be anyone's: plain numbers, as much as there is room for, no pickle.

Every size is taken from the headers, compared with what the file says elsewhere and with the room, before an array is made.
"""

import math
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.lib import format as npy

from ..errors import ModelError
from ..memory import available, shown

GROWTH = 100
"""How much larger than its file what is in it may be; records of a cell that rests grow by more."""
_FREE = 256 << 20
"""Bytes that it may take in any case."""
_METADATA = 64 << 20
_PIECE = 1 << 20


class Unreadable(Exception):
    """Why a file is not what it should be."""


def check_room(path: Path, needed: int, max_bytes: int | None) -> None:
    """Raise `ModelError` where arrays of `needed` bytes are more than a file of this size should hold, or than there is memory.

    Args:
        max_bytes: what they may take in place of `GROWTH` times the file.
    """
    own = path.stat().st_size
    most = max(_FREE, GROWTH * own) if max_bytes is None else max_bytes
    if needed > available():
        raise ModelError(f"{path} holds arrays of {shown(needed)}, and {shown(available())} are free.")
    if needed > most:
        raise ModelError(
            f"{path} holds arrays of {shown(needed)} in {shown(own)}. If you know where the file is from, load it with "
            f"max_bytes={needed}."
        )


def read_npz(path: Path, max_bytes: int | None) -> tuple[str | None, dict[str, np.ndarray]]:
    """The text in ``metadata`` (None if there is none) and the named arrays of the file at `path`.

    Raises:
        ModelError: for more than there is room for.
        Exception: whatever NumPy, zipfile and zlib say of a file that is no archive of arrays; `Unreadable` where it
            contradicts itself.
    """
    with path.open("rb") as opened, zipfile.ZipFile(opened) as archive:
        infos = archive.infolist()
        if len({info.filename for info in infos}) < len(infos):
            raise Unreadable("it holds an array twice")
        check_room(path, sum(info.file_size for info in infos), max_bytes)
        arrays = {info.filename.removesuffix(".npy"): _read(archive, info) for info in infos}
    metadata = arrays.pop("metadata", None)
    if any(array.dtype.kind == "U" for array in arrays.values()) or (
        metadata is not None and metadata.dtype.kind != "U"
    ):
        raise Unreadable("it holds a text in place of numbers, or numbers in place of its metadata")
    return (None if metadata is None else str(metadata)), arrays


class _Header(NamedTuple):
    shape: tuple[int, ...]
    by_columns: bool
    dtype: Any


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> np.ndarray:
    name = info.filename[:60]
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or info.flag_bits & 1:
        raise Unreadable(f"'{name}' is compressed or encrypted in a way that channelome does not write")
    with archive.open(info) as stream:
        header = _header(stream)
        if header.dtype.kind not in ("biufU" if name == "metadata.npy" else "biuf"):
            raise Unreadable(f"'{name}' holds {str(header.dtype)[:60]}, and not plain numbers")
        size = math.prod(header.shape) * header.dtype.itemsize
        if stream.tell() + size != info.file_size:
            raise Unreadable(f"'{name}' is not as long as it says")
        if name == "metadata.npy" and size > _METADATA:
            raise Unreadable("its metadata is too long")
        array = np.empty(header.shape, header.dtype, order="F" if header.by_columns else "C")
        _fill(array, stream)
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def _header(stream: IO[bytes]) -> _Header:
    version = npy.read_magic(stream)
    if version not in ((1, 0), (2, 0)):
        raise Unreadable("an array has a form of its own")
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    header = _Header(*read(stream))
    if not all(type(n) is int and n >= 0 for n in header.shape) or len(header.shape) > 32:
        raise Unreadable("an array has a size below 0")
    return header


def _fill(array: np.ndarray, stream: IO[bytes]) -> None:
    if not array.nbytes:
        stream.read(1)  # the sum at its end is checked where the end is met
        return
    place: Any = memoryview(array.reshape(-1, order="A").view(np.uint8))  # pyright: ignore[reportArgumentType]
    done = 0
    while done < len(place):
        piece = stream.read(min(_PIECE, len(place) - done))
        if not piece:
            raise EOFError
        place[done : done + len(piece)] = piece
        done += len(piece)


def names(found: Iterable[str]) -> str:
    """Some names for an error, not more than fit into a line."""
    first = [name[:40] for name in sorted(found)]
    return ", ".join(first[:5]) + (f" and {len(first) - 5} more" if len(first) > 5 else "")
