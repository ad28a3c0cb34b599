"""Make the items that have a date: Sentinel-2 and Sentinel-1."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import netCDF4
import numpy as np
from grid import TILE, item_fields
from items import EO, GRID, PROJECTION, RASTER, SAR, SAT, VIEW, Item, Json, asset, iso
from legends import S2_BANDS, SCL_CLOUD
from orbits import SENTINEL_1, SENTINEL_2, Mission
from rasters import Pixels
from source import decibels, open_source, passes


@dataclass(frozen=True)
class Product:
    """What all acquisitions of one constellation have in common here.

    Attributes:
        constellation: Its name in STAC.
        mission: Tells its satellites and orbits apart.
        instrument: The instrument's name in STAC.
        gsd: Size of the finest pixels in metres.
        orbit_state: Which way the satellites fly over this patch.
        radiometry: What the pixels measure, in eodata's words.
        inferred: The properties that the source does not give.
    """

    constellation: str
    mission: Mission
    instrument: str
    gsd: int
    orbit_state: str
    radiometry: str
    inferred: Sequence[str]

    def properties(self, time: datetime, own: Json) -> Json:
        """Gather the properties of the acquisition at a time.

        Args:
            time: When it was acquired.
            own: The properties that only this constellation has.

        Returns:
            All of its properties.
        """
        letter, orbit = self.mission.identify(time)
        return {
            "datetime": iso(time),
            "platform": f"{self.constellation}{letter}",
            "constellation": self.constellation,
            "instruments": [self.instrument],
            **item_fields(self.gsd),
            **own,
            "sat:orbit_state": self.orbit_state,
            "sat:relative_orbit": orbit,
            "eodata:radiometry": self.radiometry,
            "eodata:inferred": list(self.inferred),
        }


S2_INFERRED = "platform eo:cloud_cover sat:orbit_state sat:relative_orbit"
S2 = Product(
    "sentinel-2", SENTINEL_2, "msi", 10, "descending", "boa-reflectance", S2_INFERRED.split()
)
S1_INFERRED = "platform sar:frequency_band sar:instrument_mode sat:relative_orbit eodata:radiometry"
S1 = Product("sentinel-1", SENTINEL_1, "c-sar", 20, "ascending", "sigma0-db", S1_INFERRED.split())
S1_MODE = {
    "sar:instrument_mode": "IW",
    "sar:frequency_band": "C",
    "sar:polarizations": ["VV", "VH"],
    "sar:product_type": "GRD",
}


def rounded(value: float) -> float:
    """Round an angle that was stored in single precision."""
    return round(float(value), 6)


def satellite_of(properties: Json) -> str:
    """Tell the satellite's letter, upper case, as it stands in an item's id."""
    return str(properties["platform"])[-1].upper()


def cloud_percent(scl: Pixels) -> float:
    """Compute the share of cloud and cirrus in a scene classification, in percent."""
    return float(np.isin(scl, SCL_CLOUD).mean() * 100)


def s2_asset(key: str, pixels: Pixels) -> Json:
    """Describe one Sentinel-2 asset: a reflectance band or the scene classification."""
    if key == "SCL":
        return asset(key, pixels, "Scene classification (SCL)", "classification", band=key)
    common, centre, width, _ = S2_BANDS[key]
    spectrum = {
        "name": key,
        "common_name": common,
        "center_wavelength": centre,
        "full_width_half_max": width,
    }
    more: Json = {"eo:bands": [spectrum], "raster:scale": 0.0001, "raster:offset": 0}
    return asset(key, pixels, f"{key} ({common})", "reflectance", band=key, **more)


def s2_conditions(angles: netCDF4.Dataset, index: int, scl: Pixels) -> Json:
    """Gather cloud, sun and view of one Sentinel-2 acquisition."""
    return {
        "eo:cloud_cover": cloud_percent(scl),
        "view:sun_azimuth": rounded(angles["sunAzimuthAngles"][index]),
        "view:sun_elevation": rounded(90.0 - float(angles["sunZenithAngles"][index])),
        "view:azimuth": rounded(angles["viewAzimuthMean"][index]),
        "view:incidence_angle": rounded(angles["viewZenithMean"][index]),
    }


def open_sentinel_2(source: Path) -> dict[int, netCDF4.Dataset]:
    """Open the two Sentinel-2 files, by pixel size in metres.

    Raises:
        ValueError: If they do not have the same dates.
    """
    by_size = {size: open_source(source, f"S2_L2A_{size}m_*.nc") for size in (10, 20)}
    if not np.array_equal(by_size[10]["timestamp"][:], by_size[20]["timestamp"][:]):
        raise ValueError("the 10 m and 20 m files do not have the same dates")
    return by_size


def sentinel_2_items(source: Path) -> Iterator[Item]:
    """Make one item for each Sentinel-2 date."""
    by_size = open_sentinel_2(source)
    for index, time in passes(by_size[10]):
        rasters = {key: by_size[size][key][index] for key, (*_, size) in S2_BANDS.items()}
        rasters["SCL"] = by_size[20]["SCL"][index]
        properties = S2.properties(time, s2_conditions(by_size[20], index, rasters["SCL"]))
        yield Item(
            id=f"S2{satellite_of(properties)}_{TILE}_{time:%Y%m%d}_0_L2A",
            properties=properties,
            extensions=[EO, GRID, PROJECTION, RASTER, SAT, VIEW],
            assets={key: s2_asset(key, pixels) for key, pixels in rasters.items()},
            rasters=rasters,
        )


def s1_asset(key: str, pixels: Pixels) -> Json:
    """Describe one Sentinel-1 asset: a polarisation."""
    name = key.upper()
    more: Json = {"sar:polarizations": [name]}
    return asset(key, pixels, f"{name} backscatter, sigma0", band=name, unit="dB", **more)


def sentinel_1_items(source: Path) -> Iterator[Item]:
    """Make one item for each Sentinel-1 pass."""
    dataset = open_source(source, "S1_GRD-ASCENDING_20m_*.nc")
    for index, time in passes(dataset):
        rasters = {key: decibels(dataset[key.upper()][index]) for key in ("vv", "vh")}
        properties = S1.properties(time, S1_MODE)
        yield Item(
            id=f"S1{satellite_of(properties)}_IW_GRDH_{TILE}_{time:%Y%m%dT%H%M%S}",
            properties=properties,
            extensions=[GRID, PROJECTION, SAR, SAT],
            assets={key: s1_asset(key, pixels) for key, pixels in rasters.items()},
            rasters=rasters,
        )
