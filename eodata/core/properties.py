"""Properties of items that recipes may ask about: the names that STAC and its extensions give."""

from __future__ import annotations

PERCENTAGES = tuple(
    f"s2:{name}_percentage"
    for name in (
        "cloud_shadow",
        "dark_features",
        "degraded_msi_data",
        "high_proba_clouds",
        "medium_proba_clouds",
        "nodata_pixel",
        "not_vegetated",
        "saturated_defective_pixel",
        "snow_ice",
        "thin_cirrus",
        "unclassified",
        "vegetation",
        "water",
    )
)
NUMBERS = frozenset(
    {
        "gsd",
        "eo:cloud_cover",
        "eo:snow_cover",
        "sar:center_frequency",
        "sar:looks_azimuth",
        "sar:looks_equivalent_number",
        "sar:looks_range",
        "sar:pixel_spacing_azimuth",
        "sar:pixel_spacing_range",
        "sar:resolution_azimuth",
        "sar:resolution_range",
        "sat:absolute_orbit",
        "sat:orbit_cycle",
        "sat:relative_orbit",
        "view:azimuth",
        "view:incidence_angle",
        "view:off_nadir",
        "view:sun_azimuth",
        "view:sun_elevation",
        *PERCENTAGES,
    }
)
"""Properties that every archive writes as numbers."""
TEXTS = frozenset(
    {
        "constellation",
        "platform",
        "grid:code",
        "landsat:collection_category",
        "landsat:wrs_path",
        "landsat:wrs_row",
        "proj:code",
        "processing:baseline",
        "processing:level",
        "processing:version",
        "s2:mgrs_tile",
        "s2:processing_baseline",
        "s2:product_type",
        "sar:beam_ids",
        "sar:frequency_band",
        "sar:instrument_mode",
        "sar:observation_direction",
        "sar:polarizations",
        "sar:product_type",
        "sat:orbit_state",
        "sat:platform_international_designator",
    }
)
FLAGS = frozenset({"earthsearch:boa_offset_applied"})
KNOWN = NUMBERS | TEXTS | FLAGS
OPEN = frozenset({"eodata", "landsat", "mgrs", "processing", "s2", "sandbox"})
"""Prefixes of which items keep every name. Under other prefixes they keep those of `KNOWN`, so that
another name is a slip of the pen, and would match nothing."""
BASELINES = ("s2:processing_baseline", "processing:baseline", "processing:version")
"""Under which names archives state the processing baseline; the first that is there counts."""
