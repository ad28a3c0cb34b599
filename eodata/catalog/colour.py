"""Turn numbers into colours, by what the bands say about themselves. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray

from eodata.core.band import Band

Colours = NDArray[np.float32]
"""`(H, W, 3)` in [0, 1]."""

RGB = tuple[float, float, float]
"""(red, green, blue) in [0, 1]."""

Display = tuple[Sequence[str], float, float]
"""(bands, low, high) of a product's display, in physical units."""

PERCENTILES = (2.0, 98.0)
RAMP = "viridis"
GREY = "gray"
UNKNOWN_CLASS = (0.62, 0.62, 0.62)
TRUE_COLOUR = ("red", "green", "blue")


@dataclass(frozen=True, slots=True, eq=False)
class ClassLook:
    """A class band in the colours of its legend.

    Attributes:
        band: Its position on the band axis.
        legend: `(value, name, (red, green, blue))` per class, in the band's order.
        caption: What is shown, in a few words.
    """

    band: int
    legend: tuple[tuple[int, str, RGB], ...]
    caption: str

    def paint(self, dn: NDArray[np.generic]) -> Colours:
        """Return the colours of DN `(C, H, W)`; a value without a class is grey."""
        values = dn[self.band]
        out = np.full((*values.shape, 3), UNKNOWN_CLASS, dtype=np.float32)
        for value, _, colour in self.legend:
            out[values == value] = colour
        return out

    def shares(
        self, dn: NDArray[np.generic], valid: NDArray[np.bool_]
    ) -> list[tuple[RGB, str, float]]:
        """Return `(colour, name, fraction of usable pixels)` of the classes that occur.

        The largest comes first; values without a class stand together as "not in the legend".

        Args:
            dn: `(T, C, H, W)`.
            valid: `(T, H, W)`, True = usable.
        """
        values = dn[:, self.band][valid]
        counts = [(c, name, int(np.sum(values == v))) for v, name, c in self.legend]
        other = values.size - sum(n for _, _, n in counts)
        counts.append((UNKNOWN_CLASS, "not in the legend", other))
        counts.sort(key=lambda entry: -entry[2])
        return [(colour, name, n / values.size) for colour, name, n in counts if n]


@dataclass(frozen=True, slots=True, eq=False)
class NumberLook:
    """Continuous bands as grey, as a colour ramp, or as red, green and blue.

    Attributes:
        bands: All bands of the modality.
        weights: `(K, C)`, K = 1 or 3: each channel is a weighted sum of bands in physical units.
        low: `(K,)` physical values shown black.
        high: `(K,)` physical values shown in full.
        ramp: Name of a Matplotlib colour map, for one channel.
        caption: What is shown, in a few words.
    """

    bands: tuple[Band, ...]
    weights: NDArray[np.float32]
    low: NDArray[np.float32]
    high: NDArray[np.float32]
    ramp: str
    caption: str

    def paint(self, dn: NDArray[np.generic]) -> Colours:
        """Return the colours of DN `(C, H, W)`; where a number is missing, black."""
        channels = _channels(dn[None], self.bands, self.weights)[0]
        low, high = self.low[:, None, None], self.high[:, None, None]
        shown = np.clip(np.nan_to_num((channels - low) / (high - low)), 0.0, 1.0)
        if len(shown) == 1:
            return _ramp(self.ramp, shown[0])
        return np.asarray(np.moveaxis(shown, 0, -1), dtype=np.float32)

    def ramp_colours(self, n: int) -> Colours:
        """Return a column of `n` colours, the highest value on top."""
        return _ramp(self.ramp, np.linspace(1.0, 0.0, n, dtype=np.float32)[:, None])


Look = ClassLook | NumberLook


def shown_bands(bands: tuple[Band, ...], display: Display | None) -> tuple[Band, ...]:
    """Return the bands that a picture of a modality needs, in store order.

    They are shown just as if all bands were there, so nothing else need be read.
    """
    used = {i for channel in _choose_channels(bands, display) for i in channel}
    return tuple(band for i, band in enumerate(bands) if i in used)


def choose_look(
    bands: tuple[Band, ...],
    display: Display | None,
    dn: NDArray[np.generic],
    valid: NDArray[np.bool_],
    ramp: str,
) -> Look:
    """Decide how a modality is shown: one look for all steps, so that they can be compared.

    A class band is shown by its legend. Numbers follow `display` where its bands are there;
    otherwise red, green and blue by common name; otherwise two bands of one unit with their
    difference; otherwise the first band alone. Without `display` the stretch runs between the
    2nd and the 98th percentile of the usable pixels of all steps.

    Args:
        bands: As in `dn`.
        display: As the product's table gives it.
        dn: `(T, C, H, W)`.
        valid: `(T, H, W)`, True = usable.
        ramp: Matplotlib colour map for a single band of numbers.
    """
    channels = _choose_channels(bands, display)
    (first, *_) = channels[0]
    if bands[first].kind == "categorical":
        return ClassLook(first, _legend(bands[first], dn[:, first][valid]), bands[first].name)
    weights = np.array([[c.get(i, 0) for i in range(len(bands))] for c in channels], np.float32)
    low, high = _percentiles(_channels(dn, bands, weights), valid)
    if display is not None and _stated(bands, display):
        single = [k for k, channel in enumerate(channels) if len(channel) == 1]
        low[single], high[single] = display[1:]
    names = [band.name for band in bands]
    caption = "  ".join("−".join(names[i] for i in channel) for channel in channels)
    return NumberLook(bands, weights, low, high, ramp, caption)


def _choose_channels(bands: tuple[Band, ...], display: Display | None) -> list[dict[int, float]]:
    """Return per channel the weight of each band by its position."""
    shown = _stated(bands, display)
    by_name = {band.common_name: i for i, band in enumerate(bands)}
    if shown:
        channels = _one_each(shown)
    elif bands[0].kind == "categorical":
        channels = [{0: 1.0}]
    elif all(name in by_name for name in TRUE_COLOUR):
        channels = _one_each([by_name[name] for name in TRUE_COLOUR])
    elif len(bands) == 2 and bands[0].unit == bands[1].unit:
        channels = _one_each([0, 1])
    else:
        channels = [{0: 1.0}]
    return channels


def _stated(bands: tuple[Band, ...], display: Display | None) -> list[int]:
    """Return the positions of the bands that `display` names, none when one is not there."""
    names = [band.name for band in bands]
    wanted = display[0] if display else ()
    return [names.index(n) for n in wanted] if all(n in names for n in wanted) else []


def _one_each(positions: list[int]) -> list[dict[int, float]]:
    """Return one band per channel; two bands get their difference as the third.

    So does a third channel that only repeats the first, as in (vv, vh, vv): the difference of
    two decibels is the ratio that radar composites show.
    """
    if len(positions) == 2 or (len(positions) == 3 and positions[0] == positions[2]):
        a, b = positions[:2]
        return [{a: 1.0}, {b: 1.0}, {a: 1.0, b: -1.0}]
    return [{i: 1.0} for i in positions]


def _channels(
    dn: NDArray[np.generic], bands: tuple[Band, ...], weights: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return `(T, K, H, W)` in physical units; bands without weight are not even decoded."""
    out = np.zeros((dn.shape[0], len(weights), *dn.shape[2:]), dtype=np.float32)
    for c in np.flatnonzero(weights.any(axis=0)):
        value = bands[c].physical(dn[:, c])
        for k in np.flatnonzero(weights[:, c]):
            out[:, k] += weights[k, c] * value
    return out


def _percentiles(
    channels: NDArray[np.float32], valid: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return `(low, high)` per channel over usable pixels; never equal."""
    edges = np.tile(np.array([0.0, 1.0], np.float32), (channels.shape[1], 1))
    for k in range(channels.shape[1]):
        usable = channels[:, k][valid]
        usable = usable[np.isfinite(usable)]
        if usable.size:
            low, high = np.percentile(usable, PERCENTILES)
            edges[k] = (low, high) if high > low else (low - 0.5, low + 0.5)
    return edges[:, 0], edges[:, 1]


def _legend(band: Band, values: NDArray[np.generic]) -> tuple[tuple[int, str, RGB], ...]:
    """Return the band's own legend, or one made up from the values that occur."""
    if band.classes:
        return tuple((value, name, _rgb(colour)) for value, name, colour in band.classes)
    palette = mpl.colormaps["tab20"]
    return tuple((int(v), str(int(v)), palette(int(v) % 20)[:3]) for v in np.unique(values))


def _ramp(name: str, fractions: NDArray[np.float32]) -> Colours:
    return np.asarray(mpl.colormaps[name](fractions)[..., :3], dtype=np.float32)


def _rgb(colour: str) -> RGB:
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (0, 2, 4))
    return red, green, blue
