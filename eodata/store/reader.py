"""Read a store, sample by sample, without plan or ledger: the arrays say what they are."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.storage import LocalStore

from eodata.core.band import Band
from eodata.core.errors import StoreError, nearest
from eodata.store.arrays import VALID, array_metadata, band_from_json, group_attributes
from eodata.store.files import DATA, SAMPLES, STEPS
from eodata.store.label_files import Legend, label_names, read_labels, read_legend

if TYPE_CHECKING:
    import geopandas
    import pandas

_Arrays = tuple[zarr.Array[Any], zarr.Array[Any]]


class StoreReader:
    """A store, open for reading.

    It may be pickled, and it may be used in a forked child: each process opens its own handles
    when it first reads.

    Attributes:
        path: The store.
        meta: Attributes of the group: name, version, title, licence, plan_digest, synthetic ...
        names: Modalities in the plan's order.

    Raises:
        StoreError: There is no store, or not one of this format.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.meta: Mapping[str, Any] = group_attributes(self.path)
        self.names: tuple[str, ...] = tuple(self.meta["modalities"])
        self._opened: dict[tuple[int, str], _Arrays] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_opened": {}}

    def attrs(self, name: str) -> dict[str, Any]:
        """Return the attributes of a modality's array."""
        return dict(self._document(name)["attributes"])

    def bands(self, name: str) -> tuple[Band, ...]:
        """Return the bands of a modality, in the order of the array's band axis."""
        return tuple(band_from_json(band) for band in self._document(name)["attributes"]["bands"])

    def shape(self, name: str) -> tuple[int, int, int, int, int]:
        """Return `(sample, time, band, y, x)`; the sample axis has rows without a patch too."""
        n, t, c, h, w = self._document(name)["shape"]
        return n, t, c, h, w

    def gsd(self, name: str) -> float:
        """Return the pixel size of a modality [m]."""
        return float(self._document(name)["attributes"]["gsd"])

    def is_static(self, name: str) -> bool:
        """Return True for a modality with one step and no date."""
        return bool(self._document(name)["attributes"]["static"])

    def read(
        self,
        name: str,
        row: int,
        steps: Sequence[int] | None = None,
        bands: Sequence[int] | None = None,
    ) -> tuple[NDArray[np.generic], NDArray[np.bool_]]:
        """Read one sample of one modality.

        Args:
            name: Modality.
            row: Position on the sample axis, as in the column `row` of the tables.
            steps: Positions on the time axis, in any order; None means all.
            bands: Positions on the band axis, in any order; None means all.

        Returns:
            Values `(T, C, H, W)` as DN, and valid `(T, H, W)`, in the order asked for. Where
            nothing was measured, values are fill (0, or NaN for floats) or what the source
            delivered: only valid tells.

        Raises:
            StoreError: There is no such modality, row, step or band, or a file is damaged.
        """
        n, t, c, _, _ = self.shape(name)
        wanted = range(t) if steps is None else steps
        channels = range(c) if bands is None else bands
        for axis, size, positions in (
            ("row", n, [row]),
            ("step", t, wanted),
            ("band", c, channels),
        ):
            self._check_range(name, axis, size, positions)
        values, valid = self._read_steps(name, row, _runs(wanted))
        return (values if bands is None else values[:, list(bands)]), valid

    def read_block(
        self, name: str, rows: slice, steps: slice
    ) -> tuple[NDArray[np.generic], NDArray[np.bool_]]:
        """Read neighbouring samples at once: values `(N, T, C, H, W)`, valid `(N, T, H, W)`.

        Raises:
            StoreError: There is no such modality, or a file is damaged.
        """
        self._document(name)
        return self._fetch(name, (rows, steps))

    def samples(self) -> geopandas.GeoDataFrame:
        """Return `samples.parquet`: one row per sample, ordered by `row`.

        Raises:
            StoreError: It is missing or damaged.
        """
        import geopandas  # half a second that readers of pixels need not wait

        try:
            return geopandas.read_parquet(self._table(SAMPLES))
        except (OSError, ValueError) as error:
            raise _damaged(self.path / SAMPLES, error) from error

    def steps(self) -> pandas.DataFrame:
        """Return `steps.parquet`: one row per sample, modality and step, in this order.

        Raises:
            StoreError: It is missing or damaged.
        """
        import pandas

        try:
            table = pandas.read_parquet(self._table(STEPS))
        except (OSError, ValueError) as error:
            raise _damaged(self.path / STEPS, error) from error
        # Without this, one missing orbit makes floats of all orbits.
        return table.astype({"relative_orbit": "Int64"})

    @property
    def label_names(self) -> tuple[str, ...]:
        """Names of the labels of whole samples, in alphabetical order."""
        return label_names(self.path)

    def labels(self, name: str) -> pandas.DataFrame:
        """Return `labels/NAME.parquet`: one row per sample, ordered by `row`.

        `single` is a class value, `multi` an array of them, `valid` the fraction of all pixels that
        count, `fraction:CLASS` that of each class among those. All but `valid` are null where no
        pixel counts.

        Raises:
            StoreError: There are no such labels, or the file is damaged.
        """
        return read_labels(self.path, name)

    def label_classes(self, name: str) -> Legend:
        """Return the legend `(value, name, "rrggbb")` of labels, by rising value.

        Raises:
            StoreError: There are no such labels, or the file is damaged.
        """
        return read_legend(self.path, name)

    @cached_property
    def _documents(self) -> dict[str, dict[str, Any]]:
        return {name: array_metadata(self.path, name) for name in self.names}

    def _document(self, name: str) -> dict[str, Any]:
        if name not in self.names:
            raise StoreError(
                str(self.path), f'it has no modality "{name}"', "", nearest(name, self.names)
            )
        return self._documents[name]

    def _arrays(self, name: str) -> _Arrays:
        # Handles of a parent process are not used in a forked child: the key holds the process.
        key = (os.getpid(), name)
        if key not in self._opened:
            folder = self.path / DATA
            self._opened[key] = (_open(folder / name), _open(folder / f"{name}{VALID}"))
        return self._opened[key]

    def _read_steps(
        self, name: str, row: int, runs: Sequence[slice]
    ) -> tuple[NDArray[np.generic], NDArray[np.bool_]]:
        # A loop over runs, never `oindex`: on shards that is 18 times slower.
        parts = [self._fetch(name, (row, run)) for run in runs]
        if len(parts) == 1:
            return parts[0]
        return np.concatenate([v for v, _ in parts]), np.concatenate([u for _, u in parts])

    def _fetch(
        self, name: str, at: tuple[int | slice, slice]
    ) -> tuple[NDArray[np.generic], NDArray[np.bool_]]:
        values, valid = self._arrays(name)
        try:
            return np.asarray(values[at]), np.asarray(valid[at])
        except (OSError, ValueError, RuntimeError) as error:
            raise _damaged(self.path / DATA / name, error, f"rows {at[0]}: ") from error

    def _check_range(self, name: str, axis: str, size: int, positions: Sequence[int]) -> None:
        outside = next((p for p in positions if not 0 <= p < size), None)
        if outside is not None:
            raise StoreError(
                f"{self.path}: {name}",
                f"there is no {axis} {outside}",
                f"the array has {size} of them, counted from 0.",
                f"Give a {axis} from 0 to {size - 1}.",
            )

    def _table(self, name: str) -> Path:
        path = self.path / name
        if not path.is_file():
            raise StoreError(
                str(path),
                "there is no such table",
                "tables are written when a build ends.",
                "Run the build again; it goes on where it stopped.",
            )
        return path


def _open(path: Path) -> zarr.Array[Any]:
    try:
        return zarr.open_array(LocalStore(path, read_only=True), mode="r")
    except (OSError, ValueError) as error:
        raise _damaged(path, error) from error


def _runs(steps: Sequence[int]) -> list[slice]:
    """Cut steps into slices of consecutive ones, in the order given; no step gives one slice."""
    runs: list[slice] = []
    for step in steps:
        if runs and runs[-1].stop == step:
            runs[-1] = slice(runs[-1].start, step + 1)
        else:
            runs.append(slice(int(step), int(step) + 1))
    return runs or [slice(0, 0)]


def _damaged(path: Path, error: Exception, where: str = "") -> StoreError:
    return StoreError(
        str(path),
        f"{where}it cannot be read: {error}",
        "the file is damaged or gone.",
        "`eodata verify` names every damaged file; copy them again or rebuild.",
    )
