"""Read who stands in which split: from a built store, a published list, or a CSV file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import geopandas
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import shapely
from numpy.typing import NDArray

from eodata import resources
from eodata.core.errors import RecipeError, StoreError, nearest
from eodata.core.outcome import Status
from eodata.core.recipe import SPLITS
from eodata.core.reproject import WGS84, split_at_date_line
from eodata.core.split import NO_SPLIT
from eodata.store.files import SAMPLES

KEY = ("season", "scene")
"""What the SEN12MS family names its places by; scene numbers repeat between seasons."""
REQUIRED = (*KEY, "split")
TEXT_COLUMNS = ("id", "area", *KEY, "split", "status")
TIME_COLUMNS = ("start_datetime", "end_datetime")

Ground = NDArray[np.object_]
"""Footprints in EPSG:4326, cut at the date line; None where there is none."""


@dataclass(frozen=True, slots=True)
class Members:
    """Who stands in which split of one dataset.

    Attributes:
        name: As the person named it.
        kind: `list` has one row per area, `store` one row per done sample.
        table: Columns id, area, season, scene and split as text, `""` where unknown; start and
            end as UTC instants, NaT where unknown.
        ground: One footprint per row.
        left_out: Samples of the store that are not done, so that no loader gives them out.
    """

    name: str
    kind: Literal["list", "store"]
    table: pd.DataFrame
    ground: Ground
    left_out: int = 0

    @property
    def keyed(self) -> NDArray[np.bool_]:
        """True for rows whose season and scene are both known."""
        return np.asarray((self.table[list(KEY)] != "").all(axis=1), dtype=bool)

    @property
    def grounded(self) -> NDArray[np.bool_]:
        """True for rows with a footprint."""
        return np.asarray(~(shapely.is_missing(self.ground) | shapely.is_empty(self.ground)))

    @property
    def n_areas(self) -> int:
        """How many areas there are."""
        return int(self.table["area"].nunique())

    @property
    def n_keyless(self) -> int:
        """How many areas have no attested key."""
        return int(self.table.loc[~self.keyed, "area"].nunique())


def published_lists() -> dict[str, Path]:
    """Return the split lists that travel with eodata, by name."""
    folder = resources.shipped("catalog") / "splits"
    return {path.stem: path for path in sorted(folder.glob("*.csv"))}


def read_members(what: str, lists: Mapping[str, Path] | None = None) -> Members:
    """Read a dataset's splits.

    Args:
        what: Name of a published list, path of a CSV file, or folder of a built store. A name wins
            over a folder of the same name: `./NAME` is the folder.
        lists: Published lists by name; default: those that travel with eodata.

    Raises:
        RecipeError: There is no such dataset, or the list has a wrong column or split.
        StoreError: The folder is no store with finished tables.
    """
    lists = published_lists() if lists is None else lists
    path = Path(what).expanduser()
    if what in lists:
        return _read_list(what, lists[what])
    if path.suffix.lower() == ".csv":
        return _read_list(what, path)
    if path.is_dir():
        return _read_store(what, path)
    raise RecipeError(
        "split audit",
        f'there is no dataset "{what}"',
        "a dataset is a published split list, a CSV file, or the folder of a built store.",
        nearest(what, lists),
    )


def _read_list(name: str, path: Path) -> Members:
    rows = _csv_rows(path)
    for line, row in rows:
        _check_split(row["split"], f"{path.name}: line {line}")
    records = [
        {
            "id": "",
            # Two rows of one key are one area; a row without a key is an area of its own.
            "area": key_text(row["season"], row["scene"]) or f"line {line}",
            **{column: row[column] for column in REQUIRED},
        }
        for line, row in rows
    ]
    table = _with_times(pd.DataFrame(records).assign(start=pd.NaT, end=pd.NaT))
    return Members(name, "list", _with_plain_keys(table), np.full(len(table), None))


def _csv_rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    """Return line number and cells of each row."""
    columns, rows = resources.read_csv(path)
    for column in REQUIRED:
        if column not in columns:
            raise RecipeError(
                str(path),
                f"there is no column {column}",
                f"a split list has the columns {', '.join(REQUIRED)}.",
                nearest(column, columns),
            )
    if not rows:
        raise RecipeError(str(path), "it has no rows", "there is nothing to audit.", "Add rows.")
    return rows


def _read_store(name: str, root: Path) -> Members:
    frame = _read_samples(root / SAMPLES)
    done = frame[frame["status"] == Status.DONE.value].reset_index(drop=True)
    for split in sorted(set(done["split"])):
        if split != NO_SPLIT:
            _check_split(split, f"{root / SAMPLES}: split")
    columns = ["id", "area", *REQUIRED, "start", "end"]
    left_out = len(frame) - len(done)
    return Members(name, "store", _with_plain_keys(done[columns]), _ground(done), left_out)


def _read_samples(path: Path) -> Any:
    """Return the columns of the sample table that an audit needs; what it lacks is unknown."""
    if not path.is_file():
        raise StoreError(
            str(path),
            "there is no such table",
            "splits are read in the table that a build writes at its end.",
            "Name the folder of a store; run its build again if it was stopped.",
        )
    try:
        there = set(pq.read_schema(path).names)
        wanted = [c for c in (*TEXT_COLUMNS, *TIME_COLUMNS, "geometry") if c in there]
        frame = geopandas.read_parquet(path, columns=wanted)
    except (OSError, ValueError) as error:
        raise StoreError(
            str(path),
            f"it cannot be read: {error}",
            "the file is damaged, or no GeoParquet.",
            "`eodata verify` names every damaged file; copy them again or rebuild.",
        ) from None
    missing = {"id", "area", "split", "status"} - there
    if missing:
        raise StoreError(
            str(path),
            f"there is no column {' and '.join(sorted(missing))}",
            "this table was not written by a build.",
            "Name the folder of a built store.",
        )
    for column in TEXT_COLUMNS:
        frame[column] = frame[column].fillna("").astype(str) if column in there else ""
    for column, told in zip(("start", "end"), TIME_COLUMNS, strict=True):
        frame[column] = frame[told] if told in there else pd.NaT
    return _with_times(frame)


def _with_times(table: pd.DataFrame) -> pd.DataFrame:
    """Make instants of start and end: unknown ones have no zone, and would not compare."""
    return table.assign(**{c: pd.to_datetime(table[c], utc=True) for c in ("start", "end")})


def _ground(frame: Any) -> Ground:
    """Return footprints in EPSG:4326; all None where the table does not say its CRS."""
    if frame.crs is None:
        return np.full(len(frame), None)
    found = np.array(frame.geometry.to_crs(WGS84).array, dtype=object)
    wide = np.ptp(shapely.bounds(found)[:, [0, 2]], axis=1) > 180.0
    found[wide] = [split_at_date_line(outline) for outline in found[wide]]
    broken = ~(shapely.is_missing(found) | shapely.is_valid(found))
    found[broken] = shapely.make_valid(found[broken])
    return found


def _check_split(split: str, where: str) -> None:
    if split not in SPLITS:
        raise RecipeError(
            where,
            f'there is no split "{split}"',
            f"an area stands in one of {', '.join(SPLITS)}.",
            nearest(split, SPLITS),
        )


def _with_plain_keys(table: pd.DataFrame) -> pd.DataFrame:
    """Write keys as the family does: season in lower case, `fall`, scene without leading zeros."""
    return table.assign(season=table["season"].map(_season), scene=table["scene"].map(_number))


def plain_key(season: str, scene: str) -> str:
    """Return the key of an area as the family writes it, or `""` where a part is unknown."""
    return key_text(_season(season), _number(scene))


def _season(word: str) -> str:
    plain = word.strip().lower()
    return "fall" if plain == "autumn" else plain


def _number(word: str) -> str:
    return re.sub(r"^0+(?=\d)", "", word.strip())


def key_text(season: str, scene: str) -> str:
    """Return `summer_100`, or `""` where a part is unknown."""
    return f"{season}_{scene}" if season and scene else ""
