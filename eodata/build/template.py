"""The recipe that `eodata recipe new` starts people with."""

from __future__ import annotations

import re
from pathlib import Path

from eodata.core.errors import RecipeError

TEMPLATE = """\
# A recipe: one file in, one dataset out. All lengths are metres, all times UTC.
name: "{name}"
version: 1
title: Sentinel-2 and Sentinel-1 over one square of ground
task: cloud-removal
licence: CC-BY-4.0
seed: 1

# Ground: a bbox (west, south, east, north) in degrees, or `file:` with polygons beside it.
area:
  bbox: [3.019304, 50.813086, 3.028391, 50.818842]
  patch: 160
  align: area
  cover: 0.9

# Time: [start, end), cut into equal steps.
time: {{start: 2018-06-01, end: 2018-08-01, steps: 4}}

modalities:
  s2:
    product: sentinel-2-l2a            # eodata recipe show --product sentinel-2-l2a
    bands: [blue, green, red, nir]
    gsd: 10
    anchor: true                       # a sample without it is rejected
    choose: {{by: least-cloudy, max_cloud: 40}}
  s1: {{product: sentinel-1-grd, gsd: 10, pair: {{with: s2, within: 6d}}}}

split: {{by: cell, cell: 320, fractions: {{train: 0.5, val: 0.25, test: 0.25}}}}
store: {{block: 16}}

# Where the pixels come from: a static STAC catalog beside this file,
#   archive: {{catalog: my-archive/catalog.json}}
# or anywhere, on the command line: eodata build {file} --archive PATH
"""


def write_template(path: Path) -> Path:
    """Write the example recipe under a name of its own.

    Raises:
        RecipeError: The file exists, its name is no recipe's, or its folder cannot be written.
    """
    if path.suffix not in (".yaml", ".yml"):
        raise RecipeError(
            str(path), "the name does not end in .yaml", "", f"Use {path.with_suffix('.yaml')}."
        )
    name = re.sub(r"[^a-z0-9._-]+", "-", path.stem.lower()).strip("-._") or "my-dataset"
    try:
        with path.open("x", encoding="utf-8") as stream:
            stream.write(TEMPLATE.format(name=name, file=path.name))
    except FileExistsError:
        raise RecipeError(
            str(path), "the file exists", "it is never overwritten.", "Choose another name."
        ) from None
    except OSError as error:
        raise RecipeError(
            str(path), f"cannot be written: {error.strerror}", "", "Choose another folder."
        ) from None
    return path
