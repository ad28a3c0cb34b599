"""Every function has the arguments and defaults that Earth Engine lists for it."""

from __future__ import annotations

import json

import pytest

from eodata.sandbox.earthengine import graph
from eodata.sandbox.earthengine.registry import FUNCTIONS
from eodata.sandbox.earthengine.vendored import algorithms

LISTED = {
    listed["name"].removeprefix("algorithms/"): listed.get("arguments", [])
    for listed in json.loads(algorithms())["algorithms"]
}


def default(argument):
    found = argument.get("defaultValue")
    margin = isinstance(found, dict) and found.get("type") == "ErrorMargin"
    return None if margin or found == {} else found


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_functions_are_as_listed(name):
    expected = [(a["argumentName"], not a.get("optional", False), default(a)) for a in LISTED[name]]
    found = [
        (p.name, p.required, None if p.required else p.default) for p in FUNCTIONS[name].parameters
    ]
    assert found == expected


def test_the_registry_is_filled_by_importing_the_graph():
    assert graph.evaluate
    assert len(FUNCTIONS) > 350
