"""Our way through the model of s2cloudless gives what the library gives."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eodata.core.errors import RecipeError
from eodata.pipeline.forest import read_forest
from eodata.pipeline.s2cloudless import (
    BANDS,
    _forest,
    check_installed,
    cloud_probability,
)
from eodata.pipeline.threshold import threshold

library = pytest.importorskip("s2cloudless", reason="the extra cloudmask is not installed")
pytest.importorskip("numba", reason="the extra cloudmask is not installed")

DATA = Path(__file__).parents[1] / "data" / "s2cloudless" / "l1c.npz"
OF_MODEL = [0, 1, 3, 4, 7, 8, 9, 10, 11, 12]
VEIL = 0.03
OFFSET = {"tanzania": 0.0, "chile": 1000.0}
RECIPE = {"average_over": 4, "dilation_size": 2}


@pytest.fixture(scope="module")
def detector() -> Any:
    """The library's own, as in the recipe of SEN12MS-CR-TS."""
    return library.S2PixelCloudDetector(threshold=0.4, all_bands=True, **RECIPE)


def real(place: str, cloud: float = 0.0) -> np.ndarray:
    """Real reflectance `(1, 13, 90, 93)`, under a veil that gets thicker from west to east."""
    with np.load(DATA) as file:
        dn = file[place].astype(np.float32) - OFFSET[place]
    veil = np.linspace(0, cloud, dn.shape[2], dtype=np.float32)
    return (np.clip(dn, 0, 10_000) / np.float32(10_000) + veil)[np.newaxis]


def theirs(detector: Any, reflectance: np.ndarray) -> np.ndarray:
    """The library's probability of `(N, 10 or 13, H, W)`."""
    full = reflectance
    if reflectance.shape[1] == 10:
        full = np.zeros((len(reflectance), 13, *reflectance.shape[2:]), np.float32)
        full[:, OF_MODEL] = reflectance
    clipped = np.clip(full, 0, 1).transpose(0, 2, 3, 1)
    return detector.get_cloud_probability_maps(clipped, num_threads=1)


def assert_same(detector: Any, reflectance: np.ndarray) -> np.ndarray:
    """The difference is none, or a unit of float32 where another `exp` is linked."""
    ours = cloud_probability(reflectance)
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, theirs(detector, reflectance), rtol=0, atol=1e-7)
    return ours


def test_bands_when_compared_then_those_of_the_library() -> None:
    assert list(BANDS) == library.utils.MODEL_BANDS


@pytest.mark.parametrize("place", OFFSET)
@pytest.mark.parametrize("cloud", [0.0, VEIL])
def test_cloud_probability_when_real_then_equal_and_so_is_the_mask(
    detector: Any, place: str, cloud: float
) -> None:
    full = real(place, cloud)
    ours = assert_same(detector, full[:, OF_MODEL])
    np.testing.assert_array_equal(
        threshold(ours, np.ones(ours.shape, np.bool_), above=0.4, **RECIPE),
        detector.get_mask_from_prob(theirs(detector, full)),
    )


def test_cloud_probability_when_veiled_then_clear_and_cloudy_both_occur() -> None:
    # Else the equality of masks above would say nothing.
    marked = cloud_probability(real("tanzania", VEIL)[:, OF_MODEL]) > 0.4
    assert 0.2 < marked.mean() < 0.9, marked.mean()


def test_cloud_probability_when_random_and_out_of_range_then_equal(detector: Any) -> None:
    values = np.random.default_rng(1).uniform(-0.2, 1.2, (2, 10, 40, 33)).astype(np.float32)
    values[0, :, 3, 4] = (np.nan, np.inf, -np.inf, np.nan, 0, 1, 2, -1, np.nan, 0.5)
    assert_same(detector, values)


def test_cloud_probability_when_at_the_model_s_thresholds_then_equal(detector: Any) -> None:
    # One unit of float32 below, at, and above each threshold of each band.
    edges = _forest().edges
    base = real("tanzania", VEIL)[0, OF_MODEL, 40, 45]
    around = np.stack(
        [np.nextafter(edges, np.float32(0)), edges, np.nextafter(edges, np.float32(2))]
    )
    values = np.empty((3, 10, 10, 256), np.float32)
    values[:] = base[:, None, None]
    for band in range(10):
        values[:, band, band] = np.nan_to_num(around[:, band], posinf=1)
    ours = assert_same(detector, values)
    assert len(np.unique(ours)) > 500


@pytest.mark.parametrize("value", [0.0, 0.25, 1.0])
def test_cloud_probability_when_blank_or_saturated_then_equal(detector: Any, value: float) -> None:
    ours = assert_same(detector, np.full((1, 10, 16, 16), value, np.float32))
    assert len(np.unique(ours)) == 1


@pytest.mark.parametrize("size", [(1, 1), (16, 16), (7, 19), (17, 1), (3, 2), (33, 48)])
def test_cloud_probability_when_not_made_of_whole_squares_then_equal(
    detector: Any, size: tuple[int, int]
) -> None:
    values = real("chile", VEIL)[:, OF_MODEL, : size[0], -size[1] :]
    assert assert_same(detector, values).shape == (1, *size)


def test_cloud_probability_when_input_is_of_another_layout_then_equal_and_untouched() -> None:
    values = real("tanzania", VEIL)[:, OF_MODEL, :20, :20]
    expected = cloud_probability(np.ascontiguousarray(values))
    last = np.ascontiguousarray(values.transpose(0, 2, 3, 1))
    last.setflags(write=False)
    before = last.copy()
    np.testing.assert_array_equal(cloud_probability(last.transpose(0, 3, 1, 2)), expected)
    np.testing.assert_array_equal(cloud_probability(values.astype(np.float64)), expected)
    np.testing.assert_array_equal(last, before)


def test_cloud_probability_when_no_image_then_none() -> None:
    assert cloud_probability(np.empty((0, 10, 8, 8), np.float32)).shape == (0, 8, 8)


@pytest.mark.parametrize("threads", [2, 3, 64])
def test_cloud_probability_when_threads_then_the_same(threads: int) -> None:
    values = np.concatenate([real(p, c)[:, OF_MODEL] for p in OFFSET for c in (0.0, VEIL)])
    np.testing.assert_array_equal(
        cloud_probability(values, threads=threads), cloud_probability(values)
    )


def test_cloud_probability_when_called_by_many_workers_then_each_gets_its_own() -> None:
    inputs = [real(p, c)[:, OF_MODEL] for p in OFFSET for c in (0.0, VEIL, 0.4)]
    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(cloud_probability, inputs))
    for one, values in zip(together, inputs, strict=True):
        np.testing.assert_array_equal(one, cloud_probability(values))


def test_cloud_probability_when_run_then_silent(capfd: pytest.CaptureFixture[str]) -> None:
    _forest.cache_clear()
    cloud_probability(np.zeros((1, 10, 8, 8), np.float32))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("shape", [(10, 8, 8), (1, 13, 8, 8), (1, 8, 8, 10)])
def test_cloud_probability_when_not_of_ten_bands_then_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(RecipeError, match="B01, B02, B04"):
        cloud_probability(np.zeros(shape, np.float32))


@pytest.mark.parametrize("package", ["s2cloudless", "numba"])
def test_cloud_probability_when_a_package_is_missing_then_the_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    check_installed()
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(RecipeError, match=rf"{package} is not(.|\n)*eodata\[cloudmask\]"):
        cloud_probability(np.zeros((1, 10, 8, 8), np.float32))


TREE = """objective=binary sigmoid:1

Tree=0
split_feature=1 0
threshold=0.5 0.25
decision_type=2 2
left_child=1 -1
right_child=-2 -3
leaf_value=0.1 0.2 0.3
"""


def testread_forest_when_a_tree_then_left_follows_and_right_is_a_step_away() -> None:
    forest = read_forest(TREE)
    # B02 > 0.5 goes to leaf 1, else B01 > 0.25 to leaf 2, else to leaf 0.
    assert [divmod(n, 4096) for n in forest.nodes.tolist()] == [
        (256, 4), (0, 2), (0xFFFFF, 0), (0xFFFFF, 0), (0xFFFFF, 0),
    ]  # fmt: skip
    assert forest.leaves.tolist() == [0, 0, 0.1, 0.3, 0.2]


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ("binary sigmoid:1", "regression"),
        ("decision_type=2 2", "decision_type=10 2"),
        ("split_feature=1 0", "split_feature=10 0"),
    ],
)
def testread_forest_when_the_model_is_of_another_kind_then_refused(was: str, becomes: str) -> None:
    with pytest.raises(RecipeError, match="another kind"):
        read_forest(TREE.replace(was, becomes))
