"""Which ground: areas from a file, a box or chance."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import geopandas
import pytest
import yaml
from pyproj import Geod
from shapely import from_wkt
from shapely.geometry import LineString, Point, box, mapping

from eodata import resources
from eodata.build.areas import load_areas
from eodata.build.prepare import lay_out_patches
from eodata.build.reading import LoadedRecipe, load_recipe
from eodata.core.errors import RecipeError
from eodata.core.patch import Area
from eodata.core.recipe import ScaleSpec
from eodata.core.span import Span

RECIPE = """
name: tiny
title: Tiny
licence: CC0
area: {file: areas.geojson, patch: 320}
time: {start: 2018-01-01, end: 2018-02-01}
modalities: {s1: {product: sentinel-1-grd}}
split: {by: area, file: splits.csv}
"""
FLANDERS = box(3.0, 50.8, 3.05, 50.83)
SPHERE = Geod(a=6_371_008.8, b=6_371_008.8)
SEASONS = {"spring": ["2018-03-01", "2018-06-01"], "summer": ["2018-06-01", "2018-09-01"]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a recipe in it."""
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "tiny.yaml").write_text(RECIPE, encoding="utf-8")
    return tmp_path / "inner"


@pytest.fixture
def loaded(folder: Path) -> LoadedRecipe:
    return load_recipe(str(folder / "tiny.yaml"))


def write_areas(folder: Path, *features: tuple[Any, dict[str, Any]]) -> None:
    made = [
        {"type": "Feature", "properties": p, "geometry": g if g is None else mapping(g)}
        for g, p in features
    ]
    text = json.dumps({"type": "FeatureCollection", "features": made})
    (folder / "areas.geojson").write_text(text, encoding="utf-8")


def recipe_with(folder: Path, scale: ScaleSpec | None = None, **parts: Any) -> LoadedRecipe:
    """Load the recipe with some of its parts changed; None leaves a key out."""
    raw = yaml.safe_load(RECIPE)
    for part, keys in parts.items():
        raw[part] = {k: v for k, v in (raw.get(part, {}) | keys).items() if v is not None}
    path = folder / "tiny.yaml"
    path.write_text(yaml.safe_dump(raw), encoding="utf-8")
    return load_recipe(str(path), scale)


def refused(call: Any, *args: Any) -> RecipeError:
    with pytest.raises(RecipeError) as caught:
        call(*args)
    return caught.value


def n_patches(loaded: LoadedRecipe, areas: dict[str, Area]) -> dict[str, int]:
    patches = [patch for patch, _ in lay_out_patches(loaded, areas)]
    return {name: sum(p.area == name for p in patches) for name in areas}


def span(start: str, end: str) -> Span:
    return Span(datetime.fromisoformat(start), datetime.fromisoformat(end))


# --- areas


def test_load_areas_when_bbox_then_one_area(folder: Path) -> None:
    path = folder / "tiny.yaml"
    text = RECIPE.replace("file: areas.geojson", "bbox: [3, 50.8, 3.05, 50.83]")
    path.write_text(text, encoding="utf-8")
    (area,) = load_areas(load_recipe(str(path))).values()
    assert (area.id, area.crs) == ("area", "EPSG:32631")
    assert area.geometry.equals(FLANDERS)


def test_load_areas_then_file_order_properties_and_own_crs(
    folder: Path, loaded: LoadedRecipe
) -> None:
    own = {"start": "2019-06-01", "end": "2019-07-01", "split": "val", "season": "summer"}
    write_areas(
        folder,
        (box(9, 50, 9.1, 50.1), {"id": "z", **own}),
        (FLANDERS, {"id": "y"}),
        (FLANDERS, {"id": None}),
    )
    areas = load_areas(loaded)
    assert list(areas) == ["z", "y", "a0002"]
    first = areas["z"]
    assert (first.crs, first.split, first.season) == ("EPSG:32632", "val", "summer")
    assert first.time is not None
    assert first.time.start == datetime(2019, 6, 1, tzinfo=UTC)
    assert (areas["y"].time, areas["y"].split, areas["y"].season) == (None, "", "")


def test_load_areas_when_ids_are_numbers_then_zero_stays_zero(
    folder: Path, loaded: LoadedRecipe
) -> None:
    write_areas(folder, *((FLANDERS, {"id": number}) for number in range(3)))
    assert list(load_areas(loaded)) == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("features", "word"),
    [
        ([(FLANDERS, {"id": "a"}), (FLANDERS, {"id": "a"})], "twice"),
        ([(Point(3, 50), {"id": "a"})], "Point"),
        ([(None, {"id": "a"}), (FLANDERS, {"id": "b"})], "no geometry"),
        ([(box(500_000, 5_600_000, 501_000, 5_601_000), {"id": "a"})], "500000"),
        ([(FLANDERS, {"id": "../a"})], "path"),
        ([(FLANDERS, {"id": "a", "start": "2018-01-01"})], "only one of"),
        ([(FLANDERS, {"id": "a", "start": "spring", "end": "summer"})], "spring"),
        ([(FLANDERS, {"id": "a", "start": "2018-02-01", "end": "2018-01-01"})], "not after"),
        ([], "no feature"),
    ],
)
def test_load_areas_when_a_feature_is_wrong_then_refused_by_name(
    folder: Path, loaded: LoadedRecipe, features: list[Any], word: str
) -> None:
    write_areas(folder, *features)
    error = refused(load_areas, loaded)
    assert "areas.geojson" in error.where
    assert word in str(error)
    if len(features) == 1 and "id" in features[0][1]:
        assert "area " in error.where


def test_load_areas_when_the_polygon_crosses_itself_then_refused(
    folder: Path, loaded: LoadedRecipe
) -> None:
    bowtie = {"type": "Polygon", "coordinates": [[[3, 50], [4, 51], [4, 50], [3, 51], [3, 50]]]}
    feature = {"type": "Feature", "properties": {"id": "b"}, "geometry": bowtie}
    text = json.dumps({"type": "FeatureCollection", "features": [feature]})
    (folder / "areas.geojson").write_text(text, encoding="utf-8")
    assert "crosses itself" in refused(load_areas, loaded).found


@pytest.mark.parametrize("content", [b"{}", b"not json", b"\xff\xfe\x00"])
def test_load_areas_when_no_vector_data_then_refused(
    folder: Path, loaded: LoadedRecipe, content: bytes
) -> None:
    (folder / "areas.geojson").write_bytes(content)
    assert "areas.geojson" in refused(load_areas, loaded).where


def test_load_areas_when_table_without_geometry_then_refused(folder: Path) -> None:
    path = folder / "tiny.yaml"
    path.write_text(RECIPE.replace("areas.geojson", "areas.csv"), encoding="utf-8")
    (folder / "areas.csv").write_text("id,x\na,1\n", encoding="utf-8")
    assert "areas.csv" in refused(load_areas, load_recipe(str(path))).where


@pytest.mark.parametrize("suffix", ["gpkg", "parquet"])
def test_load_areas_when_another_format_and_crs_then_degrees(folder: Path, suffix: str) -> None:
    path = folder / "tiny.yaml"
    path.write_text(RECIPE.replace("areas.geojson", f"areas.{suffix}"), encoding="utf-8")
    frame = geopandas.GeoDataFrame({"id": ["a"]}, geometry=[FLANDERS], crs="EPSG:4326")
    frame = frame.to_crs("EPSG:3035")
    target = folder / f"areas.{suffix}"
    frame.to_parquet(target) if suffix == "parquet" else frame.to_file(target)
    (area,) = load_areas(load_recipe(str(path))).values()
    assert area.geometry.symmetric_difference(FLANDERS).area < 1e-9


# --- points


PLACES = {
    "flanders": (3.02, 50.82),
    "south": (-70.6, -33.4),
    "zone_border": (5.9999, 51.0),
    "date_line": (179.999, -16.5),
    "date_line_west": (-180.0, 65.0),
    "far_north": (20.0, 80.0),
    "beyond_utm": (30.0, 84.5),
    "equator": (-78.0, 0.0),
}


@pytest.mark.parametrize("align", ["lattice", "area"])
def test_load_areas_when_points_with_a_side_then_squares_full_of_patches(
    folder: Path, align: str
) -> None:
    write_areas(folder, *((Point(*p), {"id": n, "split": "val"}) for n, p in PLACES.items()))
    loaded = recipe_with(
        folder,
        area={"side": 1600, "patch": 640, "stride": 320, "align": align},
        split={"file": None},
    )
    areas = load_areas(loaded)
    assert n_patches(loaded, areas) == dict.fromkeys(PLACES, 16)
    assert areas["zone_border"].crs == "EPSG:32631"
    assert areas["date_line"].crs == "EPSG:32760"
    assert areas["date_line"].geometry.geom_type == "MultiPolygon"
    assert areas["south"].crs == "EPSG:32719"
    assert areas["beyond_utm"].crs == "EPSG:3413"


def test_load_areas_when_points_and_polygons_then_side_is_for_the_points(folder: Path) -> None:
    write_areas(folder, (Point(3.02, 50.82), {"id": "p"}), (FLANDERS, {"id": "q"}))
    areas = load_areas(recipe_with(folder, area={"side": 960}))
    assert areas["q"].geometry.equals(FLANDERS)
    assert areas["p"].geometry.within(FLANDERS)


def test_load_areas_when_a_point_and_no_side_then_refused_with_the_remedy(
    folder: Path, loaded: LoadedRecipe
) -> None:
    write_areas(folder, (Point(3, 50), {"id": "p"}))
    error = refused(load_areas, loaded)
    assert (error.where, error.found) == ("areas.geojson: area p", "Point")
    assert "area.side" in error.fix


@pytest.mark.parametrize(
    ("geometry", "area", "word"),
    [
        (Point(500_000, 5_600_000), {}, "no degrees"),
        (Point(30, 89.99), {}, "pole"),
        (Point(150, -30), {"crs": "+proj=ortho +lat_0=0 +lon_0=0"}, "no coordinates"),
        (LineString([(3, 50), (3, 51)]), {}, "LineString"),
        (from_wkt("MULTIPOINT (3 50, 4 50)"), {}, "MultiPoint"),
    ],
)
def test_load_areas_when_no_square_can_be_made_then_refused_by_name(
    folder: Path, geometry: Any, area: dict[str, Any], word: str
) -> None:
    write_areas(folder, (geometry, {"id": "p"}))
    error = refused(load_areas, recipe_with(folder, area={"side": 5120, **area}))
    assert error.where == "areas.geojson: area p"
    assert word in f"{error.found} {error.because}"


# --- only


def several(folder: Path) -> None:
    write_areas(
        folder,
        (FLANDERS, {"id": "a", "season": "spring", "place": 7, "sure": True}),
        (FLANDERS, {"id": "b", "season": "summer", "place": 8, "sure": False}),
        (FLANDERS, {"season": "summer", "place": None, "sure": True}),
    )


@pytest.mark.parametrize(
    ("only", "kept"),
    [
        ({"season": ["summer"]}, ["b", "a0002"]),
        ({"season": ["summer", "spring"]}, ["a", "b", "a0002"]),
        ({"season": ["summer"], "sure": ["true"]}, ["a0002"]),
        ({"place": ["7", "8"]}, ["a", "b"]),
        ({"id": ["b"]}, ["b"]),
    ],
)
def test_load_areas_when_only_some_are_wanted_then_those_in_file_order(
    folder: Path, only: dict[str, list[str]], kept: list[str]
) -> None:
    several(folder)
    assert list(load_areas(recipe_with(folder, area={"only": only}))) == kept


def test_load_areas_when_only_names_an_unknown_property_then_the_nearest(folder: Path) -> None:
    several(folder)
    for key, fix in (("seasn", '"season"'), ("xyz", "Known: id, place, season"), ("geometry", "")):
        error = refused(load_areas, recipe_with(folder, area={"only": {key: ["x"]}}))
        assert error.where == f"area.only.{key}"
        assert fix in error.fix


def test_load_areas_when_only_leaves_none_then_refused_with_the_values(folder: Path) -> None:
    several(folder)
    error = refused(load_areas, recipe_with(folder, area={"only": {"season": ["winter"]}}))
    assert error.where == "area.only"
    assert "season: spring, summer" in error.because


# --- seasons


def test_load_areas_when_own_time_and_season_then_own_before_season_before_recipe(
    folder: Path,
) -> None:
    own = {"start": "2018-05-01", "end": "2018-05-02"}
    write_areas(
        folder,
        (FLANDERS, {"id": "own", "season": "summer", **own}),
        (FLANDERS, {"id": "undated", "season": "autumn", **own}),
        (FLANDERS, {"id": "season", "season": "summer"}),
        (FLANDERS, {"id": "neither"}),
    )
    areas = load_areas(recipe_with(folder, time={"seasons": SEASONS}))
    assert areas["own"].time == areas["undated"].time == span("2018-05-01", "2018-05-02")
    assert areas["season"].time == span("2018-06-01", "2018-09-01")
    assert areas["neither"].time is None
    assert areas["undated"].season == "autumn"


def test_load_areas_when_the_recipe_dates_no_season_then_the_recipes_time(
    folder: Path, loaded: LoadedRecipe
) -> None:
    write_areas(folder, (FLANDERS, {"id": "a", "season": "autumn"}))
    (area,) = load_areas(loaded).values()
    assert (area.season, area.time) == ("autumn", None)


def test_load_areas_when_a_season_is_left_out_then_refused_with_the_known_ones(
    folder: Path,
) -> None:
    write_areas(folder, (FLANDERS, {"id": "a", "season": "autumn"}))
    error = refused(load_areas, recipe_with(folder, time={"seasons": SEASONS}))
    assert error.where == "areas.geojson: area a"
    assert '"autumn"' in error.found
    assert "spring, summer" in error.fix


# --- random areas


def drawn(folder: Path, **more: Any) -> LoadedRecipe:
    draws = [{"seed": 1158, "season": "spring"}, {"seed": 1868, "season": "summer"}]
    sample = {"draws": draws, "land": 12, "urban": 4, "apart": 100_000, **more}
    area = {"file": None, "sample": sample, "side": 5120, "patch": 2560, "stride": 1280}
    split = {"file": None, "fractions": {"train": 0.5, "val": 0.25, "test": 0.25}}
    return recipe_with(folder, area=area, time={"seasons": SEASONS}, split=split)


def test_load_areas_when_drawn_then_ids_seasons_and_times_and_alike_when_drawn_again(
    folder: Path,
) -> None:
    loaded = drawn(folder)
    areas = load_areas(loaded)
    assert list(areas.items()) == list(load_areas(loaded).items())
    assert "ROIs1158_spring_1" in areas
    for name, area in areas.items():
        seed, season, number = name.removeprefix("ROIs").split("_")
        assert (area.season, area.scene) == (season, "")  # no published place has this number
        assert season == {"1158": "spring", "1868": "summer"}[seed]
        assert area.time == span(*SEASONS[season])
        assert 1 <= int(number) <= 16
    assert set(n_patches(loaded, areas).values()) == {9}


def test_load_areas_when_drawn_apart_then_also_across_draws(folder: Path) -> None:
    near, apart = (
        load_areas(drawn(folder, land=60, urban=60, apart=metres)) for metres in (8_000, 800_000)
    )
    assert len(near) > 230
    middles = [a.geometry.centroid for a in apart.values() if a.geometry.geom_type == "Polygon"]
    gaps = [SPHERE.inv(a.x, a.y, b.x, b.y)[2] for i, a in enumerate(middles) for b in middles[:i]]
    assert min(gaps) > 795_000
    assert {a.season for a in apart.values()} == {"spring", "summer"}
    assert set(apart) < set(near)
    assert len(apart) > 60


def test_areas_that_may_overlap_between_splits_are_refused(folder: Path) -> None:
    with pytest.raises(RecipeError, match=r"apart: random areas of 5120 m may be 0 m"):
        drawn(folder, apart=0)


def test_load_areas_when_a_draw_is_of_an_undated_season_then_refused(folder: Path) -> None:
    loaded = drawn(folder, draws=[{"seed": 1, "season": "winter"}])
    assert '"winter"' in refused(load_areas, loaded).found


def test_load_areas_when_a_draw_has_no_season_then_the_recipes_time(folder: Path) -> None:
    areas = load_areas(drawn(folder, draws=[{"seed": 5}], land=3, urban=0))
    assert list(areas) == ["ROIs5_1", "ROIs5_2", "ROIs5_3"]
    assert {a.time for a in areas.values()} == {None}


# --- scale


def test_load_areas_when_scaled_then_of_each_split_in_turn_and_the_list_may_name_more(
    folder: Path,
) -> None:
    names = ["a", "b", "c", "d", "e"]
    write_areas(folder, *((FLANDERS, {"id": n}) for n in names))
    (folder / "splits.csv").write_text("id,split\na,train\nb,train\nc,train\nd,test\ne,val\n")
    loaded = recipe_with(folder, ScaleSpec(areas=3))
    areas = load_areas(loaded)
    assert list(areas) == ["a", "d", "e"]
    assert {p.split for _, p in lay_out_patches(loaded, areas)} == {"train", "val", "test"}


def test_load_areas_when_scaled_and_the_list_names_a_stranger_then_refused(folder: Path) -> None:
    write_areas(folder, (FLANDERS, {"id": "north"}))
    (folder / "splits.csv").write_text("id,split\nnorth,train\nnroth,val\n")
    error = refused(load_areas, recipe_with(folder, ScaleSpec(areas=1)))
    assert "nroth" in error.where
    assert error.fix == 'Did you mean "north"?'


def test_load_areas_when_scaled_then_steps_are_as_long_as_they_were(folder: Path) -> None:
    own = {"start": "2019-01-01", "end": "2019-01-11"}
    write_areas(
        folder, (FLANDERS, {"id": "own", **own}), (FLANDERS, {"id": "s", "season": "spring"})
    )
    time = {"steps": 10, "seasons": {"spring": ["2018-03-01", "2018-03-21"]}}
    loaded = recipe_with(folder, ScaleSpec(steps=2), time=time, split={"file": None})
    areas = load_areas(loaded)
    assert areas["own"].time == span("2019-01-01", "2019-01-03")
    assert areas["s"].time == span("2018-03-01", "2018-03-05")
    assert loaded.recipe.time.span == span("2018-01-01", "2018-01-07T04:48")


# --- shipped recipes


@pytest.mark.parametrize("name", sorted(resources.recipe_files()))
def test_shipped_recipe_then_its_areas_load(name: str) -> None:
    assert load_areas(load_recipe(name))


@pytest.mark.parametrize(
    ("name", "count"),
    [("sen12ms-cr-ts", 50), ("sen12ms-cr", 170), ("sen12ms", 170), ("sen1-2", 519)],
)
def test_recipe_of_the_family_then_so_many_areas(name: str, count: int) -> None:
    assert len(load_areas(load_recipe(name))) == count


def test_recipe_of_the_family_when_scaled_then_whole_patches_of_each_split() -> None:
    loaded = load_recipe("sen12ms-cr-ts", ScaleSpec.from_text("areas=3 side=5120 steps=4"))
    areas = load_areas(loaded)
    assert set(n_patches(loaded, areas).values()) == {4}
    assert {a.split for a in areas.values()} == {"train", "val", "test"}
    assert loaded.recipe.time.steps == 4
