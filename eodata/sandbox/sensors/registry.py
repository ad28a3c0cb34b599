"""Which instruments look at the planet, and what their collections are called."""

from __future__ import annotations

from eodata.core.sandbox_spec import SandboxSettings
from eodata.sandbox.items import Collection
from eodata.sandbox.planet.planet import Planet
from eodata.sandbox.sensors.elevation import Elevation
from eodata.sandbox.sensors.landcover import ModisLandCover, WorldCover
from eodata.sandbox.sensors.lights import NightLights
from eodata.sandbox.sensors.sentinel1 import Sentinel1
from eodata.sandbox.sensors.sentinel2 import Sentinel2
from eodata.sandbox.weather import Weather


def open_collections(settings: SandboxSettings) -> dict[str, Collection]:
    """Return every collection of one simulated Earth, by id; they share planet and weather."""
    planet = Planet(settings.seed)
    weather = Weather(settings.seed, planet.climate)
    collections: list[Collection] = [
        Sentinel2("l1c", settings, planet, weather),
        Sentinel2("l2a", settings, planet, weather),
        Sentinel1("grd", settings, planet),
        Sentinel1("rtc", settings, planet),
        ModisLandCover(settings, planet),
        WorldCover(settings, planet),
        Elevation(settings, planet),
        NightLights(settings, planet),
    ]
    return {c.id: c for c in collections}
