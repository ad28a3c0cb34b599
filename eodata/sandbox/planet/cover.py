"""What covers the ground: the planet's own classes, and what other legends call them."""

from __future__ import annotations

from enum import IntEnum


class Cover(IntEnum):
    """Classes of the simulated ground. Values are stable: stores keep them."""

    SEA = 0
    LAKE = 1  # standing and running fresh water
    EVERGREEN_FOREST = 2  # tropical, broadleaf
    BROADLEAF_FOREST = 3  # deciduous
    NEEDLELEAF_FOREST = 4
    SHRUB = 5
    GRASS = 6  # pasture, steppe, savanna
    SUMMER_CROP = 7  # maize, soy, cotton: bare in spring
    WINTER_CROP = 8  # wheat, barley, rape: green in spring, bare after harvest
    WETLAND = 9
    BARE = 10  # soil without much plant cover
    SAND = 11  # deserts and beaches
    ROCK = 12
    ICE = 13  # permanent
    TUNDRA = 14  # moss, lichen, dwarf shrub
    STREET = 15  # asphalt, concrete
    DARK_ROOF = 16  # tile, bitumen
    BRIGHT_ROOF = 17  # metal, gravel
    GARDEN = 18  # parks and yards in towns


WATER = (Cover.SEA, Cover.LAKE)
FOREST = (Cover.EVERGREEN_FOREST, Cover.BROADLEAF_FOREST, Cover.NEEDLELEAF_FOREST)
CROP = (Cover.SUMMER_CROP, Cover.WINTER_CROP)
BUILT = (Cover.STREET, Cover.DARK_ROOF, Cover.BRIGHT_ROOF)
