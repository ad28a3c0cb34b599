"""Whether a plain network can learn land cover from what the sandbox's instruments show."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pyproj import Transformer
from torch import nn

from benchmarks.realism import LearnScores
from benchmarks.squares import Floats, Place, Square, clear_squares, radar, reflectance
from eodata.sandbox.archive import SandboxArchive

LEARNT_FROM = ("B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B11", "B12")
SIMPLE = {10: 0, 20: 1, 30: 1, 100: 1, 40: 2, 50: 3, 60: 4, 70: 4, 80: 5, 90: 5, 95: 5}
"""Classes of WorldCover that count as one."""
CLASSES = ("trees", "low plants", "crops", "built up", "bare or snow", "water")
UNKNOWN = 255
Labels = NDArray[np.uint8]
Sample = tuple[Floats, Labels]


def labels(archive: SandboxArchive, square: Square) -> Labels:
    """Return simplified WorldCover on the pixels of a square, the nearest of its own pixels."""
    grid = square.grid
    x = grid.affine.c + grid.affine.a * (np.arange(grid.shape[1]) + 0.5)
    y = grid.affine.f + grid.affine.e * (np.arange(grid.shape[0]) + 0.5)
    to_degrees = Transformer.from_crs(str(grid.crs), 4326, always_xy=True)
    lon, lat = to_degrees.transform(*np.meshgrid(x, y))
    made = np.full(grid.shape, UNKNOWN, np.uint8)
    table = np.full(256, UNKNOWN, np.uint8)
    table[list(SIMPLE)] = list(SIMPLE.values())
    found = archive.collections["esa-worldcover"].find(square.ground, None)
    for item in found:
        affine, (height, width) = item.base.affine, item.base.shape
        row = np.floor((lat - affine.f) / affine.e).astype(int)
        col = np.floor((lon - affine.c) / affine.a).astype(int)
        here = (row >= 0) & (row < height) & (col >= 0) & (col < width) & (made == UNKNOWN)
        if here.any():
            rows = int(row[here].min()), int(row[here].max()) + 1
            cols = int(col[here].min()), int(col[here].max()) + 1
            window = archive.read(item, "map", rows, cols)
            made[here] = table[window[row[here] - rows[0], col[here] - cols[0]]]
    return made


def sample(archive: SandboxArchive, place: Place) -> Sample | None:
    """Return ten optical bands and two of radar `(12, H, W)`, and labels `(H, W)`, of a place."""
    for square in clear_squares(archive, place, "sentinel-2-l2a"):
        pair = radar(archive, square)
        if pair is not None:
            rho = reflectance(archive, square, LEARNT_FROM)
            return np.concatenate([rho, pair / 20]), labels(archive, square)
    return None


class UNet(nn.Module):
    """Three levels, two convolutions each, nothing clever."""

    def __init__(self, bands: int, classes: int, width: int = 16) -> None:
        super().__init__()
        self.down = nn.ModuleList(
            [_block(bands, width), _block(width, 2 * width), _block(2 * width, 4 * width)]
        )
        self.up = nn.ModuleList([_block(6 * width, 2 * width), _block(3 * width, width)])
        self.head = nn.Conv2d(width, classes, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return scores `(N, classes, H, W)` of images `(N, bands, H, W)`."""
        first = self.down[0](x)
        second = self.down[1](nn.functional.max_pool2d(first, 2))
        third = self.down[2](nn.functional.max_pool2d(second, 2))
        up = self.up[0](torch.cat([_twice(third), second], 1))
        scores: torch.Tensor = self.head(self.up[1](torch.cat([_twice(up), first], 1)))
        return scores


def _block(inward: int, outward: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for channels in (inward, outward):
        layers += [nn.Conv2d(channels, outward, 3, padding=1, bias=False)]
        layers += [nn.BatchNorm2d(outward), nn.ReLU()]
    return nn.Sequential(*layers)


def _twice(x: torch.Tensor) -> torch.Tensor:
    return nn.functional.interpolate(x, scale_factor=2, mode="nearest")


def landcover_unet(
    archive: SandboxArchive,
    train: Iterable[Place],
    test: Iterable[Place],
    steps: int = 300,
    crop: int = 64,
    batch: int = 16,
) -> LearnScores:
    """Return what a U-Net learns of land cover from the first places, tested on the others."""
    learnt = [s for place in train if (s := sample(archive, place))]
    unseen = [s for place in test if (s := sample(archive, place))]
    return learn(learnt, unseen, steps, crop, batch)


def learn(
    learnt: list[Sample], unseen: list[Sample], steps: int = 300, crop: int = 64, batch: int = 16
) -> LearnScores:
    """Train on crops of some samples and score whole others."""
    started = time.perf_counter()
    stacked = np.stack([x for x, _ in learnt])
    mean = stacked.mean(axis=(0, 2, 3))[:, np.newaxis, np.newaxis]
    spread = stacked.std(axis=(0, 2, 3))[:, np.newaxis, np.newaxis]
    ready = [((x - mean) / spread, y) for x, y in learnt]
    net = _trained(ready, steps, crop, batch)
    seconds = time.perf_counter() - started
    true = np.concatenate([y.ravel() for _, y in unseen])
    said = np.concatenate([_predicted(net, (x - mean) / spread).ravel() for x, _ in unseen])
    known = true != UNKNOWN
    commonest = np.bincount(true[known]).argmax()
    with np.errstate(invalid="ignore"):
        hits = [
            float(np.mean(said[true == n] == n)) if (true == n).any() else float("nan")
            for n in range(len(CLASSES))
        ]
    return LearnScores(
        accuracy=float((said == true)[known].mean()),
        majority=float((true == commonest)[known].mean()),
        recalls=tuple(hits),
        seconds=seconds,
    )


def _trained(ready: list[Sample], steps: int, crop: int, batch: int) -> UNet:
    rng = np.random.default_rng(0)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = UNet(ready[0][0].shape[0], len(CLASSES))
    moves = torch.optim.Adam(net.parameters(), lr=3e-3)
    pace = torch.optim.lr_scheduler.OneCycleLR(moves, max_lr=6e-3, total_steps=steps)
    for _ in range(steps):
        crops = [_crop(ready[int(rng.integers(len(ready)))], crop, rng) for _ in range(batch)]
        x = torch.from_numpy(np.stack([image for image, _ in crops]))
        y = torch.from_numpy(np.stack([label for _, label in crops]).astype(np.int64))
        loss = nn.functional.cross_entropy(net(x), y, ignore_index=UNKNOWN)
        moves.zero_grad()
        loss.backward()
        moves.step()
        pace.step()
    return net


def _crop(of: Sample, size: int, rng: np.random.Generator) -> Sample:
    image, label = of
    row, col = (int(rng.integers(edge - size + 1)) for edge in label.shape)
    return image[:, row : row + size, col : col + size], label[row : row + size, col : col + size]


def _predicted(net: UNet, image: Floats) -> NDArray[Any]:
    net.eval()
    with torch.no_grad():
        scores = net(torch.from_numpy(image[np.newaxis]))
    said: NDArray[Any] = scores.argmax(dim=1)[0].numpy()
    return said
