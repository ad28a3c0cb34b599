"""The picture of a sample shows what is in the store, in the right colours, and nothing else."""

from __future__ import annotations

from pathlib import Path

import matplotlib.image
import numpy as np
import pytest

from eodata.catalog.colour import ClassLook, NumberLook, choose_look, shown_bands
from eodata.catalog.quicklook import CELL, GUTTER, MARGIN, SPACE, draw_sample
from eodata.core.band import Band
from eodata.core.errors import RecipeError, StoreError

CROPS, TOWN = (0xF0, 0x96, 0xFF), (0xFA, 0, 0)
SCL_CLOUD, BLACK = (0xC0, 0xC0, 0xC0), (0, 0, 0)
# Below head (20 + 70) and dates (15): s2, scl and cloud, each with its bar, then dates and s1.
TOP = 105
ROW = CELL + 4 + SPACE


@pytest.fixture(scope="module")
def sheet(built, tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    return pixels_of(draw_sample(built.root, 1, tmp_path_factory.mktemp("q") / "sheet.png"))


def pixels_of(path: Path) -> np.ndarray:
    """Return `(H, W, 3)` uint8."""
    return (matplotlib.image.imread(path)[..., :3] * 255).round().astype(np.uint8)


def panel(sheet: np.ndarray, row: int, step: int) -> np.ndarray:
    """Return the picture of a step in one of the rows s2, scl, cloud and s1 of the first strip."""
    top = TOP + row * ROW + (20 if row == 3 else 0)
    left = MARGIN + GUTTER + step * (CELL + SPACE)
    return sheet[top : top + CELL, left : left + CELL].astype(int)


def share(area: np.ndarray, colour: tuple[int, int, int]) -> float:
    return float((area == colour).all(axis=-1).mean())


def test_thirty_steps_are_about_1600_pixels_wide(sheet: np.ndarray) -> None:
    height, width, _ = sheet.shape
    assert 1560 <= width <= 1640
    assert 900 <= height <= 1500


def test_land_cover_stands_in_the_colours_of_its_legend(built, sheet: np.ndarray) -> None:
    # 16 px on 224 px: the static layer is left below, at whole multiples of 14.
    found = np.argwhere((sheet[:, :400] == TOWN).all(axis=-1))
    assert len(found) > 14 * 14
    everywhere = {tuple(c) for c in np.unique(sheet.reshape(-1, 3), axis=0)}
    assert {CROPS, TOWN} <= everywhere


def test_true_colour_is_stretched_as_the_product_says(built, sheet: np.ndarray) -> None:
    from eodata.store.reader import StoreReader

    dn, _ = StoreReader(built.root).read("s2", 1, [1])
    blue, green, red = dn[0, :3, 8, 8] * 1e-4
    expected = np.array([red, green, blue]) / 0.3 * 255
    shown = panel(sheet, 0, 1)[8 * 6 + 3, 8 * 6 + 3]
    assert np.abs(shown - expected).max() <= 1.5


def test_row_0_is_north_and_column_0_is_west(built, tmp_path: Path) -> None:
    # The village stands in the north-west of every patch: bright in radar.
    sheet = pixels_of(draw_sample(built.root, 0, tmp_path / "a.png"))
    shown = panel(sheet, 3, 0).sum(axis=-1)
    half = CELL // 2
    brightest = shown[:half, :half].mean()
    assert brightest > 1.15 * shown[half:, half:].mean()
    assert brightest > 1.15 * shown[:half, half:].mean()


def test_a_gap_shows_no_black_pixels_as_if_they_were_data(sheet: np.ndarray) -> None:
    gap = panel(sheet, 3, 3)
    assert share(gap, BLACK) == 0
    assert gap.mean() > 190
    assert np.ptp(gap, axis=-1).max() < 25  # grey: neither pixels nor the stripes of invalid ones
    assert share(panel(sheet, 2, 1), BLACK) == 1  # a clear day of the mask is black


def test_invalid_pixels_are_striped_and_valid_ones_are_not(sheet: np.ndarray) -> None:
    # At step 7 the swath ends: west is valid, the east is not.
    shown = panel(sheet, 0, 7)
    magenta = (shown[..., 0] > 180) & (shown[..., 1] < 80) & (shown[..., 2] > 100)
    assert not magenta[:, : CELL // 3].any()
    assert 0.15 < magenta[:, -12:].mean() < 0.6


def test_the_bar_measures_the_valid_pixels(sheet: np.ndarray) -> None:
    y = TOP + CELL + 2
    left = MARGIN + GUTTER
    whole = sheet[y, left : left + CELL].astype(int)
    part = sheet[y, left + 7 * (CELL + SPACE) :][:CELL].astype(int)
    green = [(line[:, 1] - line[:, 0] > 40).sum() for line in (whole, part)]
    assert green[0] == CELL
    assert 0.5 * CELL < green[1] < 0.8 * CELL


def test_masks_stand_below_what_they_mask(sheet: np.ndarray) -> None:
    clouds = panel(sheet, 2, 0)
    assert share(clouds, (255, 255, 255)) + share(clouds, BLACK) == 1
    assert panel(sheet, 0, 0)[(clouds == 255).all(axis=-1)].mean() > 180


def test_synthetic_pixels_are_called_so_in_red(build_store, built, tmp_path: Path) -> None:
    simulated = build_store(pixels=16, steps=2, synthetic=True)
    warned = pixels_of(draw_sample(simulated.root, 0, tmp_path / "a.png"))
    quiet = pixels_of(draw_sample(built.root, 0, tmp_path / "b.png"))
    assert share(warned[2:5], (0xC8, 0x1E, 0x1E)) == 1
    assert share(quiet[:30], (0xC8, 0x1E, 0x1E)) == 0


def test_the_same_sample_gives_the_same_picture(built, tmp_path: Path) -> None:
    first = draw_sample(built.root, "flat_r000_c002", tmp_path / "a.png")
    again = draw_sample(built.root, 2, tmp_path / "new" / "b.png")
    assert first.read_bytes() == again.read_bytes()
    assert [p.name for p in again.parent.iterdir()] == ["b.png"]


@pytest.mark.parametrize(("suffix", "start"), [(".pdf", b"%PDF"), (".JPG", b"\xff\xd8")])
def test_the_suffix_decides_the_format(built, tmp_path: Path, suffix: str, start: bytes) -> None:
    out = draw_sample(built.root, 0, tmp_path / f"a{suffix}")
    assert out.read_bytes().startswith(start)


@pytest.mark.parametrize("name", ["a.gif2", "a", "a.tiff.x"])
def test_an_unknown_format_is_refused_before_anything_is_read(tmp_path: Path, name: str) -> None:
    with pytest.raises(RecipeError, match=r"\.png"):
        draw_sample(tmp_path / "no store", 0, tmp_path / name)


def test_an_unknown_sample_is_refused_with_the_nearest(built, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match='Did you mean "flat_r000_c00'):
        draw_sample(built.root, "flat_r000_c009", tmp_path / "a.png")
    with pytest.raises(RecipeError, match="there is no sample"):
        draw_sample(built.root, 99, tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_no_store_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        draw_sample(tmp_path, 0, tmp_path / "a.png")


def number(name: str, common: str = "", unit: str = "1") -> Band:
    return Band(name, "continuous", "float32", 10.0, unit, common_name=common)


def look_of(bands: tuple[Band, ...], display=None, valid=None) -> ClassLook | NumberLook:
    dn = np.arange(2 * len(bands) * 4, dtype=np.float32).reshape(2, len(bands), 2, 2)
    valid = np.ones((2, 2, 2), bool) if valid is None else valid
    return choose_look(bands, display, dn, valid, "gray")


def test_true_colour_is_found_by_common_names() -> None:
    bands = (number("n", "nir"), number("b", "blue"), number("g", "green"), number("r", "red"))
    assert look_of(bands).caption == "r  g  b"
    assert [b.name for b in shown_bands(bands, None)] == ["b", "g", "r"]


def test_two_bands_of_one_unit_are_shown_with_their_difference() -> None:
    look = look_of((number("vv", unit="dB"), number("vh", unit="dB")))
    assert look.caption == "vv  vh  vv−vh"
    assert look_of((number("t", unit="K"), number("p", unit="Pa"))).caption == "t"


def test_a_display_whose_bands_are_missing_is_left_aside() -> None:
    bands = (number("a"), number("b"), number("c"))
    assert look_of(bands, (("a", "x"), 0.0, 1.0)).caption == "a"
    shown = look_of(bands, (("c",), -3.0, 5.0))
    assert (shown.caption, shown.low.tolist(), shown.high.tolist()) == ("c", [-3], [5])


def test_percentiles_look_at_usable_pixels_alone() -> None:
    band = number("a")
    dn = np.array([[[[1.0, 2.0], [np.nan, 1e9]]]], dtype=np.float32)
    valid = np.array([[[True, True], [True, False]]])
    look = choose_look((band,), None, dn, valid, "gray")
    assert 1 <= look.low[0] < look.high[0] <= 2
    nothing = choose_look((band,), None, dn, np.zeros_like(valid), "gray")
    assert np.isfinite(nothing.paint(dn[0])).all()


def test_classes_without_a_legend_get_colours_of_their_own() -> None:
    band = Band("c", "categorical", "uint16", 10.0, "")
    dn = np.array([[[[7, 7], [300, 7]]]], dtype=np.uint16)
    look = choose_look((band,), None, dn, np.ones((1, 2, 2), bool), "gray")
    assert [(name, share) for _, name, share in look.shares(dn, np.ones((1, 2, 2), bool))] == [
        ("7", 0.75),
        ("300", 0.25),
    ]
    painted = look.paint(dn[0])
    assert tuple(painted[0, 0]) != tuple(painted[1, 0])


def test_a_value_outside_the_legend_is_grey_and_named() -> None:
    band = Band("c", "categorical", "uint8", 10.0, "", classes=((1, "one", "ff0000"),))
    dn = np.array([[[[1, 9]]]], dtype=np.uint8)
    look = choose_look((band,), None, dn, np.ones((1, 1, 2), bool), "gray")
    assert look.paint(dn[0])[0, 0].tolist() == [1, 0, 0]
    assert np.ptp(look.paint(dn[0])[0, 1]) == 0
    assert look.shares(dn, np.ones((1, 1, 2), bool))[1][1:] == ("not in the legend", 0.5)
