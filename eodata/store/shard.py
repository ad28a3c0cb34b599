"""One whole shard as bytes, made in memory by zarr-python itself.

A task is the only writer of its shard and writes it once, so nothing is ever read, changed and
written back: two writers of one Zarr shard lose each other's samples without an error.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.codecs import BloscCodec, BloscShuffle
from zarr.core.buffer import Buffer
from zarr.storage import MemoryStore

BLOSC = {"blosc-zstd": "zstd", "blosc-lz4": "lz4"}


def encode_shard(
    values: NDArray[np.generic], chunk: tuple[int, ...], fill: float, codec: str, level: int
) -> bytes | None:
    """Encode one whole shard to the bytes of its file.

    Deterministic: the same numbers give the same bytes, whatever the number of threads.

    Args:
        values: The numbers of the shard, all of them; its shape is the shard's.
        chunk: Shape of an inner chunk; divides the shard.
        fill: Number that stands for "nothing"; may be NaN.
        codec: `blosc-zstd`, `blosc-lz4` or `none`.
        level: Compression level, 1 to 9.

    Returns:
        The bytes, or None when every number is fill: Zarr stores no file then.
    """
    stored: dict[str, Buffer] = {}
    array = zarr.create_array(
        MemoryStore(stored),
        **array_settings(values.shape, chunk, values.shape, values.dtype),
        fill_value=fill,
        compressors=compressors(codec, level, values.dtype),
        zarr_format=3,
    )
    array[...] = values
    shard = stored.get("c/" + "/".join("0" for _ in values.shape))
    return None if shard is None else shard.to_bytes()


def array_settings(
    shape: tuple[int, ...],
    chunk: tuple[int, ...],
    shard: tuple[int, ...],
    dtype: np.dtype[Any],
) -> dict[str, Any]:
    """Return what `zarr.create_array` needs so that shards and arrays agree to the byte."""
    return {
        "shape": shape,
        "chunks": chunk,
        "shards": shard,
        "dtype": dtype,
        "filters": None,
        # A setting of the person's own zarr.config may not change what is stored.
        "config": {"write_empty_chunks": False},
    }


def compressors(codec: str, level: int, dtype: np.dtype[Any]) -> list[BloscCodec] | None:
    """Return the inner codecs for a name that recipes use; None for `none`."""
    if codec == "none":
        return None
    return [
        BloscCodec(
            cname=BLOSC[codec],  # type: ignore[arg-type]
            clevel=level,
            shuffle=BloscShuffle.bitshuffle,
            typesize=dtype.itemsize,
        )
    ]
