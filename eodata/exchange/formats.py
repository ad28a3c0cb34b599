"""The formats that a store can leave in: what each is called, may be told, and plans."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, fields
from typing import Any

from eodata.core.errors import RecipeError, nearest
from eodata.exchange.cogs import geotiff_job
from eodata.exchange.folders import npy_job
from eodata.exchange.geotiff import COMPRESSIONS
from eodata.exchange.journal import Head
from eodata.exchange.layouts import LAYOUTS
from eodata.exchange.published import published_job
from eodata.exchange.shards import DEFAULT_MB, webdataset_job
from eodata.exchange.source import Source
from eodata.exchange.task import Job
from eodata.exchange.tiffs import TreeSettings

DTYPES = ("float32", "float64")
DEFAULT_COMPRESSION = "deflate"


@dataclass(frozen=True, slots=True)
class FormatOptions:
    """What a format may be told; a default says nothing.

    Attributes:
        compress: Of GeoTIFFs: `deflate`, `zstd` or `none`.
        dtype: Of Sentinel-1 in published trees; default: as stored.
        complete: Only samples with every step on all sides.
        shard_mb: Most megabytes of a tar file.
    """

    compress: str = DEFAULT_COMPRESSION
    dtype: str = ""
    complete: bool = False
    shard_mb: float = DEFAULT_MB


@dataclass(frozen=True, slots=True)
class Format:
    """A format.

    Attributes:
        name: On the command line.
        options: Names of the options that mean something to it.
        whole: Files depend on which samples are chosen, so a folder holds one choice; otherwise
            further splits may be added to it.
        job: Plans the files.
    """

    name: str
    options: tuple[str, ...]
    whole: bool
    job: Callable[[Source, FormatOptions], Job]

    def check(self, options: FormatOptions) -> None:
        """Refuse options that mean nothing here, and values that there are not.

        Raises:
            RecipeError: There is such an option or value.
        """
        for field in fields(options):
            value = getattr(options, field.name)
            if value != field.default and field.name not in self.options:
                raise RecipeError(
                    f"--{field.name.replace('_', '-')}",
                    f"it says nothing to format {self.name}",
                    f"that one knows {_told(self.options)}.",
                    "Leave it out.",
                )
        _check_word("--compress", options.compress, COMPRESSIONS)
        if options.dtype:
            _check_word("--dtype", options.dtype, DTYPES)

    def head(self, source: Source, options: FormatOptions) -> Head:
        """Return what a folder of such files states about itself."""
        meta, selection = source.reader.meta, source.selection
        told: dict[str, Any] = {name: getattr(options, name) for name in self.options}
        told["rejected"] = selection.rejected
        if self.whole:
            told |= {"split": selection.split, "limit": selection.limit}
        stated = ("name", "version", "licence", "citation", "synthetic", "plan_digest")
        return {"format": self.name, **{key: meta.get(key) for key in stated}, **told}


def find_format(name: str) -> Format:
    """Return a format by its name.

    Raises:
        RecipeError: There is none of that name.
    """
    if name not in FORMATS:
        raise RecipeError(
            "--format",
            f'there is no format "{name}"',
            f"there are {', '.join(FORMATS)}.",
            nearest(name, FORMATS),
        )
    return FORMATS[name]


def _published(name: str) -> Callable[[Source, FormatOptions], Job]:
    return lambda source, options: published_job(source, LAYOUTS[name], _tree(options))


def _tree(options: FormatOptions) -> TreeSettings:
    compression = COMPRESSIONS[options.compress]
    return TreeSettings(compression, options.dtype, options.complete)


def _check_word(where: str, word: str, known: Collection[str]) -> None:
    if word not in known:
        raise RecipeError(where, f'"{word}" is none of them', "", nearest(word, known))


def _told(options: tuple[str, ...]) -> str:
    return ", ".join(f"--{name.replace('_', '-')}" for name in options) or "no option of its own"


_TREE = ("compress", "dtype")
FORMATS = {
    one.name: one
    for one in (
        Format("sen12ms-cr-ts", (*_TREE, "complete"), False, _published("sen12ms-cr-ts")),
        Format("sen12ms-cr", _TREE, False, _published("sen12ms-cr")),
        Format("sen12ms", _TREE, False, _published("sen12ms")),
        Format("geotiff", ("compress",), False, lambda s, told: geotiff_job(s, _tree(told))),
        Format("webdataset", ("shard_mb",), True, lambda s, told: webdataset_job(s, told.shard_mb)),
        Format("npy", (), True, lambda s, _: npy_job(s)),
    )
}
