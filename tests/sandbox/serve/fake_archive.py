"""Some two hundred made-up records of Sentinel-2, Sentinel-1 and maps, for tests of the API."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from affine import Affine
from odc.geo.geobox import GeoBox
from shapely.geometry import box

from eodata.core.reproject import WGS84, reproject
from eodata.core.span import Span, format_utc
from eodata.sandbox.items import Layer, SandboxItem
from eodata.sandbox.tiles import tile as tile_by_name

START = datetime(2021, 12, 1, 10, 30, 21, 24000, tzinfo=UTC)
SPAN = Span(datetime(2015, 7, 4, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC))
TILES = ("31UDS", "33TWL", "34QDH", "60KZG")
"""In Flanders, Slovenia, Chad and at the date line."""
RATIOS = {"B01": 6, "B02": 1, "B03": 1, "B04": 1, "B05": 2, "B06": 2, "B07": 2, "B08": 1,
          "B8A": 2, "B09": 6, "B10": 6, "B11": 2, "B12": 2}  # fmt: skip


class FakeCollection:
    """Records in a list; counts how many were handed out."""

    description = "Made up."
    span = SPAN

    def __init__(self, name: str, items: list[SandboxItem]) -> None:
        self.id, self.title, self.handed_out = name, name.title(), 0
        self._items = sorted(items, key=lambda item: (item.datetime, item.id))

    def __len__(self) -> int:
        return len(self._items)

    def find(self, footprint, span, *, newest_first=False):
        for item in reversed(self._items) if newest_first else self._items:
            if _overlaps(item, span) and item.footprint.intersects(footprint):
                self.handed_out += 1
                yield item

    def get(self, item_id):
        for item in self._items:
            if item.id == item_id:
                return item
        raise LookupError(item_id)


@dataclass
class FakeArchive:
    collections: dict[str, FakeCollection] = field(default_factory=dict)


def _overlaps(item, span):
    if span is None or item.datetime in span:
        return True
    end = item.properties.get("end_datetime")
    return end is not None and item.datetime < span.start < datetime.fromisoformat(end)


@lru_cache
def _frame():
    base = GeoBox((18_000, 25_000), Affine(10, 0, 400_000, 0, -10, 5_700_000), "EPSG:32631")
    return base, reproject(box(*base.boundingbox.bbox), "EPSG:32631", WGS84, 20_000)


def sentinel2(level: str, tile: str, day: int, baseline: str = "") -> SandboxItem:
    place = tile_by_name(tile)
    time = START + timedelta(days=day, seconds=TILES.index(tile) if tile in TILES else 0)
    platform = "ab"[day // 5 % 2]
    baseline = baseline or ("0301" if time.year < 2022 else "0400")
    made = time + timedelta(hours=4)
    offset = -0.1 if baseline >= "0400" else 0.0
    keys = [k for k in RATIOS if level == "L1C" or k != "B10"]
    layers = {k: Layer(k, RATIOS[k], "uint16", 0, 1e-4, offset) for k in keys}
    if level == "L2A":
        layers["SCL"] = Layer("SCL", 2, "uint8", 0)
    return SandboxItem(
        id=f"S2{platform.upper()}_MSI{level}_{time:%Y%m%dT%H%M%S}_N{baseline}_R051_T{tile}_"
        f"{made:%Y%m%dT%H%M%S}",
        collection=f"sentinel-2-{level.lower()}",
        datetime=time,
        footprint=place.footprint,
        properties={
            "platform": f"sentinel-2{platform}",
            "constellation": "sentinel-2",
            "instruments": ["msi"],
            "eo:cloud_cover": round((day * 37 + len(tile) * ord(tile[3])) % 1000 / 10, 2),
            "grid:code": f"MGRS-{tile}",
            "proj:epsg": place.geobox.crs.epsg,
            "mgrs:utm_zone": int(tile[:2]),
            "mgrs:latitude_band": tile[2],
            "mgrs:grid_square": tile[3:],
            "sat:orbit_state": "descending",
            "sat:relative_orbit": 51,
            "sat:absolute_orbit": 33_000 + day,
            "view:sun_azimuth": 160.25,
            "view:sun_elevation": 35.5,
            "s2:processing_baseline": f"{baseline[:2]}.{baseline[2:]}",
        },
        base=place.geobox,
        layers=layers,
    )


def sentinel1(kind: str, day: int) -> SandboxItem:
    start = datetime(2021, 12, 2, 5, 58, 4, tzinfo=UTC) + timedelta(days=day)
    end = start + timedelta(seconds=25)
    base, footprint = _frame()
    stem = f"S1A_IW_GRDH_1SDV_{start:%Y%m%dT%H%M%S}_{end:%Y%m%dT%H%M%S}_{40_000 + day:06d}_04D2A1"
    unit, nodata = ("dB", None) if kind == "grd" else ("1", -32768.0)
    return SandboxItem(
        id=f"{stem}_{'1A2B' if kind == 'grd' else 'rtc'}",
        collection=f"sentinel-1-{kind}",
        datetime=start + (end - start) / 2,
        footprint=footprint,
        properties={
            "start_datetime": format_utc(start),
            "end_datetime": format_utc(end),
            "platform": "sentinel-1a",
            "constellation": "sentinel-1",
            "instruments": ["c-sar"],
            "sat:orbit_state": "descending",
            "sat:relative_orbit": 37,
            "sat:absolute_orbit": 40_000 + day,
            "sat:platform_international_designator": "2014-016A",
            "sar:instrument_mode": "IW",
            "sar:frequency_band": "C",
            "sar:center_frequency": 5.405,
            "sar:polarizations": ["VV", "VH"],
            "sar:product_type": "GRD",
            "sar:observation_direction": "right",
            "sar:resolution_range": 20,
            "sar:resolution_azimuth": 22,
            "sar:pixel_spacing_range": 10,
            "sar:pixel_spacing_azimuth": 10,
            "sar:looks_range": 5,
            "sar:looks_azimuth": 1,
            "sar:looks_equivalent_number": 4.4,
        },
        base=base,
        layers={key: Layer(key, 1, "float32", nodata, unit=unit) for key in ("vv", "vh")},
    )


def _map(collection, name, day, corner, size, key, dtype, properties) -> SandboxItem:
    west, north = corner
    height = int(size * 3600)
    base = GeoBox((height, height), Affine(1 / 3600, 0, west, 0, -1 / 3600, north), "EPSG:4326")
    return SandboxItem(
        id=name,
        collection=collection,
        datetime=day,
        footprint=box(west, north - size, west + size, north),
        properties=properties,
        base=base,
        layers={key: Layer(key, 1, dtype, nodata=0 if dtype == "uint8" else None)},
    )


def dem(lon: int) -> SandboxItem:
    day = datetime(2021, 4, 22, tzinfo=UTC)
    name = f"Copernicus_DSM_COG_10_N50_00_E{lon:03d}_00_DEM"
    stated = {"platform": "TanDEM-X", "gsd": 30}
    return _map("cop-dem-glo-30", name, day, (lon, 51), 1, "data", "float32", stated)


def worldcover(lon: int) -> SandboxItem:
    day = datetime(2021, 1, 1, tzinfo=UTC)
    name = f"ESA_WorldCover_10m_2021_v200_N48E{lon:03d}"
    times = {"start_datetime": "2021-01-01T00:00:00Z", "end_datetime": "2021-12-31T23:59:59Z"}
    return _map("esa-worldcover", name, day, (lon, 51), 3, "map", "uint8", times)


def fake_archive() -> FakeArchive:
    """Return an archive of 204 records in six collections."""
    tiles = TILES
    made = {
        "sentinel-2-l1c": [sentinel2("L1C", t, 5 * n) for n in range(20) for t in tiles],
        "sentinel-2-l2a": [sentinel2("L2A", t, 5 * n) for n in range(20) for t in tiles],
        "sentinel-1-grd": [sentinel1("grd", 6 * n) for n in range(12)],
        "sentinel-1-rtc": [sentinel1("rtc", 6 * n) for n in range(12)],
        "cop-dem-glo-30": [dem(lon) for lon in range(16)],
        "esa-worldcover": [worldcover(lon) for lon in range(0, 12, 3)],
    }
    return FakeArchive({name: FakeCollection(name, items) for name, items in made.items()})
