"""Write every key of a recipe into `docs/recipe-reference.md`, from the models themselves.

Usage: python docs/make_recipe_reference.py [--check]

Keys, types, limits, defaults and meanings come from the JSON Schema of `eodata.core.recipe`. Only
examples, and the meaning of keys that the models leave unexplained, stand here; a key without
either is an error, so no key can be forgotten.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from generated_part import DOCS, write_or_check

from eodata.core.recipe import Recipe

PAGE = DOCS / "recipe-reference.md"
SCRIPT = "make_recipe_reference.py"
SEE_BELOW = "see below"

EXAMPLES = {
    "Recipe.name": "flanders-2018",
    "Recipe.version": "2",
    "Recipe.title": "Sentinel-1 and Sentinel-2 over Flanders",
    "Recipe.description": "One square of 640 m in Belgium.",
    "Recipe.task": "cloud-removal",
    "Recipe.keywords": "[sentinel-1, time-series]",
    "Recipe.licence": "CC-BY-4.0",
    "Recipe.citation": '"Doe et al. 2026, doi:10.1000/example"',
    "Recipe.seed": "20180101",
    "Recipe.area": "{bbox: [3.0, 50.8, 3.1, 50.9], patch: 2560}",
    "Recipe.time": "{start: 2018-01-01, end: 2019-01-01, steps: 30}",
    "Recipe.archive": "{catalog: my-archive/catalog.json}",
    "Recipe.stac": "{url: 'https://example.org/stac/v1'}",
    "Recipe.earthengine": "{project: my-project}",
    "Recipe.sandbox": "{seed: 7}",
    "Recipe.modalities": "{s1: {product: sentinel-1-grd}}",
    "Recipe.labels": "{scene: {from: igbp, scheme: igbp-simplified}}",
    "Recipe.split": "{by: area, file: splits.csv}",
    "Recipe.checks": "{min_valid: 0.9}",
    "Recipe.store": "{block: 16}",
    "Recipe.scale": "{areas: 2, side: 5120, steps: 4}",
    "AreaSpec.file": "areas.geojson",
    "AreaSpec.bbox": "[3.0, 50.8, 3.1, 50.9]",
    "AreaSpec.sample": "{draws: [{seed: 1158, season: spring}], land: 100, urban: 50}",
    "AreaSpec.side": "43520",
    "AreaSpec.only": "{split: [val, test]}",
    "AreaSpec.crs": "EPSG:3035",
    "AreaSpec.patch": "2560",
    "AreaSpec.stride": "1280",
    "AreaSpec.align": "area",
    "AreaSpec.cover": "0.5",
    "SampleSpec.draws": "[{seed: 1158, season: spring}, {seed: 1868, season: summer}]",
    "SampleSpec.land": "100",
    "SampleSpec.urban": "50",
    "SampleSpec.apart": "100000",
    "Draw.seed": "1158",
    "Draw.season": "spring",
    "TimeSpec.start": "2018-01-01",
    "TimeSpec.end": '"2018-12-01T00:00:00Z"',
    "TimeSpec.steps": "30",
    "TimeSpec.seasons": "{summer: [2018-06-01, 2018-09-01]}",
    "ArchiveSpec.catalog": "my-archive/catalog.json",
    "ArchiveSpec.like": "earth-search",
    "StacSpec.url": "https://example.org/stac/v1",
    "StacSpec.like": "earth-search",
    "EarthEngineSpec.project": "my-project",
    "SandboxSettings.seed": "7",
    "SandboxSettings.mode": "plane",
    "SandboxSettings.defects": "{shift_rate: 0.3}",
    "Defects.shift_rate": "0.3",
    "Defects.shift_px": "1.5",
    "Defects.bend_px": "3",
    "Defects.band_shift_px": "0.2",
    "Defects.duplicates": "0.1",
    "Defects.wrong_cloud_cover": "0.05",
    "Defects.wrong_offset": "0.05",
    "Defects.all_nodata": "0.01",
    "SourceModality.product": "sentinel-2-l2a",
    "SourceModality.bands": "[blue, green, red, nir]",
    "SourceModality.gsd": "10",
    "SourceModality.provider": "archive",
    "SourceModality.where": "{sat:orbit_state: descending, eo:cloud_cover: {max: 80}}",
    "SourceModality.anchor": "true",
    "SourceModality.choose": "{by: least-cloudy, max_cloud: 40}",
    "SourceModality.composite": "{by: schmitt-2019}",
    "SourceModality.pair": "{with: s2, within: 6d}",
    "SourceModality.follow": "s2",
    "SourceModality.resampling": "cubic",
    "SourceModality.warped_by": "server",
    "SourceModality.valid": "clear",
    "SourceModality.role": "target",
    "SourceModality.coregister_to": "s2",
    "SourceModality.coregister_bands": "B04",
    "CoregisterSpec.modality": "s2",
    "CoregisterSpec.step": "12",
    "CoregisterSpec.item": "S2A_MSIL1C_20180414T101021_N0206_R022_T32UPU_20180414T123438",
    "CoregisterSpec.least": "0.2",
    "CoregisterSpec.reach": "4",
    "Choose.by": "least-cloudy",
    "Choose.max_cloud": "80",
    "Choose.min_cloud": "20",
    "MedianComposite.by": "median",
    "MedianComposite.at_most": "12",
    "MedianComposite.made_by": "server",
    "HighestComposite.by": "highest",
    "HighestComposite.band": "B08",
    "HighestComposite.at_most": "12",
    "HighestComposite.made_by": "server",
    "SchmittComposite.by": "schmitt-2019",
    "SchmittComposite.at_most": "12",
    "SchmittComposite.cloud_above": "0.25",
    "SchmittComposite.keep_below": "0.1",
    "SchmittComposite.gsd": "10",
    "SchmittComposite.survey_gsd": "100",
    "SchmittComposite.shadows": "{highest: 8000}",
    "Shadows.lowest": "300",
    "Shadows.highest": "8000",
    "Shadows.step": "500",
    "Shadows.dark_below": "0.25",
    "Shadows.water_below": "0.0",
    "TopComposite.by": "latest-on-top",
    "TopComposite.at_most": "12",
    "TopComposite.made_by": "server",
    "Pair.with": "s2",
    "Pair.within": "36h",
    "Pair.apart": "1h",
    "ClassMask.derive": "class-mask",
    "ClassMask.from": "scl",
    "ClassMask.band": "SCL",
    "ClassMask.classes": "[3, 8, 9, 10]",
    "ClassMask.role": "target",
    "ClassMap.derive": "class-map",
    "ClassMap.from": "igbp",
    "ClassMap.band": "LC_Type1",
    "ClassMap.scheme": "igbp-simplified",
    "ClassMap.role": "target",
    "S2Cloudless.derive": "s2cloudless",
    "S2Cloudless.from": "s2",
    "S2Cloudless.role": "target",
    "CloudScore.derive": "schmitt-score",
    "CloudScore.from": "s2",
    "CloudScore.role": "target",
    "CloudShadowRules.derive": "cloud-shadow-rules",
    "CloudShadowRules.from": "s2",
    "CloudShadowRules.threshold": "0.25",
    "CloudShadowRules.role": "target",
    "Threshold.derive": "threshold",
    "Threshold.from": "cloud_probability",
    "Threshold.band": "probability",
    "Threshold.above": "0.4",
    "Threshold.below": "-20",
    "Threshold.average_over": "4",
    "Threshold.dilation_size": "2",
    "Threshold.role": "target",
    "Stretch.derive": "stretch",
    "Stretch.from": "s1",
    "Stretch.sigmas": "2",
    "Stretch.role": "target",
    "LabelSpec.from": "igbp",
    "LabelSpec.band": "LC_Type1",
    "LabelSpec.scheme": "igbp-simplified",
    "LabelSpec.least": "0.2",
    "SplitSpec.by": "cell",
    "SplitSpec.file": "splits.csv",
    "SplitSpec.cell": "10240",
    "SplitSpec.fractions": "{train: 0.8, val: 0.1, test: 0.1}",
    "SplitSpec.min_distance": "5000",
    "Checks.min_valid": "0.9",
    "Checks.trust_offsets": "true",
    "Checks.max_failed": "0.01",
    "Checks.measure_shifts": "false",
    "Checks.max_shift_px": "1.0",
    "Checks.beyond_shift": "flag",
    "Checks.unmeasured_shift": "reject",
    "StoreSpec.block": "16",
    "StoreSpec.chunk_steps": "5",
    "StoreSpec.chunk": "256",
    "StoreSpec.shard_mb": "64",
    "StoreSpec.codec": "blosc-lz4",
    "StoreSpec.level": "5",
    "ScaleSpec.areas": "2",
    "ScaleSpec.side": "5120",
    "ScaleSpec.steps": "4",
    "ScaleSpec.images": "6",
}

MEANINGS = {
    "Recipe.name": "Name of the dataset, and of its folder.",
    "Recipe.version": "Version of the recipe; raise it when the dataset changes.",
    "Recipe.title": "One line for people.",
    "Recipe.description": "A few sentences for people.",
    "Recipe.keywords": "Words for the search, beside those of the products.",
    "Recipe.licence": "Licence of the dataset.",
    "Recipe.citation": "How to cite it.",
    "Recipe.seed": "Decides which cells or areas go to which split.",
    "Recipe.modalities": "What is stored, by name. Names are lower-case letters, digits and _.",
    "TimeSpec.start": "First instant, included.",
    "TimeSpec.end": "Last instant, excluded.",
    "Pair.with": "The partner: another modality with dates, without pair or follow of its own.",
    "MedianComposite.by": "How it is made.",
    "HighestComposite.by": "How it is made.",
    "SchmittComposite.by": "How it is made.",
    "TopComposite.by": "How it is made.",
    "SourceModality.product": "Id of a product table.",
    "SourceModality.bands": "Names or common names, in the order of the band axis.",
    "SourceModality.provider": "Who delivers it; default: the first of the product's table that "
    "can be used here.",
    "SourceModality.role": "Whether a model gets it or must predict it.",
    "ClassMask.derive": "How it is computed.",
    "ClassMask.classes": "Class values that become 1.",
    "ClassMask.role": "Whether a model gets it or must predict it.",
    "ClassMap.derive": "How it is computed.",
    "ClassMap.role": "Whether a model gets it or must predict it.",
    "S2Cloudless.derive": "How it is computed.",
    "S2Cloudless.role": "Whether a model gets it or must predict it.",
    "CloudScore.derive": "How it is computed.",
    "CloudScore.role": "Whether a model gets it or must predict it.",
    "CloudShadowRules.derive": "How it is computed.",
    "CloudShadowRules.role": "Whether a model gets it or must predict it.",
    "Threshold.derive": "How it is computed.",
    "Threshold.role": "Whether a model gets it or must predict it.",
    "Stretch.derive": "How it is computed.",
    "Stretch.role": "Whether a model gets it or must predict it.",
    "SplitSpec.by": "What goes to one split as a whole.",
    "SplitSpec.fractions": "Share of the areas or cells per split; they add up to 1.",
    "StoreSpec.codec": "Compression of chunks.",
    "StoreSpec.level": "Compression level.",
}

TYPES = {
    "TimeSpec.start": "date or time",
    "TimeSpec.end": "date or time",
    "TimeSpec.seasons": "mapping to lists of 2 dates or times",
    "Pair.within": "time gap",
    "Pair.apart": "time gap",
}
"""Where the schema only knows of text."""

DEFAULTS = {"Pair.apart": "`0d`"}
"""Where the schema has another spelling."""


def render() -> str:
    """Return one section per model, in the order in which a recipe names them.

    Raises:
        SystemExit: A key has no example or no meaning, or an example has no key.
    """
    schema = Recipe.model_json_schema(by_alias=True)
    sections, seen = [], set()
    for title, name, model in _models(schema):
        keys = [f"{name}.{key}" for key in model["properties"]]
        seen |= set(keys)
        rows = [
            _row(full, key, fields, key in model.get("required", ()), schema)
            for full, (key, fields) in zip(keys, model["properties"].items(), strict=True)
        ]
        head = "| key | type | default | meaning | example |\n|---|---|---|---|---|"
        sections.append("\n".join([f"### {title}\n\n{model['description']}\n\n{head}", *rows]))
    _refuse_leftovers(seen)
    return "\n\n".join(sections)


def _models(schema: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Yield `(title, model, its schema)`, each model once, in the order of the keys."""
    waiting = [("", "", "Recipe", schema)]
    known = {"Recipe"}
    while waiting:
        path, kind, name, model = waiting.pop(0)
        yield f"`{path}`{kind}" if path else "Top level", name, model
        inner = []
        for key, fields in model["properties"].items():
            place = f"{path}.{key}" if path else key
            place += ".NAME" if isinstance(fields.get("additionalProperties"), dict) else ""
            choices = list(_references(fields))
            for found in choices:
                if found not in known:
                    known.add(found)
                    one = schema["$defs"][found]
                    inner.append((place, _kind(one) if len(choices) > 1 else "", found, one))
        waiting = [*inner, *waiting] if path else inner


def _kind(model: Mapping[str, Any]) -> str:
    """Return what tells a model from the others that may stand in its place."""
    for key in ("derive", "by"):
        if key in model.get("required", ()):
            return f" with `{key}`: {_type(model['properties'][key])}"
    return ""


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"].rpartition("/")[2]
        # A discriminator names its models a second time, in another order.
        node = [part for key, part in node.items() if key != "discriminator"]
    if isinstance(node, list):
        for part in node:
            yield from _references(part)


def _row(full: str, key: str, fields: Any, required: bool, schema: Mapping[str, Any]) -> str:
    meaning = fields.get("description") or MEANINGS.get(full) or _meaning_of_model(fields, schema)
    if not meaning or full not in EXAMPLES:
        raise SystemExit(f"{SCRIPT}: {full} has no {'example' if meaning else 'meaning'}")
    cells = (
        f"`{key}`",
        TYPES.get(full) or _type(fields),
        DEFAULTS.get(full) or _default(fields, required),
        meaning,
        f"`{key}: {EXAMPLES[full]}`",
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _meaning_of_model(fields: Any, schema: Mapping[str, Any]) -> str:
    found = list(_references(fields))
    meaning = schema["$defs"][found[0]]["description"] if len(found) == 1 else ""
    return meaning.split("\n\n")[0].replace("\n", " ")


def _type(fields: Any) -> str:
    if "anyOf" in fields or "oneOf" in fields:
        parts = [_type(part) for part in fields.get("anyOf") or fields["oneOf"]]
        return " or ".join(dict.fromkeys(part for part in parts if part))
    if "$ref" in fields:
        return "mapping"
    if "enum" in fields or "const" in fields:
        words = fields.get("enum") or [fields["const"]]
        return " or ".join(f"`{word}`" for word in words)
    return _plain_type(fields) + _limits(fields)


def _plain_type(fields: Any) -> str:
    kind = fields.get("type")
    if kind == "array" and "prefixItems" in fields:
        return f"list of {len(fields['prefixItems'])} numbers"
    if kind == "array":
        return f"list of {_type(fields['items'])}"
    if kind == "object":
        values = fields.get("additionalProperties", {})
        return f"mapping to {_type(values)}" if "type" in values else "mapping"
    names = {"string": "text", "integer": "integer", "number": "number", "boolean": "true or false"}
    return names.get(kind, "")


def _limits(fields: Any) -> str:
    signs = {"exclusiveMinimum": ">", "minimum": "≥", "maximum": "≤"}
    found = [f"{sign} {fields[key]:g}" for key, sign in signs.items() if key in fields]
    found += [f"matching `{fields['pattern']}`"] if "pattern" in fields else []
    return f" {', '.join(found)}" if found else ""


def _default(fields: Any, required: bool) -> str:
    if required:
        return "**required**"
    default = fields.get("default")
    if default in (None, "", [], {}):
        return "none"
    if isinstance(default, dict):
        return SEE_BELOW
    return f"`{default if isinstance(default, str) else json.dumps(default)}`"


def _refuse_leftovers(seen: set[str]) -> None:
    leftovers = sorted((set(EXAMPLES) | set(MEANINGS) | set(TYPES) | set(DEFAULTS)) - seen)
    if leftovers:
        raise SystemExit(f"{SCRIPT}: {', '.join(leftovers)} is no key of a recipe")


def main(arguments: list[str]) -> int:
    """Write or check the page."""
    return write_or_check(PAGE, SCRIPT, render(), arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
