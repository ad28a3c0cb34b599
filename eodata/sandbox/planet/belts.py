"""Where the highlands, mountain belts, lowlands and ice sheets of the Earth lie, roughly.

A plausible scheme drawn by hand, not data: each belt is a line on the globe with a width.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from eodata.sandbox.planet.lattice import Field
from eodata.sandbox.planet.sites import Floats

EARTH_KM = 6371.0
FRAY = 0.6
"""How much noise changes squared distances to the foot."""
WIDEST = (1.0 - FRAY) ** -0.5
"""Distance at which a belt may end at most, in distances to its foot."""
Belt = tuple[float, float, float, tuple[tuple[float, float], ...]]
"""Height of the base [m], height of ridges above it [m], distance to the foot [km], and the line
of longitudes and latitudes."""

UPLANDS: tuple[Belt, ...] = (
    # Asia
    (4500, 900, 520, ((80, 33), (86, 32.5), (92, 32.2), (98, 32))),  # Tibet
    (2800, 3600, 150, ((74, 35), (79, 31), (84, 28.7), (90, 28), (96, 28.8))),  # Himalaya
    (3600, 2600, 260, ((70, 36), (73, 38), (76, 36))),  # Pamir, Hindu Kush, Karakoram
    (2000, 800, 300, ((66, 34), (69, 35))),  # Afghanistan
    (2300, 2200, 200, ((71, 42), (78, 42.2), (84, 43.2), (90, 43))),  # Tian Shan
    (1500, 1700, 280, ((85, 49.5), (91, 48), (97, 46))),  # Altai
    (1400, 900, 350, ((95, 51.5), (101, 50.5), (106, 48))),  # Sayan, Khangai
    (1100, 200, 500, ((98, 43), (107, 44), (113, 45))),  # Gobi
    (900, 900, 350, ((108, 53), (114, 56), (122, 56), (132, 55.5))),  # Stanovoy
    (600, 1300, 320, ((128, 66), (134, 64), (143, 64), (150, 62))),  # Verkhoyansk, Chersky
    (350, 900, 300, ((158, 64), (168, 66), (175, 66.5))),  # Kolyma
    (400, 1400, 110, ((157, 52), (159, 55), (161.5, 58))),  # Kamchatka
    (450, 350, 450, ((92, 69), (100, 66), (105, 62))),  # Putorana, central Siberia
    (300, 700, 130, ((59, 53), (59, 58), (60, 63), (65, 67.5))),  # Urals
    (1500, 1300, 230, ((46, 35), (50, 32), (54, 29))),  # Zagros
    (1200, 500, 380, ((53, 33), (58, 32), (60, 30))),  # Iran
    (900, 2500, 90, ((49, 37), (52, 36), (56, 36.7))),  # Elburz
    (1100, 3000, 110, ((40, 43.6), (43.5, 43), (47, 41.8))),  # Caucasus
    (1400, 1300, 230, ((38, 39.5), (42, 39), (45, 38.7))),  # Armenia
    (950, 600, 260, ((30, 39), (34, 38.5))),  # Anatolia
    (600, 1900, 100, ((29.5, 36.9), (34, 37), (37, 38))),  # Taurus
    (500, 1800, 80, ((35.9, 33), (36.1, 34.5))),  # Lebanon
    (900, 1400, 170, ((36, 27), (40, 22), (43, 17), (44.5, 14))),  # Hijaz, Yemen
    (700, 100, 500, ((43, 24), (45, 22))),  # Najd
    (400, 1700, 70, ((57.5, 23.4),)),  # Oman
    (550, 300, 430, ((76, 20), (77, 16), (77, 13))),  # Deccan
    (500, 1300, 80, ((74, 17), (75.5, 13), (77, 9.5))),  # Western Ghats
    (1900, 1300, 380, ((101, 27), (102, 24.5), (105, 26))),  # Yunnan
    (2700, 2300, 240, ((99.5, 28), (101.5, 31))),  # Hengduan
    (800, 900, 300, ((97.5, 22), (98.5, 18))),  # Shan, Burma
    (500, 900, 150, ((104, 19), (107.5, 15.5), (108.3, 12))),  # Annam
    (250, 700, 500, ((109, 25.5), (114, 25), (118, 27))),  # southern China
    (900, 1300, 220, ((104, 33.5), (108, 33.5), (111, 32.5))),  # Qinling
    (1100, 500, 260, ((108, 37), (112, 38.5), (114, 40.5))),  # Loess plateau
    (400, 700, 300, ((121, 48), (123, 51))),  # Khingan
    (450, 900, 200, ((128, 41.5), (129, 38), (134, 46))),  # Changbai, Korea, Sikhote
    (450, 1900, 90, ((131, 33), (134, 34), (137.7, 36), (140, 38), (140.7, 40), (142.8, 43.3))),
    (700, 2600, 70, ((120.7, 22.8), (121.4, 24.5))),  # Taiwan
    (150, 1300, 100, ((121, 17), (121.5, 14), (125, 8))),  # Philippines
    (250, 1700, 130, ((115, 4), (116.5, 6), (113.5, 1), (112, 0))),  # Borneo
    (300, 1900, 90, ((97, 4), (100, 0), (102.5, -3.5), (105, -6))),  # Sumatra
    (250, 2200, 70, ((106.5, -6.9), (110, -7.3), (115, -8.4), (120, -8.6), (125, -9))),  # Java
    (250, 1500, 110, ((120, 0), (120, -3), (122, -4))),  # Sulawesi
    (1200, 2400, 150, ((134, -3.6), (139, -4.3), (144, -5.8), (148, -9))),  # New Guinea
    # Europe
    (900, 3000, 120, ((6.6, 44.5), (7.2, 45.9), (9.5, 46.5), (12.5, 47), (14.5, 47))),  # Alps
    (450, 700, 160, ((6.8, 48), (8.2, 48.3), (10.5, 48.4))),  # Vosges, Black Forest
    (350, 450, 230, ((8, 51), (11, 50.6), (15, 50.6))),  # central Germany, Bohemia
    (550, 900, 140, ((3, 45.2), (3.2, 44.3))),  # Massif Central
    (600, 2200, 80, ((-1.5, 43), (0.5, 42.7), (2.3, 42.5))),  # Pyrenees
    (650, 350, 330, ((-5.5, 41.8), (-3, 40), (-4, 38.5))),  # Meseta
    (500, 1700, 80, ((-6.5, 43.1), (-4, 43.1))),  # Cantabria
    (500, 2100, 80, ((-4, 37), (-2.5, 37.3))),  # Sierra Nevada of Spain
    (350, 1500, 90, ((8.5, 44.4), (11, 44), (13.5, 42.4), (16, 40.2), (16.3, 38.6))),  # Apennines
    (500, 1500, 150, ((14.5, 45.5), (17, 44), (20, 42.4), (21.5, 40), (22.3, 38))),  # Dinarides
    (500, 1700, 120, ((23, 42.5), (25, 42.7), (24, 41.6))),  # Balkans
    (450, 1500, 120, ((19.5, 49.2), (22.5, 48.8), (25, 47.3), (25.6, 45.6), (22.8, 45.4))),
    (450, 1300, 210, ((7.5, 59.8), (8.3, 61.5), (11.5, 63), (14.5, 65.5), (18.5, 68.3))),  # Scandes
    (200, 900, 120, ((-4.7, 56.7), (-4.8, 57.6))),  # Highlands of Scotland
    (150, 550, 80, ((-2.3, 54.5), (-3.6, 52.6))),  # Pennines, Wales
    (500, 900, 220, ((-18.5, 64.8),)),  # Iceland
    # Africa
    (900, 2200, 170, ((-8, 31), (-5, 32.4), (0, 34), (5, 36))),  # Atlas
    (900, 1600, 280, ((5.7, 23.3),)),  # Ahaggar
    (800, 1900, 260, ((17.8, 20.8),)),  # Tibesti
    (600, 1200, 160, ((24, 13),)),  # Marra
    (350, 300, 500, ((-10, 10), (-6, 9))),  # Fouta
    (600, 700, 250, ((9, 9.7), (12, 7.5))),  # Jos, Adamawa
    (300, 1700, 90, ((9.5, 4.7), (10.3, 6.2))),  # Cameroon
    (2000, 1500, 330, ((38, 13.5), (38.5, 9.5), (38.2, 7))),  # Ethiopia
    (1200, 500, 700, ((31.5, 1), (33, -5))),  # East African plateau
    (1200, 1200, 200, ((35.8, 0.7), (36.6, -1), (37, -3.1))),  # Kenya
    (1500, 1900, 130, ((29.8, 0.6), (29.4, -2.5))),  # Ruwenzori, Virunga
    (1200, 900, 260, ((34, -9), (34.5, -12), (33, -15.5))),  # Malawi
    (450, 100, 900, ((22, -1), (23, -5))),  # Congo
    (1250, 300, 700, ((16, -12.5), (24, -12), (30, -13))),  # Bie, Katanga
    (1100, 200, 900, ((20, -23), (26, -24), (30, -20))),  # southern African plateau
    (1500, 1400, 230, ((28.7, -29.3), (29.8, -26))),  # Drakensberg
    (700, 900, 150, ((19.5, -33), (23, -33.2))),  # Cape
    (1000, 900, 220, ((47, -19), (46.8, -22))),  # Madagascar
    # North America
    (1500, 700, 520, ((-106, 43), (-107, 38.5), (-108.5, 35))),  # western plateau
    (1200, 2000, 230, ((-113.5, 48), (-110, 44), (-106.3, 39.5), (-105.8, 36.5))),  # Rockies
    (1100, 1900, 240, ((-128, 58), (-122, 54), (-117, 51.3), (-114, 49))),  # Rockies of Canada
    (1400, 900, 430, ((-117.5, 41.5), (-114, 38.5))),  # Great Basin
    (700, 100, 500, ((-103, 50), (-102, 45), (-102, 39), (-102, 34))),  # High Plains
    (800, 2600, 100, ((-119.8, 38.9), (-118.3, 36.5))),  # Sierra Nevada
    (600, 1600, 100, ((-121.5, 48.5), (-121.8, 44.5), (-122, 41.5))),  # Cascades
    (800, 2000, 170, ((-123, 50.5), (-127.5, 54), (-132, 58), (-138, 60.3))),  # Coast mountains
    (700, 2800, 170, ((-141, 61), (-146, 62), (-151, 63), (-154, 61))),  # Alaska range
    (350, 1500, 180, ((-162, 68.3), (-152, 68.2), (-143, 69))),  # Brooks range
    (500, 1300, 260, ((-139, 66), (-131, 64), (-127.5, 62))),  # Mackenzie
    (
        350,
        900,
        160,
        ((-86, 34.5), (-82, 36.5), (-79, 39), (-75.5, 42), (-71, 44.6)),
    ),  # Appalachians
    (350, 150, 800, ((-93, 50), (-80, 48.5), (-72, 52), (-66, 54))),  # Laurentian shield
    (500, 1200, 170, ((-64, 59.5), (-66, 67), (-73, 72), (-80, 77))),  # Labrador, Baffin
    (1700, 900, 300, ((-105, 28), (-102.5, 23), (-100, 19.8))),  # Mexico
    (1300, 1500, 140, ((-108, 28.5), (-105.3, 24))),  # Sierra Madre
    (700, 1800, 120, ((-97, 17), (-92, 15.3), (-89, 14.4), (-84, 10), (-82.5, 8.8))),
    (200, 1600, 80, ((-77, 18.1), (-72, 18.6), (-71, 19))),  # Antilles
    (2700, 60, 640, ((-45, 63), (-42, 68), (-41, 73), (-41, 78))),  # Greenland's ice
    (600, 1500, 160, ((-32, 68.5), (-27, 71.5), (-24, 75))),  # east of Greenland
    # South America
    (1800, 2600, 160, ((-75, 4), (-73.5, 6.5), (-71, 9))),  # Colombia
    (2300, 2500, 150, ((-76.8, 2), (-78.5, -1.5), (-79, -5), (-77.5, -9))),  # Ecuador, Peru
    (3500, 1500, 300, ((-76, -11.5), (-72.5, -14.5), (-69, -17.5), (-67.5, -21))),  # Altiplano
    (3300, 2300, 190, ((-67.7, -22), (-68.3, -26), (-69.8, -30.5), (-70, -33.5))),  # Andes
    (1200, 1700, 150, ((-70.7, -35.5), (-71.4, -40), (-72.5, -46), (-73, -50.5), (-70, -54.6))),
    (600, 1400, 260, ((-64, 5), (-60.5, 5))),  # Guiana
    (650, 300, 650, ((-47, -15), (-50, -19), (-45, -20))),  # Brazil
    (600, 1300, 140, ((-43.5, -21), (-46, -23), (-49.5, -27))),  # Mantiqueira
    (500, 50, 260, ((-69, -42), (-70, -47))),  # Patagonia
    # Australia, New Zealand
    (350, 50, 900, ((121, -27), (128, -24), (133, -23))),  # Australia
    (400, 500, 300, ((133, -23.6),)),  # MacDonnell
    (500, 900, 170, ((148.3, -36.3), (150.5, -33), (151.8, -30), (149, -25), (145.5, -18))),
    (300, 900, 110, ((146.5, -42),)),  # Tasmania
    (700, 2200, 90, ((168, -44.8), (170.5, -43.4), (172.5, -42.3))),  # Southern Alps
    (250, 1100, 90, ((175.7, -39.2), (177.5, -38.3))),  # North Island
    # Antarctica
    (3100, 30, 1500, ((20, -78), (60, -78), (100, -78), (130, -75.5))),
    (1700, 60, 900, ((-120, -80), (-95, -80), (-80, -82))),
    (1500, 1700, 200, ((162, -77), (168, -83.5), (-150, -86), (-80, -84.5))),  # Transantarctic
    (1300, 1500, 160, ((-65, -69), (-62.5, -65.5))),  # Peninsula
    (1500, 2200, 150, ((-85.5, -78.5),)),  # Vinson
)
LOWLANDS: tuple[Belt, ...] = (
    (1, 0, 330, ((1, 51), (5, 52.4), (9, 53.7))),  # Netherlands
    (1, 0, 500, ((12, 53.7), (18, 53), (24, 53), (30, 51.5))),  # northern plain of Europe
    (1, 0, 130, ((8.5, 45.1), (12, 45))),  # Po
    (1, 0, 200, ((19.5, 46.8), (21, 46))),  # Pannonia
    (1, 0, 180, ((24, 44), (27, 44.7))),  # Wallachia
    (1, 0, 600, ((70, 58), (74, 60), (78, 64))),  # western Siberia
    (1, 0, 400, ((49.5, 47), (54, 45.5), (60, 44.5))),  # Caspian, Aral
    (1, 0, 200, ((43, 34), (46, 31.5), (48, 30))),  # Mesopotamia
    (1, 0, 170, ((73, 29), (78, 28), (84, 26), (89, 24))),  # Ganges
    (1, 0, 350, ((116, 38), (117, 34), (120, 32))),  # northern China
    (1, 0, 170, ((100.3, 15), (105.5, 11))),  # Menam, Mekong
    (1, 0, 900, ((-70, -4), (-62, -4), (-54, -2.5))),  # Amazon
    (1, 0, 450, ((-67, 8), (-70, 6))),  # Llanos
    (1, 0, 450, ((-60, -36), (-60, -32), (-59, -26))),  # Pampas
    (1, 0, 300, ((-90.5, 37), (-91, 33), (-90, 30))),  # Mississippi
    (1, 0, 200, ((-82, 30), (-81.5, 27))),  # Florida
    (1, 0, 80, ((-121.8, 39), (-120, 36.5))),  # Central Valley
    (1, 0, 350, ((-88, 57), (-82, 54))),  # Hudson bay
    (1, 0, 450, ((140, -28), (143, -33))),  # Lake Eyre, Murray
    (1, 0, 120, ((31, 31), (31.5, 27))),  # Nile
)


@dataclass(frozen=True, slots=True, eq=False)
class _Line:
    """A belt on the unit sphere: corners `(N, 3)`, half the square of the foot's chord."""

    base: np.float32
    ridge: np.float32
    foot2: float
    corners: Floats
    middle: Floats
    reach: float
    """Distance of the middle to the furthest foot, a chord."""


def uplands(lon: Floats, lat: Floats, frayed: Field) -> tuple[Field, Field]:
    """Return the height of the base and of the ridges above it [m]; 0 off all belts.

    Where belts overlap the higher one prevails: the fourth root of the sum of fourth powers.

    Args:
        lon: Longitude [degrees], any shape.
        lat: Latitude [degrees].
        frayed: Noise about 0, at most 1 in size: where positive the foot comes nearer.
    """
    base, ridge = np.zeros(np.shape(lon), np.float32), np.zeros(np.shape(lon), np.float32)
    point, widen = _on_sphere(lon, lat), np.float32(1.0) + np.float32(FRAY) * frayed
    for line in _near(_lines(UPLANDS), point):
        share = _share(line, point, widen)
        broad = share * (np.float32(2.0) - share)
        base += np.square(np.square(line.base * broad))
        ridge += np.square(np.square(line.ridge * share))
    return np.sqrt(np.sqrt(base)), np.sqrt(np.sqrt(ridge))


def lowlands(lon: Floats, lat: Floats) -> Field:
    """Return how much a place belongs to a great plain, 0 to 1."""
    rest = np.ones(np.shape(lon), np.float32)
    point = _on_sphere(lon, lat)
    for line in _near(_lines(LOWLANDS), point):
        rest *= np.float32(1.0) - _share(line, point, np.float32(1.0))
    return np.asarray(np.float32(1.0) - rest)


def _near(lines: tuple[_Line, ...], point: Floats) -> list[_Line]:
    """Return the lines whose foot may reach a point; elsewhere their share is exactly 0."""
    if not point.size:
        return []
    flat = point.reshape(3, -1)
    middle = flat[:, flat.shape[1] // 2]
    spread = float(np.sqrt(np.square(flat - middle[:, np.newaxis]).sum(axis=0).max()))
    return [
        line
        for line in lines
        if np.sqrt(np.square(line.middle - middle).sum()) <= line.reach + spread + 1e-6
    ]


def _share(line: _Line, point: Floats, widen: Field | np.float32) -> Field:
    """Return 1 on the line, falling smoothly to 0 at the foot, exactly 0 beyond.

    `widen` is a factor on squared distances.
    """
    far2 = np.full(point.shape[1:], np.inf)
    for start, end in zip(line.corners[:-1], line.corners[1:], strict=True):
        far2 = np.minimum(far2, _distance2(start, end, point))
    if len(line.corners) == 1:
        far2 = _distance2(line.corners[0], line.corners[0], point)
    rise = np.maximum(1.0 - far2 * widen / line.foot2, 0.0).astype(np.float32)
    return np.asarray(rise * rise)


def _distance2(start: Floats, end: Floats, point: Floats) -> Floats:
    """Return the square of the distance to a straight segment in space."""
    along = end - start
    away = [point[axis] - start[axis] for axis in range(3)]
    length2 = float(along[0] * along[0] + along[1] * along[1] + along[2] * along[2])
    dot = away[0] * along[0] + away[1] * along[1] + away[2] * along[2]
    part = np.clip(dot / max(length2, 1e-20), 0.0, 1.0)
    x, y, z = (away[axis] - part * along[axis] for axis in range(3))
    return np.asarray(x * x + y * y + z * z)


@lru_cache(maxsize=2)
def _lines(belts: tuple[Belt, ...]) -> tuple[_Line, ...]:
    lines = []
    for base, ridge, foot_km, corners in belts:
        lon, lat = np.array(corners, np.float64).T
        line = _on_sphere(lon, lat).T
        middle = line.mean(axis=0)
        reach = (
            float(np.sqrt(np.square(line - middle).sum(axis=1).max())) + WIDEST * foot_km / EARTH_KM
        )
        foot2 = (foot_km / EARTH_KM) ** 2
        lines.append(_Line(np.float32(base), np.float32(ridge), foot2, line, middle, reach))
    return tuple(lines)


def _on_sphere(lon: Floats, lat: Floats) -> NDArray[np.float64]:
    """Return points on the unit sphere, `(3, …)`."""
    lam, phi = np.radians(lon), np.radians(lat)
    east = np.cos(phi)
    return np.stack([east * np.cos(lam), east * np.sin(lam), np.sin(phi)])
