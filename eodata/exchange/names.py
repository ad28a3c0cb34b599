"""Names of files, from the facts of a sample to its path and, for published trees, back. Pure.

Paths are relative to the root of a tree, with forward slashes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

SEEDS = {"spring": 1158, "summer": 1868, "fall": 1970, "winter": 2017}
"""Seeds of the random draws that placed the areas; the family names its folders after them."""
SEASONS = {seed: season for season, seed in SEEDS.items()}

_SERIES = re.compile(
    r"(?P<sensor>s1|s2)_ROIs(?P<seed>\d+)_(?P<scene>\d+)_ImgNo_(?P<step>\d+)"
    r"_(?P<date>\d{4}-\d\d-\d\d)_patch_(?P<patch>\d+)\.tif"
)
_SINGLE = re.compile(
    r"ROIs(?P<seed>\d+)_(?P<season>[a-z]+)_(?P<sensor>s1|s2|s2_cloudy|lc)"
    r"_(?P<scene>\d+)_p(?P<patch>\d+)\.tif"
)


@dataclass(frozen=True, slots=True, order=True)
class SeriesName:
    """What a path in the tree of SEN12MS-CR-TS says.

    Attributes:
        season: Key of `SEEDS`.
        scene: Number of the area within its season.
        sensor: `s1` or `s2`.
        step: Position in time, from 0.
        date: Day of the acquisition, UTC; that of `s1` and `s2` may differ.
        patch: Position in the area, row by row from its north-west, from 0.
    """

    season: str
    scene: int
    sensor: str
    step: int
    date: date
    patch: int

    @property
    def path(self) -> str:
        """Path in the tree; the inverse of `parse_series`."""
        area = f"ROIs{SEEDS[self.season]}"
        name = f"{self.sensor}_{area}_{self.scene}_ImgNo_{self.step}_{self.date}_patch_{self.patch}"
        return f"{area}/{self.scene}/{self.sensor.upper()}/{self.step}/{name}.tif"


@dataclass(frozen=True, slots=True, order=True)
class SingleName:
    """What a path in the trees of SEN12MS and SEN12MS-CR says; neither holds a date.

    Attributes:
        season: Key of `SEEDS`.
        scene: Number of the area within its season.
        sensor: `s1`, `s2`, `s2_cloudy` or `lc`.
        patch: Position in the area, row by row from its north-west, from 0.
    """

    season: str
    scene: int
    sensor: str
    patch: int

    def path(self, *, by_sensor: bool) -> str:
        """Return the path in the tree; the inverse of `parse_single`.

        Args:
            by_sensor: SEN12MS-CR has one folder per season and sensor, SEN12MS one per season.
        """
        area = f"ROIs{SEEDS[self.season]}_{self.season}"
        top = f"{area}_{self.sensor}" if by_sensor else area
        name = f"{area}_{self.sensor}_{self.scene}_p{self.patch}"
        return f"{top}/{self.sensor}_{self.scene}/{name}.tif"


def parse_series(path: str) -> SeriesName | None:
    """Return what a path in the tree of SEN12MS-CR-TS says, None when it is no such path.

    Folders and file name must tell the same, as published.

    >>> found = parse_series(
    ...     "ROIs1868/73/S2/14/s2_ROIs1868_73_ImgNo_14_2018-06-21_patch_171.tif")
    >>> found.season, found.scene, found.step, str(found.date), found.patch
    ('summer', 73, 14, '2018-06-21', 171)
    """
    match = _SERIES.fullmatch(path.rpartition("/")[2]) if path.isascii() else None
    if not match or int(match["seed"]) not in SEASONS:
        return None
    try:
        day = date.fromisoformat(match["date"])
    except ValueError:
        return None
    season, scene = SEASONS[int(match["seed"])], int(match["scene"])
    name = SeriesName(season, scene, match["sensor"], int(match["step"]), day, int(match["patch"]))
    return name if name.path == path else None


def parse_single(path: str, *, by_sensor: bool) -> SingleName | None:
    """Return what a path in the tree of SEN12MS or SEN12MS-CR says, None when it is no such path.

    >>> parse_single("ROIs1158_spring/lc_1/ROIs1158_spring_lc_1_p407.tif", by_sensor=False)
    SingleName(season='spring', scene=1, sensor='lc', patch=407)
    """
    match = _SINGLE.fullmatch(path.rpartition("/")[2]) if path.isascii() else None
    if not match or SEASONS.get(int(match["seed"])) != match["season"]:
        return None
    name = SingleName(match["season"], int(match["scene"]), match["sensor"], int(match["patch"]))
    return name if name.path(by_sensor=by_sensor) == path else None


def family_key(season: str, scene: str) -> tuple[str, int] | None:
    """Return season and number of an area of the family, None when it has none."""
    if season not in SEEDS or not (scene.isascii() and scene.isdecimal()):
        return None
    return season, int(scene)


def step_path(area: str, sample: str, modality: str, step: int | None, day: date | None) -> str:
    """Return the path of one step of one sample, readable and sorted by time.

    Args:
        area: Id of the area.
        sample: Id of the sample.
        modality: Its name.
        step: Position in time; None for what does not change.
        day: Day of the acquisition; None for a composite.

    >>> step_path("a", "a_r000_c001", "s2", 3, date(2018, 2, 10))
    'a/a_r000_c001/a_r000_c001_s2_t03_2018-02-10.tif'
    """
    parts = [sample, modality]
    parts += [] if step is None else [f"t{step:02d}"]
    parts += [] if day is None else [day.isoformat()]
    return f"{area}/{sample}/{'_'.join(parts)}.tif"


def record_key(row: int, sample: str) -> str:
    """Return the name of a record in a shard: sorted as in the store, and without a dot.

    Readers of such shards take what follows the first dot for the kind of a file.

    >>> record_key(12, "a.b_r000_c001")
    '000000012_a-b_r000_c001'
    """
    return f"{row:09d}_{_plain(sample)}"


def shard_path(split: str, number: int) -> str:
    """Return the path of a shard.

    >>> shard_path("train", 3)
    'train-000003.tar'
    """
    return f"{_plain(split)}-{number:06d}.tar"


def _plain(word: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "-", word)
