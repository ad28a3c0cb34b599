"""Layers of clouds: where in a region the clouds stand, and how thick they are.

A layer is a sum of noises of halving size, compared with a threshold that follows from the cover
that the weather wants at the place. Its coarse parts are known at nodes a few pixels apart and
interpolated, which is what makes it fast. All is pointwise in the frame of the place, so windows
agree to the last bit; between the frames of two UTM zones the pattern breaks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import NormalDist

import numpy as np

from eodata.sandbox.planet.lattice import Field, Ints, hash01, hash_bits
from eodata.sandbox.planet.sites import Floats, Sites

UNIT = np.float32(0.55**-1 * 3**0.5)
"""Makes spline noise of uniform numbers in [-1, 1] of variance 1: the squared weights of three
nodes of a quadratic B-spline sum to 0.55 on average along each axis."""
FOLDED = np.float32(0.829), np.float32(1.78)
"""Mean of the magnitude of spline noise, and what makes it of variance 1 (measured)."""
LEAST, MOST = 0.004, 0.994
"""Covers below and above are none and all."""
_AROUND = np.array([[-1], [0], [1]])
_COVERS = np.linspace(0.0, 1.0, 501)
_LEVELS = np.array([NormalDist().inv_cdf(1.0 - min(max(c, LEAST), MOST)) for c in _COVERS])
CLEAR = 9.0
"""Threshold that no texture reaches."""
DETAIL_M = 36.0
"""Size of the finest structure [m]."""
THICKEST = np.float32(60.0)
THICK_CLOUD = 2.0
"""Water clouds of this optical thickness brighten the ground enough for any mask to see them."""
THIN_CLOUD = 0.25
"""Cirrus of this optical thickness shows in the cirrus band and dims the ground by some percent."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One kind of cloud.

    Attributes:
        name: Also salts its randomness.
        spacing: Size of its largest structure within a region [m].
        octaves: How often that is halved.
        gain: Strength of each octave relative to the one before.
        soft: Rise of the texture over which an edge fades in.
        base: Optical thickness right behind the edge.
        rise: Growth of optical thickness with the texture.
        heights: Lowest and highest cloud top over the ground [m].
        sizes: Smallest and largest of a day relative to `spacing`.
        speed: Of its wind [m/s].
        billows: Whether finer structure is folded, which makes round bulges.
        skirt: Rise of the texture from the outermost haze of a cloud to what counts as cloud.
        node: Distance of the nodes at which the texture is known [m].
        detail: Strength of the structure that is finer than that.
        weights: Of the octaves.
    """

    name: str
    spacing: float
    octaves: int
    gain: float
    soft: float
    base: float
    rise: float
    heights: tuple[float, float]
    sizes: tuple[float, float]
    speed: float
    skirt: float
    node: float = 40.0
    detail: float = 0.05
    billows: bool = False
    weights: tuple[float, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", tuple(self.gain**k for k in range(self.octaves)))


CUMULUS = Layer(
    "cumulus",
    spacing=2600.0,
    octaves=6,
    gain=0.7,
    soft=0.16,
    base=3.0,
    rise=42.0,
    heights=(800.0, 2500.0),
    sizes=(0.35, 1.2),
    speed=6.0,
    skirt=0.064,
    billows=True,
)
DECK = Layer(
    "deck",
    spacing=9000.0,
    octaves=7,
    gain=0.6,
    soft=0.25,
    base=3.0,
    rise=6.0,
    heights=(800.0, 1900.0),
    sizes=(0.5, 1.2),
    speed=7.0,
    skirt=0.13,
)
FRONT = Layer(
    "front",
    spacing=24000.0,
    octaves=8,
    gain=0.6,
    soft=0.3,
    base=2.0,
    rise=11.0,
    heights=(3500.0, 9000.0),
    sizes=(0.7, 1.3),
    speed=14.0,
    skirt=0.157,
)
LAYERS = (CUMULUS, DECK, FRONT)
CIRRUS = Layer(
    "cirrus",
    spacing=5000.0,
    octaves=5,
    gain=0.62,
    soft=0.0,
    base=0.0,
    rise=0.0,
    heights=(9000.0, 11000.0),
    sizes=(0.7, 1.3),
    speed=28.0,
    skirt=0.852,
    node=200.0,
    detail=0.0,
)
"""Its thickness follows another rule than that of water clouds: `thin_thickness`."""
STRETCH = 7.0
"""Length of the streaks of cirrus over their width."""
STREAK_M = 2500.0
"""How far streaks wave to either side [m]."""


@dataclass(frozen=True, slots=True)
class Aloft:
    """One layer over one zone on one day.

    Attributes:
        layer: What it is like.
        seed: Of its texture.
        top: Height over the ground [m].
        size: Of its structure relative to the layer's.
        heading: Of its wind [radians from east].
        east: How far it has drifted [m].
        north: Likewise.
    """

    layer: Layer
    seed: int
    top: float
    size: float
    heading: float
    east: float
    north: float

    @staticmethod
    def of(layer: Layer, seed: int, zone: int, seconds: float) -> Aloft:
        """Return a layer after some seconds of its day; the seed is that of layer and day."""
        height, turn, force, size = (float(hash01(seed, zone, k)) for k in range(4))
        small, large = layer.sizes
        low, high = layer.heights
        heading = (turn - 0.5) * np.pi
        path = layer.speed * (0.5 + force) * seconds
        return Aloft(
            layer,
            seed,
            low + (high - low) * height,
            small * (large / small) ** size,
            heading,
            path * float(np.cos(heading)),
            path * float(np.sin(heading)),
        )

    def at_start(self, sites: Sites) -> Sites:
        """Return where in its texture the layer is over sites."""
        x, y = (sites.x - self.east) / self.size, (sites.y - self.north) / self.size
        return Sites(sites.zone, x, y)


def threshold(cover: Field) -> Field:
    """Return the level that a texture of variance 1 exceeds over a share `cover` of the ground."""
    level = np.interp(cover, _COVERS, _LEVELS)
    return np.where(cover < LEAST, CLEAR, level).astype(np.float32)


def texture(sites: Sites, layer: Layer, seed: int, finest: float) -> Field:
    """Return the pattern of a layer: mean 0, variance 1, nothing finer than `finest` [m]."""
    total = np.zeros(sites.shape, np.float32)
    kept = [w for k, w in enumerate(layer.weights) if k == 0 or layer.spacing / 2**k >= finest]
    scale = sum(w * w for w in kept) ** -0.5
    for octave, weight in enumerate(kept):
        part = spline_noise(sites, layer.spacing / 2**octave, seed + octave)
        if layer.billows and octave > 0:
            np.abs(part, out=part)
            part -= FOLDED[0]
            part *= FOLDED[1]
        part *= np.float32(weight * scale)
        total += part
    return total


def optical_thickness(layer: Layer, excess: Field) -> Field:
    """Return optical thickness from how far the texture exceeds the threshold."""
    inside = np.maximum(excess, np.float32(0.0))
    edge = np.minimum(inside * np.float32(1.0 / layer.soft), np.float32(1.0))
    edge *= edge * (np.float32(3.0) - np.float32(2.0) * edge)
    inside *= np.float32(layer.rise)
    inside += np.float32(layer.base)
    inside *= edge
    return np.minimum(inside, THICKEST, out=inside)


def cirrus_texture(sites: Sites, heading: float, seed: int, finest: float) -> Field:
    """Return the pattern of cirrus: wavy streaks along `heading` [radians from east]."""
    cos, sin = float(np.cos(heading)), float(np.sin(heading))
    wave = np.float32(STREAK_M) * spline_noise(sites, 50_000.0, seed)
    along = (sites.x * cos + sites.y * sin) / STRETCH
    across = sites.y * cos - sites.x * sin + wave
    streaks = Sites(sites.zone, along.ravel(), across.ravel())
    return texture(streaks, CIRRUS, seed + 1, finest).reshape(sites.shape)


def thin_thickness(excess: Field) -> Field:
    """Return the optical thickness of cirrus, 0 to 1, from how far its texture exceeds."""
    inside = np.maximum(excess, np.float32(0.0))
    return np.minimum(inside * inside / (inside + np.float32(0.6)) * np.float32(0.5), np.float32(1))


def spline_noise(sites: Sites, spacing: float, seed: int) -> Field:
    """Return smooth noise of mean 0 and variance 1 without the blocks of linear interpolation.

    Uniform numbers at the nodes of a lattice, joined by quadratic B-splines; never beyond ±3.2.
    """
    seed = int(hash_bits(seed, sites.zone))
    (ix, wx), (iy, wy) = _spline(sites.x, spacing), _spline(sites.y, spacing)
    if sites.is_lattice:
        cols, col = _in_reach(ix[0])
        rows, row = _in_reach(iy[:, 0])
        block = _uniform(seed, cols[np.newaxis, :], rows[:, np.newaxis])
        lines = blend(wx, block[:, col], block[:, col + 1], block[:, col + 2])
        return blend(wy, lines[row], lines[row + 1], lines[row + 2])
    low, left = int(iy.min()) - 1, int(ix.min()) - 1
    shape = int(iy.max()) - low + 2, int(ix.max()) - left + 2
    if shape[0] * shape[1] <= 9 * ix.size:
        block = _uniform(seed, left + np.arange(shape[1]), low + np.arange(shape[0])[:, np.newaxis])
        near = block[(iy - low + _AROUND)[:, np.newaxis], ix - left + _AROUND]
    else:
        near = _uniform(seed, ix + _AROUND, (iy + _AROUND)[:, np.newaxis])
    return blend(wy, *(blend(wx, *line) for line in near))


def _uniform(seed: int, i: Ints, j: Ints) -> Field:
    return (hash01(seed, i, j) * np.float32(2.0) - np.float32(1.0)) * UNIT


def blend(weights: Sequence[Field], first: Field, mid: Field, last: Field) -> Field:
    """Return the weighted sum of three values, always summed in this order."""
    total = weights[0] * first
    total += weights[1] * mid
    total += weights[2] * last
    return total


def spline_weights(part: Field) -> tuple[Field, Field, Field]:
    """Return the weights of three nodes, `part` in [0, 1) being the place over the middle one."""
    rest = np.float32(1.0) - part
    first, last = np.float32(0.5) * rest * rest, np.float32(0.5) * part * part
    return first, np.float32(1.0) - first - last, last


def _spline(axis: Floats, spacing: float) -> tuple[Ints, tuple[Field, Field, Field]]:
    """Return the middle one of three nodes, and the weights of all three."""
    scaled = axis / spacing
    node = np.floor(scaled)
    return node.astype(np.int64), spline_weights((scaled - node).astype(np.float32))


def _in_reach(middle: Ints) -> tuple[Ints, Ints]:
    """Return the nodes that a row of sites needs, and the place among them of each first one."""
    low, high = int(middle.min()) - 1, int(middle.max()) + 1
    if high - low + 1 <= 3 * middle.size:
        return np.arange(low, high + 1), middle - 1 - low
    nodes = np.unique(np.concatenate([middle - 1, middle, middle + 1]))
    return nodes, np.searchsorted(nodes, middle - 1)
