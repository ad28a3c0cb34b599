"""Ground that was never there: smooth noise whose shift is known to any fraction of a pixel."""

from __future__ import annotations

import numpy as np
from scipy import fft

from eodata.pipeline.coregister.evidence import View

MARGIN = 16
"""Ground around what is seen, so that nothing wraps around [px]."""


def ground(seed, size=128, bands=1, blur=0.7):
    """Return noise of the size and a margin, `(C, H, W)`, whose neighbours hang together."""
    edge = size + 2 * MARGIN
    noise = np.random.default_rng(seed).normal(size=(bands, edge, edge))
    squared = np.add.outer(fft.fftfreq(edge) ** 2, fft.rfftfreq(edge) ** 2)
    return fft.irfft2(fft.rfft2(noise) * np.exp(-2 * (np.pi * blur) ** 2 * squared), s=(edge, edge))


def seen(world, row=0.0, col=0.0, valid=None, noise=0.0, seed=0):
    """Return a world as one view of it, displaced by (row, col) px."""
    edge = world.shape[-1]
    turn = np.add.outer(fft.fftfreq(edge) * row, fft.rfftfreq(edge) * col)
    moved = fft.irfft2(fft.rfft2(world) * np.exp(-2j * np.pi * turn), s=world.shape[1:])
    values = 1000 + 300 * moved[:, MARGIN : edge - MARGIN, MARGIN : edge - MARGIN]
    values += 300 * noise * np.random.default_rng(seed).normal(size=values.shape)
    if valid is None:
        valid = np.ones(values.shape[1:], np.bool_)
    return View(np.where(valid, values, 0).astype(np.float32), valid)
