"""The cases by name: a reader, and how it reads."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.stac_read.taking import Options

LEAN = {"GDAL_INGESTED_BYTES_AT_OPEN": "32768", "CPL_VSIL_CURL_USE_HEAD": "NO"}
"""One request opens a file."""


@dataclass(frozen=True, slots=True)
class Case:
    """One way to read.

    Attributes:
        reader: Module of this package, without `read_`.
        options: How it reads.
    """

    reader: str
    options: Options


CASES: dict[str, Case] = {
    "odc": Case("odc", Options()),
    "odc-best": Case("odc", Options(threads=16, at_once=16, gdal=LEAN)),
    "eodata": Case("eodata", Options(at_once=2)),
    "gdal": Case("gdal", Options(threads=16, at_once=4, gdal=LEAN)),
    "async-tiff": Case("async_tiff", Options(threads=2, at_once=2)),
    "async-tiff-raw": Case("async_tiff", Options(threads=2, at_once=2, warp=False)),
}

_ODC = {
    "threads=4": Options(threads=4, at_once=4),
    "threads=8": Options(threads=8, at_once=4),
    "threads=16": Options(threads=16, at_once=4),
    "threads=32": Options(threads=32, at_once=4),
    "threads=16 chunk=1024": Options(threads=16, at_once=4, chunk=1024),
    "threads=16 chunk=512": Options(threads=16, at_once=4, chunk=512),
    "threads=16 one block": Options(threads=16, at_once=1),
    "threads=16 all blocks": Options(threads=16, at_once=16, gdal=LEAN),
    "threads=32 all blocks": Options(threads=32, at_once=16, gdal=LEAN),
    "threads=16 lean open": Options(threads=16, at_once=4, gdal=LEAN),
    "threads=16 HTTP/2 multiplex": Options(
        threads=16, at_once=4, gdal={"GDAL_HTTP_MULTIPLEX": "YES", "GDAL_HTTP_VERSION": "2"}
    ),
    "threads=16 merge": Options(
        threads=16, at_once=4, gdal={"GDAL_HTTP_MERGE_CONSECUTIVE_RANGES": "YES"}
    ),
    "threads=16 VSI_CACHE": Options(threads=16, at_once=4, gdal={"VSI_CACHE": "TRUE"}),
}
_GDAL = {f"threads={n}": Options(threads=n, at_once=4, gdal=LEAN) for n in (8, 16, 32)}
_ASYNC = {f"at_once={n}": Options(threads=2, at_once=n) for n in (1, 2, 4)}
_EODATA = {f"at_once={n}": Options(at_once=n) for n in (1, 2, 3, 4)}
SWEEP: dict[str, Case] = {
    **{f"odc {name}": Case("odc", options) for name, options in _ODC.items()},
    **{f"gdal {name}": Case("gdal", options) for name, options in _GDAL.items()},
    **{f"eodata {name}": Case("eodata", options) for name, options in _EODATA.items()},
    **{f"async-tiff {name}": Case("async_tiff", options) for name, options in _ASYNC.items()},
}
"""What was tried to find the best; run it with few blocks."""
