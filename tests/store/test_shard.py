import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from zarr.codecs import BloscCodec
from zarr.storage import LocalStore

from eodata.store.shard import array_settings, compressors, encode_shard


def _zarr_itself(path, shape, values, chunk, shard, fill, codec, level):
    """Write with zarr-python to a folder, as any other user of Zarr would."""
    name = "lz4" if codec == "none" else codec.removeprefix("blosc-")
    blosc = BloscCodec(cname=name, clevel=level, shuffle="bitshuffle")
    array = zarr.create_array(
        LocalStore(path),
        shape=shape,
        chunks=chunk,
        shards=shard,
        dtype=values.dtype,
        fill_value=fill,
        compressors=None if codec == "none" else blosc,
    )
    array[...] = values


@pytest.mark.parametrize("codec", ["blosc-zstd", "blosc-lz4", "none"])
@pytest.mark.parametrize(
    ("dtype", "fill"), [("uint16", 0), ("int16", 0), ("float32", np.nan), ("bool", False)]
)
def test_encode_shard_when_zarr_writes_the_same_numbers_then_same_bytes(
    tmp_path, codec, dtype, fill
):
    rng = np.random.default_rng(1)
    values = rng.integers(0, 2, (4, 7, 2, 8, 8)).astype(dtype)
    values[1] = fill
    padded = np.full((4, 8, 2, 8, 8), fill, dtype)
    padded[:, :7] = values
    # The time axis of the array ends inside its second shard.
    _zarr_itself(tmp_path, values.shape, values, (1, 2, 2, 4, 8), (4, 4, 2, 8, 8), fill, codec, 5)
    for group in range(2):
        data = encode_shard(padded[:, 4 * group :][:, :4], (1, 2, 2, 4, 8), fill, codec, 5)
        assert data == (tmp_path / "c" / "0" / str(group) / "0" / "0" / "0").read_bytes()


@pytest.mark.parametrize(("dtype", "fill"), [("uint8", 0), ("float32", np.nan), ("bool", False)])
def test_encode_shard_when_all_is_fill_then_none(dtype, fill):
    assert encode_shard(np.full((2, 2, 4, 4), fill, dtype), (1, 1, 4, 4), fill, "none", 1) is None


def test_encode_shard_when_a_person_configures_zarr_otherwise_then_fill_is_still_left_out():
    values = np.zeros((2, 4), np.uint8)
    with zarr.config.set({"array.write_empty_chunks": True}):
        assert encode_shard(values, (1, 4), 0, "blosc-zstd", 3) is None


@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_encode_shard_when_zarr_reads_it_then_same_numbers(tmp_path_factory, data):
    chunk = tuple(data.draw(st.lists(st.integers(1, 4), min_size=2, max_size=4), "chunk"))
    shape = tuple(size * data.draw(st.integers(1, 3), "chunks") for size in chunk)
    dtype = np.dtype(data.draw(st.sampled_from(["bool", "uint8", "int16", "uint32", "float32"])))
    codec = data.draw(st.sampled_from(["blosc-zstd", "blosc-lz4", "none"]), "codec")
    fill = np.nan if dtype.kind == "f" else 0
    seed = data.draw(st.integers(0, 2**32 - 1), "seed")
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 3, shape).astype(dtype)
    if dtype.kind == "f":
        values[values == 0] = np.nan
    shard = encode_shard(values, chunk, fill, codec, data.draw(st.integers(1, 9), "level"))
    folder = tmp_path_factory.mktemp("zarr")
    array = zarr.create_array(
        LocalStore(folder),
        **array_settings(shape, chunk, shape, dtype),
        fill_value=fill,
        compressors=compressors(codec, 3, dtype),
    )
    if shard is not None:
        place = folder.joinpath("c", *("0" for _ in shape))
        place.parent.mkdir(parents=True)
        place.write_bytes(shard)
    np.testing.assert_array_equal(array[...], values)
