"""List what the archive holds, and make it."""

from pathlib import Path

from sentinels import sentinel_1_items, sentinel_2_items
from stac import Collection, write_catalog, write_collection
from statics import dem_items, label_items

ESA = {
    "name": "ESA",
    "roles": ["producer", "licensor"],
    "url": "https://sentinels.copernicus.eu",
}
WORLDCEREAL = {
    "name": "WorldCereal",
    "roles": ["processor"],
    "url": "https://github.com/WorldCereal/worldcereal-classification",
}
LPIS = {"name": "LPIS Flanders", "roles": ["producer", "licensor"]}

COLLECTIONS = (
    Collection(
        id="sentinel-2-l2a",
        title="Sentinel-2 L2A, patch in 31UDS, 2018",
        description="Bottom-of-atmosphere reflectance, one GeoTIFF per band, and the scene"
        " classification of a 640 m patch in Flanders. Digital numbers times 0.0001 are"
        " reflectance.",
        providers=(ESA, WORLDCEREAL),
        read=sentinel_2_items,
    ),
    Collection(
        id="sentinel-1-grd",
        title="Sentinel-1 GRD, ascending, patch in 31UDS, 2018",
        description="Terrain-corrected backscatter (sigma0) in dB, VV and VH, of a 640 m patch in"
        " Flanders, from two ascending relative orbits.",
        providers=(ESA, WORLDCEREAL),
        read=sentinel_1_items,
    ),
    Collection(
        id="worldcereal-dem",
        title="Elevation, patch in 31UDS",
        description="Elevation in metres of a 640 m patch in Flanders. The origin does not state"
        " which elevation model this is. The dates are nominal: the data does not change.",
        providers=(WORLDCEREAL,),
        read=dem_items,
    ),
    Collection(
        id="worldcereal-labels",
        title="Land cover and crop type, patch in 31UDS, 2018",
        description="Land-cover and crop-type codes of WorldCereal, rasterised from the parcels of"
        " the Flemish LPIS of 2018, of a 640 m patch in Flanders.",
        providers=(LPIS, WORLDCEREAL),
        read=label_items,
    ),
)


def make(source: Path, out: Path) -> None:
    """Make the whole archive, replacing the collections that are already there.

    Args:
        source: Folder with the patch's NetCDF files and its elevation model.
        out: Folder to write to; other files in it, such as ``LICENCE.md``, stay.
    """
    for collection in COLLECTIONS:
        items = list(collection.read(source))
        write_collection(out, collection, items)
        print(f"{collection.id}: {len(items)} items")
    write_catalog(out, COLLECTIONS)
