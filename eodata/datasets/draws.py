"""Random numbers that depend on their key alone, never on who asks, how often, or in which order.

Bits of PCG64 seeded by an integer are among what NumPy promises never to change (NEP 19), unlike
`choice` and `permutation`; sorting such bits makes choices that last.
"""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray


def draw(n: int, *key: int | str) -> NDArray[np.uint64]:
    """Return n random numbers of 64 bits, the same for the same key on every machine."""
    # Length before text, so that no two keys are written alike.
    text = "".join(f"{len(str(part))}:{part}" for part in key)
    digest = blake2b(text.encode(), digest_size=16).digest()
    numbers: NDArray[np.uint64] = np.random.PCG64(int.from_bytes(digest, "little")).random_raw(n)
    return numbers


def shuffled(n: int, *key: int | str) -> NDArray[np.int64]:
    """Return the positions 0 to n - 1 in an order that the key decides."""
    return np.argsort(draw(n, *key), kind="stable").astype(np.int64)
