"""Name the bands and the classes: Sentinel-2 bands, scene classes, land cover, crop types."""

from collections.abc import Sequence
from typing import Any

# common name, centre and width (micrometres) of each Sentinel-2 band, and its pixel size (metres)
S2_BANDS: dict[str, tuple[str, float, float, int]] = {
    "B02": ("blue", 0.49, 0.098, 10),
    "B03": ("green", 0.56, 0.045, 10),
    "B04": ("red", 0.665, 0.038, 10),
    "B05": ("rededge", 0.704, 0.019, 20),
    "B06": ("rededge", 0.74, 0.018, 20),
    "B07": ("rededge", 0.783, 0.028, 20),
    "B08": ("nir", 0.842, 0.145, 10),
    "B8A": ("nir08", 0.865, 0.033, 20),
    "B11": ("swir16", 1.61, 0.143, 20),
    "B12": ("swir22", 2.19, 0.242, 20),
}
SCL_CLOUD = (8, 9, 10)
SCL_CLASSES = (
    (0, "no_data"),
    (1, "saturated_or_defective"),
    (2, "dark_area_pixels"),
    (3, "cloud_shadows"),
    (4, "vegetation"),
    (5, "not_vegetated"),
    (6, "water"),
    (7, "unclassified"),
    (8, "cloud_medium_probability"),
    (9, "cloud_high_probability"),
    (10, "thin_cirrus"),
    (11, "snow"),
)

VERIFIED = "Name verified in the source code of WorldCereal."
UNVERIFIED = "Name not verified: no published legend for these codes was at hand."
LC_CLASSES = (
    (0, "no_data", "Fill value."),
    (11, "annual_cropland", f"Annual cropland (temporary crops). {VERIFIED}"),
    (13, "grassland", f"Grassland. {VERIFIED}"),
    (60, "built_up", f"Built-up. {UNVERIFIED}"),
    (99, "no_cropland", f"No cropland, unspecified: everything between parcels. {UNVERIFIED}"),
)
CT_CLASSES = (
    (0, "no_data", "Fill value: no crop type given."),
    (1200, "maize", f"Maize. {VERIFIED}"),
    (2130, "code_2130", "A crop type inside annual cropland; its name is not known."),
    (5100, "code_5100", "A crop type inside annual cropland; its name is not known."),
    (7900, "code_7900", "A crop type inside annual cropland; its name is not known."),
    (9120, "code_9120", "The crop type of every grassland pixel here; its name is not known."),
)


def classes(rows: Sequence[Sequence[Any]]) -> list[dict[str, Any]]:
    """Describe classes for the classification extension; value 0 is nodata."""
    names = ("value", "name", "description")
    described = [dict(zip(names, row, strict=False)) for row in rows]
    return [row | ({"nodata": True} if row["value"] == 0 else {}) for row in described]
