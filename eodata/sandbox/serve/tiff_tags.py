"""The tags of a TIFF file, read and written: little-endian TIFF and BigTIFF.

Layout after the TIFF 6.0 specification and the BigTIFF design: a directory is a count, entries of
(code, type, count, value or offset) sorted by code, and the offset of the next directory. Values
that do not fit into an entry stand elsewhere: right behind their directory, or apart from it.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from eodata.core.errors import EodataError

ASCII, SHORT, LONG, DOUBLE, LONG8 = 2, 3, 4, 12, 16
SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 16: 8, 17: 8}
"""Bytes per value of each type of field."""
DTYPES = {SHORT: "<u2", LONG: "<u4", LONG8: "<u8", DOUBLE: "<f8"}


@dataclass(frozen=True, slots=True)
class Tag:
    """One field of a directory.

    Attributes:
        code: Number of the tag.
        kind: Type of its values, a key of `SIZES`.
        payload: The values, little-endian.
    """

    code: int
    kind: int
    payload: bytes

    @property
    def count(self) -> int:
        """Return how many values it holds."""
        return len(self.payload) // SIZES[self.kind]


@dataclass(frozen=True, slots=True)
class Flavour:
    """What differs between TIFF and BigTIFF.

    Attributes:
        magic: The number behind `II`.
        header: Bytes before the first directory may start.
        n_entries: Format of a directory's count.
        entry: Format of an entry without its value.
        room: Bytes for the value within an entry, and of an offset.
    """

    magic: int
    header: int
    n_entries: str
    entry: str
    room: int

    def offset(self, value: int) -> bytes:
        """Write an offset."""
        return struct.pack("<I" if self.room == 4 else "<Q", value)

    def start(self, first: int) -> bytes:
        """Write the file's header, which leads to the directory at `first`."""
        sizes = b"" if self.room == 4 else struct.pack("<HH", 8, 0)
        return b"II" + struct.pack("<H", self.magic) + sizes + self.offset(first)


CLASSIC = Flavour(42, 8, "<H", "<HHI", 4)
BIG = Flavour(43, 16, "<Q", "<HHQ", 8)


def numbers(code: int, kind: int, values: Iterable[float]) -> Tag:
    r"""Return a tag of numbers.

    >>> numbers(256, SHORT, [480]).payload
    b'\xe0\x01'
    """
    return Tag(code, kind, np.asarray(values).astype(DTYPES[kind]).tobytes())


def text(code: int, value: str) -> Tag:
    """Return a tag of text."""
    return Tag(code, ASCII, value.encode() + b"\0")


def outside(tag: Tag, flavour: Flavour) -> int:
    """Return the bytes that values take outside of their entry; even, as offsets must be."""
    size = len(tag.payload)
    return 0 if size <= flavour.room else size + size % 2


def directory_size(
    tags: Iterable[Tag], flavour: Flavour, apart: Collection[int] = frozenset()
) -> int:
    """Return the bytes of a directory together with the values behind it.

    Args:
        tags: Of the directory.
        flavour: TIFF or BigTIFF.
        apart: Codes of tags whose values stand elsewhere if they do not fit into the entry.
    """
    tags = list(tags)
    behind = sum(outside(tag, flavour) for tag in tags if tag.code not in apart)
    return _entries_size(len(tags), flavour) + behind


def write_directory(
    tags: Iterable[Tag],
    flavour: Flavour,
    at: int,
    following: int,
    apart: Mapping[int, int] = MappingProxyType({}),
) -> bytes:
    """Write one directory and the values behind it.

    Args:
        tags: In any order, each code once.
        flavour: TIFF or BigTIFF.
        at: Where the directory will stand in the file.
        following: Where the next one stands, 0 after the last.
        apart: By code, where values stand that do not follow the directory.
    """
    tags = sorted(tags, key=lambda tag: tag.code)
    parts, behind = [struct.pack(flavour.n_entries, len(tags))], []
    free = at + _entries_size(len(tags), flavour)
    for tag in tags:
        size = outside(tag, flavour)
        value = tag.payload.ljust(flavour.room, b"\0")
        if size and tag.code in apart:
            value = flavour.offset(apart[tag.code])
        elif size:
            value = flavour.offset(free)
            behind.append(tag.payload.ljust(size, b"\0"))
            free += size
        parts.append(struct.pack(flavour.entry, tag.code, tag.kind, tag.count) + value)
    return b"".join([*parts, flavour.offset(following), *behind])


def read_tags(data: bytes) -> dict[int, Tag]:
    """Read the first directory of a file, by code.

    Raises:
        EodataError: This is no little-endian TIFF, or it is cut short.
    """
    try:
        flavour = {b"II*\0": CLASSIC, b"II+\0": BIG}[data[:4]]
        return {tag.code: tag for tag in _read_directory(data, flavour)}
    except (KeyError, struct.error) as error:
        raise EodataError(
            "TIFF",
            f"the bytes start with {data[:4]!r}",
            f"{error!r}.",
            "Give a little-endian TIFF.",
        ) from None


def _read_directory(data: bytes, flavour: Flavour) -> list[Tag]:
    at = int.from_bytes(data[flavour.header - flavour.room : flavour.header], "little")
    (n_tags,) = struct.unpack_from(flavour.n_entries, data, at)
    first = at + struct.calcsize(flavour.n_entries)
    step = struct.calcsize(flavour.entry) + flavour.room
    return [_read_entry(data, flavour, first + step * number) for number in range(n_tags)]


def _read_entry(data: bytes, flavour: Flavour, at: int) -> Tag:
    code, kind, count = struct.unpack_from(flavour.entry, data, at)
    place, size = at + struct.calcsize(flavour.entry), SIZES[kind] * count
    if size > flavour.room:
        place = int.from_bytes(data[place : place + flavour.room], "little")
    if place + size > len(data):
        raise struct.error(f"the values of tag {code} end behind the file")
    return Tag(code, kind, data[place : place + size])


def _entries_size(n_tags: int, flavour: Flavour) -> int:
    entry = struct.calcsize(flavour.entry) + flavour.room
    return struct.calcsize(flavour.n_entries) + n_tags * entry + flavour.room
