"""What the air makes of reflectance on its way to a satellite: gases, haze, cirrus and clouds.

Clear air is that of the usual correction, `path + T rho / (1 - S rho)`, times the transmission of
gases (Vermote et al. 1997, 6S); clouds are homogeneous two-stream layers above it (Coakley and
Chylek 1975). Coefficients are constants of an item; what varies from pixel to pixel is in `Look`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eodata.sandbox.planet.lattice import Field
from eodata.sandbox.sensors.spectra import BANDS, spectra

Floats = NDArray[np.float64]
WAVELENGTH = np.array(
    [0.443, 0.492, 0.560, 0.665, 0.704, 0.740, 0.783, 0.833, 0.865, 0.945, 1.374, 1.612, 2.194]
)
"""Centres of `BANDS` [micrometres] (Sentinel-2 User Handbook)."""
GASES = np.array(
    [0.990, 0.980, 0.935, 0.962, 0.980, 0.955, 0.975, 0.980, 0.990, 1.0, 1.0, 0.945, 0.885]
)
"""Two-way transmission of ozone, oxygen, methane and carbon dioxide, sun at 40 degrees: 300 Dobson
units of ozone take 4 % at 665 nm and 2 % at 705 nm; vapour counts apart."""
VAPOUR = np.array([0, 0, 0, 0.003, 0.012, 0.010, 0.003, 0.022, 0.002, 0.60, 2.7, 0.004, 0.016])
"""Absorption by water vapour: transmission is `exp(-VAPOUR sqrt(slant column in cm))`."""
HAZE_SCALE = 1.5
"""Optical thickness at which haze has lost two thirds of its further effect."""
MATCHED_HAZE = 0.3
"""Optical thickness at which the exponentials of haze are met; others lie on a line with it."""
ANGSTROM = 1.3
HAZE_ALBEDO, HAZE_PHASE, HAZE_LOSS = 0.93, 0.28, 0.16
"""Of aerosols: single-scattering albedo, phase function towards the sensor with repeated
scattering, and the share of their optical thickness that is lost to the ground."""
HIGH_VEIL = 6e-4
"""Path reflectance of the dust above all water vapour; the least that B10 sees."""
AIR_HEIGHT_M, VAPOUR_HEIGHT_M = 8400.0, 2000.0
"""Heights at which pressure and water vapour have fallen to 1/e."""
WATER_BACK, ICE_BACK = 0.1125, 0.10
"""Two-stream backscatter per optical thickness: 0.75 (1 - g) of droplets; of thin cirrus what goes
straight up, which is less."""
FREEZING_M = (3500.0, 8000.0)
"""Cloud tops turn from droplets to crystals between these heights."""
CIRRUS_M = 10_000.0
RESIDUE = 0.12
"""Share of the effect of haze that the correction to Level-2A leaves, of either sign."""
USUAL_HAZE = 0.15


@dataclass(frozen=True, slots=True, eq=False)
class Air:
    """Coefficients of one item; all arrays are `(13,)` float32 along `BANDS`.

    Attributes:
        rayleigh: Path reflectance of molecules above sea level; after correction, the constant
            part of what is left.
        haze: Path reflectance of endless haze.
        through: Two-way transmission of molecules and gases.
        dimming: Share of it that endless haze takes away.
        albedo: Of the air from below.
        vapour: Absorption by water vapour.
        water_cloud: Reflectance of an endless cloud of droplets.
        ice_cloud: Of crystals.
        cirrus: Of a thin cirrus relative to its visible reflectance.
    """

    rayleigh: Field
    haze: Field
    through: Field
    dimming: Field
    albedo: Field
    vapour: Field
    water_cloud: Field
    ice_cloud: Field
    cirrus: Field


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What hangs over the pixels of one grid; all arrays share one shape.

    Attributes:
        pressure: Relative to sea level.
        haze: Of its effect without end, 0 to 1.
        vapour: Square root of the slant column of water vapour above the ground.
        vapour_top: Likewise above the cloud top.
        cloud: Reflectance of the thick cloud in the visible over its limit, 0 to 1; None where
            the whole grid has none.
        ice: Share of crystals at the cloud top.
        cirrus: Reflectance of the cirrus in the visible, 0 to 1; None likewise.
    """

    pressure: Field
    haze: Field
    vapour: Field
    vapour_top: Field
    cloud: Field | None
    ice: Field
    cirrus: Field | None

    def each(self, change: Callable[[Field], Field]) -> Look:
        """Return the result of changing every field that is there, for example by cutting it."""
        return Look(
            pressure=change(self.pressure),
            haze=change(self.haze),
            vapour=change(self.vapour),
            vapour_top=change(self.vapour_top),
            cloud=None if self.cloud is None else change(self.cloud),
            ice=change(self.ice),
            cirrus=None if self.cirrus is None else change(self.cirrus),
        )


def air_of(zenith: float) -> Air:
    """Return the air of Level-1C under a sun at `zenith` degrees, seen from above."""
    sun = _cosine(zenith)
    slant = 1.0 / sun + 1.0
    back = np.cos(np.radians(180.0 - zenith))
    rayleigh = _rayleigh_thickness()
    phase = 0.75 * (1.0 + back**2)
    path = phase / (4.0 * (sun + 1.0)) * (1.0 - np.exp(-rayleigh * slant)) * (1.0 + 1.5 * rayleigh)
    dust = MATCHED_HAZE * (WAVELENGTH / 0.55) ** -ANGSTROM
    effect = float(haze_effect(np.full(1, MATCHED_HAZE, np.float32))[0])
    veil = HAZE_ALBEDO * HAZE_PHASE / (4.0 * (sun + 1.0)) * (1.0 - np.exp(-dust * slant))
    gases = GASES ** (slant / 2.3)
    return Air(
        rayleigh=_f32(path * gases + HIGH_VEIL),
        haze=_f32(veil / effect * gases),
        through=_f32(np.exp(-0.5 * rayleigh * slant) * gases),
        dimming=_f32((1.0 - np.exp(-HAZE_LOSS * dust * slant)) / effect),
        albedo=_f32(0.92 * rayleigh * np.exp(-rayleigh) + 0.02 * (WAVELENGTH / 0.55) ** -ANGSTROM),
        vapour=_f32(VAPOUR * np.sqrt(slant / 2.3)),
        water_cloud=spectra().water_cloud,
        ice_cloud=spectra().ice_cloud,
        cirrus=spectra().cirrus,
    )


def corrected_air(zenith: float) -> Air:
    """Return what the correction to Level-2A leaves of `air_of`: no air, haze a little off.

    It takes clouds for ground below the usual air, which makes them brighter.
    """
    air = air_of(zenith)
    usual = haze_effect(np.full(1, USUAL_HAZE, np.float32))
    path = air.rayleigh + air.haze * usual
    through = air.through * (1 - air.dimming * usual)
    nothing = np.zeros(len(BANDS), np.float32)
    return Air(
        rayleigh=air.haze * np.float32(-RESIDUE * usual),
        haze=air.haze * np.float32(RESIDUE),
        through=nothing + 1,
        dimming=air.dimming * np.float32(RESIDUE),
        albedo=nothing,
        vapour=nothing,
        water_cloud=_f32((air.water_cloud - path) / through),
        ice_cloud=_f32((air.ice_cloud - path) / through),
        cirrus=_f32(air.cirrus / through),
    )


def skylight(zenith: float) -> Field:
    """Return the share of the light on level ground that comes from the clear sky, `(13,)`."""
    slant = 1.0 / _cosine(zenith)
    rayleigh, dust = _rayleigh_thickness(), USUAL_HAZE * (WAVELENGTH / 0.55) ** -ANGSTROM
    direct = np.exp(-(rayleigh + dust) * slant)
    whole = np.exp(-(0.5 * rayleigh + HAZE_LOSS * dust) * slant)
    return _f32(1.0 - direct / whole)


def haze_effect(thickness: Field) -> Field:
    """Return the effect of haze by its optical thickness at 550 nm, relative to endless haze."""
    effect: Field = np.float32(1.0) - np.exp(thickness * np.float32(-1.0 / HAZE_SCALE))
    return effect


def cloud_reflectance(thickness: Field, back: float) -> Field:
    """Return the reflectance of a layer that absorbs nothing: `b t / (1 + b t)`."""
    scattered = thickness * np.float32(back)
    reflected: Field = scattered / (np.float32(1.0) + scattered)
    return reflected


def vapour_root(vapour: Field) -> Field:
    """Return the square root of the slant column, both ways at a mean angle, of a column [cm]."""
    root: Field = np.sqrt(vapour * np.float32(2.3))
    return root


def observed(rho: Field, look: Look, air: Air, band: int) -> Field:
    """Return the reflectance above the air.

    Args:
        rho: Of the ground; it is overwritten.
        look: What hangs over the same pixels.
        air: Coefficients of the item.
        band: Place in `BANDS`.
    """
    if air.albedo[band]:
        rho /= np.float32(1.0) - air.albedo[band] * rho
    rho *= air.through[band] - look.haze * (air.dimming[band] * air.through[band])
    rho += look.haze * air.haze[band]
    if air.vapour[band]:
        rho *= np.exp(look.vapour * -air.vapour[band])
    if air.rayleigh[band]:
        rho += look.pressure * air.rayleigh[band]
    if look.cloud is not None:
        rho += look.cloud * (_cloud_limit(look, air, band) - rho)
    if look.cirrus is not None:
        above = _CIRRUS_VAPOUR ** float(air.vapour[band])
        rho += look.cirrus * (np.float32(air.cirrus[band] * above) - rho)
    return rho


def _cloud_limit(look: Look, air: Air, band: int) -> Field:
    """Return the reflectance in one band of a cloud without end, with the vapour above it."""
    limit: Field = air.water_cloud[band] + look.ice * (air.ice_cloud[band] - air.water_cloud[band])
    if air.vapour[band]:
        limit *= np.exp(look.vapour_top * -air.vapour[band])
    return limit


def _rayleigh_thickness() -> Floats:
    """Return the optical thickness of molecules above sea level (Hansen and Travis 1974)."""
    square = WAVELENGTH**-2
    return 0.008569 * square**2 * (1.0 + 0.0113 * square + 0.00013 * square**2)


def _cosine(zenith: float) -> float:
    """Return the cosine of a zenith angle; grazing sun is treated like one at 80 degrees."""
    return float(np.cos(np.radians(min(zenith, 80.0))))


def _f32(values: NDArray[np.floating]) -> Field:
    return values.astype(np.float32)


_CIRRUS_VAPOUR = float(np.exp(-np.sqrt(2.3 * 3.0 * np.exp(-CIRRUS_M / VAPOUR_HEIGHT_M))))
"""Transmission by vapour above a cirrus for unit absorption, below a column of 3 cm."""
