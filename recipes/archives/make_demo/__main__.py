"""Make the small STAC archive that ships with eodata from a WorldCereal training patch.

A maintainer's tool: it is run once, by hand, and its output is kept in the repository. It needs
``netCDF4`` besides eodata's own dependencies. The source is the folder of NetCDF files (and one
GeoTIFF) of patch ``00002806639B424A``; ``LICENCE.md`` and ``PROVENANCE.md`` beside the archive
say where it is published and how the properties that it lacks are derived.

Usage:
    python recipes/archives/make_demo SOURCE OUT
"""

import argparse
from pathlib import Path

from archive import make


def main() -> None:
    """Read the command line and make the archive."""
    parser = argparse.ArgumentParser(
        prog="make_demo", description="Make the STAC archive that ships with eodata."
    )
    parser.add_argument("source", type=Path, help="folder with the patch's NetCDF files")
    parser.add_argument("out", type=Path, help="folder to write the archive to")
    arguments = parser.parse_args()
    make(arguments.source, arguments.out)


if __name__ == "__main__":
    main()
