"""Open a built store for training: which samples, which modalities, which bands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eodata.core.band import Band
from eodata.core.errors import RecipeError, nearest
from eodata.core.outcome import Status
from eodata.core.recipe import ITEM_KEYS
from eodata.datasets.chunking import chunking_of
from eodata.datasets.index import build_index
from eodata.datasets.scaled_bands import choose_scalings
from eodata.datasets.scalings import DN
from eodata.datasets.steps import Steps

if TYPE_CHECKING:
    from eodata.datasets.dataset import EODataset
    from eodata.datasets.decoding import OpenedModality
    from eodata.store.reader import StoreReader


def open_dataset(
    path: str | Path,
    split: str | None = None,
    modalities: Sequence[str] | None = None,
    bands: Mapping[str, Sequence[str]] | None = None,
    *,
    labels: Sequence[str] | None = None,
    steps: Steps | None = None,
    scaling: str | Mapping[str, str] | None = None,
    decode: bool = True,
    seed: int = 0,
    status: Sequence[str] = ("done",),
    transform: Callable[[dict[str, Any]], Any] | None = None,
) -> EODataset:
    """Open a store as a map-style torch dataset.

    Each item is a dict that `default_collate` can batch:

    - one tensor `(T, C, H, W)` per modality, T = 1 for static layers, row 0 in the north;
    - `valid`: per modality bool `(T, H, W)`, True = usable. All False in steps that did not end
      `done`, even when rejected pixels are on disk;
    - `present`: per modality bool `(T,)`, True where the step ended `done`;
    - `dates`: per modality int64 `(T,)`, POSIX seconds UTC of the acquisition, -1 without one;
    - `id`, `row` (position on the sample axis of the store), `split`;
    - `bbox`: float64 west, south, east, north [degrees], NaN without georeference;
    - `labels`, when asked for: per name `single`, an int64 position in the legend of K classes, -1
      where no pixel counts (`ignore_index=-1` of the losses); `multi`, float32 `(K,)`, 1 for each
      class that is present; `fractions`, float32 `(K,)`, 0 where no pixel counts. The legend, and
      so the order of K, is `dataset.classes(name)`.

    With `steps`, the T of modalities with dates is as many as were asked for, and items also have

    - `steps`: int64 `(T,)`, positions on the time axis of the store, as listed or in order of time;
      where a sample has too few, the last are -1 and their `present` and `valid` are False.

    With `TargetSteps` those are the inputs, and items also have

    - `target`: a dict like the item, one step long: tensors `(1, C, H, W)`, `valid`, `present`,
      `dates`, `steps` and `coverage`;
    - `coverage`: float32 `(T,)`, cloud coverage of each step as a fraction, NaN for -1;
    - `matched`: bool, False when the limits could not be kept or there are too few steps.

    Steps that are not done in every opened modality with dates are never chosen, nor those of which
    nothing tells the coverage; a list of numbers is taken as it is. Random choices depend on
    `seed`, epoch and sample id alone, see `EODataset.set_epoch`.

    Numbers: decoded, continuous bands are float32 in the unit of the band, and modalities whose
    bands are all categorical or bitmasks are int64, which losses take; where `valid` is False they
    are 0, which for a class map may be a class too, so always ask `valid`. A `scaling` maps
    reflectance or dB on to what a published network takes; invalid pixels then hold what the
    publication puts there. With `decode=False` they are the DN as stored, NaN or other leftovers
    included, and only uint16 and uint32 are widened to int32 and int64, because torch can do little
    with the unsigned types.

    Items are in row order, which is store order: a `Subset` or a sampler may rely on it.

    Args:
        path: Folder of the store.
        split: `train`, `val`, `test` or another split of the store; None for all samples.
        modalities: Names, in the order of the items; None for all.
        bands: Per modality the bands to read, in channel order, by name or common name whatever
            the case; modalities that are not named keep all bands.
        labels: Names of labels of whole samples that items shall hold; None for none.
        steps: Steps of each item: None for all, a list of positions, `RandomSteps`, `TargetSteps`.
        scaling: Name of a published normalisation, for every modality of reflectance or dB, or a
            name per modality; `physical` and `dn` are names too. See docs/training.md.
        decode: Physical units instead of DN; False is `dn` for every modality.
        seed: Of random choices of steps.
        status: Keep the samples that ended so; `("done", "rejected")` also shows rejected ones.
        transform: Called with each item; its answer is returned instead. To reach spawned workers
            it must be picklable, so no lambda.

    Raises:
        RecipeError: torch is missing, a name is unknown, or no sample is left.
        StoreError: There is no readable store at `path`.
    """
    dataset_class = _dataset_class()
    from eodata.datasets.choosing import choose_steps
    from eodata.datasets.labels import build_labels
    from eodata.store.reader import StoreReader

    path = Path(path).absolute()  # so that a later chdir does not move the workers
    reader = StoreReader(path)
    names = _choose_modalities(reader, _listed(modalities))
    told = _choose_labels(reader, _listed(labels) or ())
    opened = _open_modalities(reader, names, bands or {}, _scaling(scaling, decode=decode))
    samples = _choose_samples(reader.samples(), path, split, _listed(status) or ())
    frame = reader.steps()
    index = build_index(samples, frame, {name: one.shape[0] for name, one in opened.items()})
    # The reader stays behind: what workers inherit or unpickle must hold no open file.
    return dataset_class(
        path,
        index,
        opened,
        # Modalities are cut into the same blocks; a store that differs is read by the largest.
        block=max(one.chunking.block for one in opened.values()),
        labels={name: build_labels(reader, name, index.rows) for name in told},
        choice=choose_steps(reader, names, index, frame, steps),
        seed=seed,
        transform=transform,
    )


def _dataset_class() -> type[EODataset]:
    try:
        from eodata.datasets.dataset import EODataset
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "torch":
            raise
        raise RecipeError(
            "open_dataset",
            "PyTorch is not installed",
            "datasets are torch datasets.",
            "Install it: pip install eodata[train]. Without it, read the store with zarr.",
        ) from None
    return EODataset


def _listed(names: Iterable[str] | None) -> tuple[str, ...] | None:
    """Return a tuple; one name alone, the likeliest slip, counts as a list of one."""
    return (names,) if isinstance(names, str) else None if names is None else tuple(names)


def _choose_modalities(reader: StoreReader, wanted: tuple[str, ...] | None) -> tuple[str, ...]:
    known = tuple(reader.names)
    names = known if wanted is None else wanted
    for name in names:
        if name not in known:
            raise RecipeError(
                "modalities", f'the store has no modality "{name}"', "", nearest(name, known)
            )
        if name in ITEM_KEYS:
            raise RecipeError(
                "modalities",
                f'"{name}" is also the name of something else in each item',
                f"items use {', '.join(sorted(ITEM_KEYS))} themselves.",
                "Rename the modality in the recipe, or name the modalities to leave it out.",
            )
    if not names or len(set(names)) < len(names):
        raise RecipeError(
            "modalities",
            f"{list(names)} names {'one twice' if names else 'none'}",
            "an item holds each modality once, and at least one.",
            f"Known: {', '.join(known)}.",
        )
    return names


def _choose_labels(reader: StoreReader, names: tuple[str, ...]) -> tuple[str, ...]:
    known = reader.label_names
    for name in names:
        if name not in known:
            raise RecipeError(
                "labels", f'the store has no labels "{name}"', "", nearest(name, known)
            )
    return tuple(dict.fromkeys(names))


def _choose_channels(
    reader: StoreReader, names: tuple[str, ...], wanted: Mapping[str, Sequence[str]]
) -> dict[str, tuple[int, ...]]:
    for name in wanted:
        if name not in names:
            raise RecipeError(
                f"bands[{name!r}]", "this modality is not opened", "", nearest(name, names)
            )
    channels = {}
    for name in names:
        bands = tuple(reader.bands(name))
        chosen = _listed(wanted.get(name))
        if chosen is not None and not chosen:
            known = ", ".join(band.name for band in bands)
            raise RecipeError(f"bands[{name!r}]", "the list is empty", "", f"Known: {known}.")
        every = tuple(range(len(bands)))
        channels[name] = (
            every if chosen is None else tuple(_channel(name, bands, b) for b in chosen)
        )
    return channels


def _channel(modality: str, bands: tuple[Band, ...], wanted: str) -> int:
    """Return the position of a band; names win over common names, which several may share."""
    key = wanted.lower()
    by_name = [i for i, band in enumerate(bands) if band.name.lower() == key]
    found = by_name or [i for i, band in enumerate(bands) if band.common_name.lower() == key != ""]
    if len(found) == 1:
        return found[0]
    if found:
        raise RecipeError(
            f"bands[{modality!r}]",
            f'"{wanted}" is the common name of {len(found)} bands',
            "one name must mean one band.",
            f"Use {' or '.join(bands[i].name for i in found)}.",
        )
    known = [b.name for b in bands] + [b.common_name for b in bands if b.common_name]
    raise RecipeError(
        f"bands[{modality!r}]", f'there is no band "{wanted}"', "", nearest(wanted, known)
    )


def _choose_samples(samples: Any, path: Path, split: str | None, status: tuple[str, ...]) -> Any:
    splits, endings = set(samples["split"]), {*Status, *samples["status"]}
    if split is not None and split not in splits:
        raise RecipeError(
            f"{path}: split", f'there is no split "{split}"', "", nearest(split, splits)
        )
    for word in status:
        if word not in endings:
            raise RecipeError("status", f'nothing ends "{word}"', "", nearest(word, endings))
    mine = samples[samples["status"].isin(status)]
    if split is not None:
        mine = mine[mine["split"] == split]
    if len(mine) == 0:
        counts = Counter(zip(samples["split"], samples["status"], strict=True))
        there = ", ".join(f"{n} {word} in {part}" for (part, word), n in sorted(counts.items()))
        raise RecipeError(
            f"{path}",
            f"no sample is {' or '.join(status)} in {split or 'any split'}",
            f"the store has {there or 'no samples at all'}.",
            "Choose another split or status, or run the build again.",
        )
    return mine


def _open_modalities(
    reader: StoreReader,
    names: tuple[str, ...],
    wanted: Mapping[str, Sequence[str]],
    scaling: str | Mapping[str, str] | None,
) -> dict[str, OpenedModality]:
    from eodata.datasets.decoding import OpenedModality
    from eodata.store.arrays import array_metadata

    channels = _choose_channels(reader, names, wanted)
    bands = {name: tuple(reader.bands(name)[c] for c in channels[name]) for name in names}
    scalings = choose_scalings(
        scaling, bands, lambda name: reader.attrs(name).get("radiometry", "")
    )
    opened = {}
    for name in names:
        _, n_steps, _, height, width = reader.shape(name)
        opened[name] = OpenedModality(
            bands[name],
            channels[name],
            (n_steps, len(bands[name]), height, width),
            reader.is_static(name),
            scalings[name],
            chunking_of(array_metadata(reader.path, name)),
        )
    return opened


def _scaling(
    scaling: str | Mapping[str, str] | None, *, decode: bool
) -> str | Mapping[str, str] | None:
    if decode:
        return scaling
    if scaling is not None:
        raise RecipeError(
            "scaling",
            f"scaling={scaling!r} and decode=False",
            "DN are either decoded or not.",
            f'Leave decode out; scaling={{…: "{DN}"}} keeps the DN of one modality.',
        )
    return DN
