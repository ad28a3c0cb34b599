"""What the place of one step is compared with, and what is done about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from odc.geo.geobox import GeoBox

from eodata.build.composing import Image, Pass
from eodata.build.coregistering import Moves, find_band_moves, find_moves, misfits
from eodata.build.reference import Reference, reference_of
from eodata.build.shard import Shard
from eodata.core.grid import window_of
from eodata.core.modality_plan import ModalityPlan
from eodata.core.patch import Patch
from eodata.core.plan import Plan
from eodata.core.protocols import Provider
from eodata.core.shift import IS_REFERENCE, Shift
from eodata.store.reader import StoreReader

ITEM_IS_MISSING = "no step holds the item that is the reference"


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """One step of one window, and what it is compared with.

    Attributes:
        modality: What is read.
        mover: Whose items are moved: the modality, or the one that it follows.
        patches: On the window.
        reference: Of the mover; None where there is none, or the step is the reference.
        name: Of the reference step, `""` where the modality is compared with nothing.
        why: What is said of a step that has a name and no reference.
    """

    modality: ModalityPlan
    mover: ModalityPlan
    patches: tuple[Patch, ...]
    reference: Reference | None
    name: str
    why: str = IS_REFERENCE

    def moves(self, provider: Provider, passes: Sequence[Pass]) -> Moves:
        """Return how the items must be moved: not at all, where the recipe does not ask for it.

        Raises:
            ProviderError: An item cannot be read.
        """
        moves, window = Moves(), window_of(self.patches, self.mover.gsd)
        if self.mover.steady_band is not None:
            moves = find_band_moves(provider, passes, self.mover, window)
        if self.reference is not None:
            moves.cost += self.reference.cost
            if self.reference.alignment.moves:
                find_moves(provider, passes, self.mover, window, self.reference, moves)
        return moves

    def told(self, moves: Moves) -> str:
        """Return how the bands of the items lie, as JSON; `""` where that is told elsewhere."""
        return moves.told() if self.mover is self.modality else ""

    def misfits(
        self, image: Image, window: GeoBox, moves: Moves, passes: Sequence[Pass]
    ) -> Sequence[Shift | None]:
        """Return how far the finished pixels of each patch lie from the reference."""
        if not self.name:
            return [None] * len(self.patches)
        if self.reference is None:
            return [Shift(self.name, why=self.why)] * len(self.patches)
        return misfits(image, self.modality, window, self.patches, self.reference, moves, passes)


def compare_step(
    plan: Plan,
    store: StoreReader,
    provider: Provider,
    shard: Shard,
    positions: Sequence[int],
    step: int,
) -> Comparison:
    """Return what a step is compared with.

    Args:
        plan: What the store follows.
        store: Holds the reference, unless the shard does.
        provider: Reads it where neither does yet.
        shard: Which the task fills.
        positions: Patches of one window, in a row.
        step: Of the task's modality.

    Raises:
        StoreError: The reference cannot be read.
        ProviderError: The same, from the archive.
    """
    modality, mover = shard.modality, plan.mover(shard.modality.name)
    patches = tuple(plan.blocks[shard.task.block].patches[p] for p in positions)
    follows = mover is not modality
    if mover.alignment is None or (follows and not mover.alignment.moves):
        return Comparison(modality, mover, patches, None, "")
    at = plan.reference_step(mover.name, patches[0].area)
    if at is None:
        told = "" if follows else mover.alignment.to
        return Comparison(modality, mover, patches, None, told, why=ITEM_IS_MISSING)
    reference = reference_of(plan, store, provider, shard, mover, positions, step)
    name = "" if follows else f"{mover.alignment.to}@{at}"
    return Comparison(modality, mover, patches, reference, name)
