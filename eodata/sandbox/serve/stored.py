"""Compression that does not compress: zlib streams whose length is known before their bytes are.

Format after RFC 1950 and 1951: a header of two bytes, stored blocks of at most 65535 bytes behind
five bytes each, an Adler-32.
"""

from __future__ import annotations

import struct
import zlib

STORED = 65535
"""Longest stored block of deflate [bytes]."""


def stored(data: bytes) -> bytes:
    """Wrap bytes into a zlib stream of stored blocks.

    >>> zlib.decompress(stored(b"abc"))
    b'abc'
    """
    parts = [b"\x78\x01"]
    for at in range(0, len(data), STORED):
        block = data[at : at + STORED]
        is_last = at + STORED >= len(data)
        parts += [struct.pack("<BHH", is_last, len(block), len(block) ^ 0xFFFF), block]
    parts.append(struct.pack(">I", zlib.adler32(data)))
    return b"".join(parts)


def stored_size(n_bytes: int) -> int:
    """Return the length of the stream that wraps so many bytes (at least one)."""
    return n_bytes + 5 * -(-n_bytes // STORED) + 6
