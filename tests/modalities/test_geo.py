"""Places on the earth, in the usual spellings; neighbours stay neighbours across the poles and the 180th meridian."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sensorium
from sensorium.modalities.geo import Geo
from sensorium.table import open_table

PLACES = [(48.85, 2.35), (-33.92, 18.42), (40.71, -74.01), (35.68, 139.69), (0.5, -179.9), (1e-05, 3)]


def column(cells, name="c"):
    return open_table({name: cells, "row": list(range(len(cells)))}).column(name)


def letters(lat, lon):
    return f"{abs(lat)}° {'N' if lat >= 0 else 'S'}, {abs(lon)}° {'E' if lon >= 0 else 'w'}"


SPELLINGS = {
    "text": lambda lat, lon: f"{lat}, {lon}",
    "spaces": lambda lat, lon: f" {lat} {lon} ",
    "brackets": lambda lat, lon: f"({lat};{lon})",
    "letters": letters,
    "letters first to last": lambda lat, lon: ", ".join(letters(lat, lon).split(", ")[::-1]),
    "JSON list": lambda lat, lon: json.dumps([lat, lon]),
    "JSON object": lambda lat, lon: json.dumps({"lng": lon, "lat": lat}),
    "list": lambda lat, lon: [lat, lon],
    "struct": lambda lat, lon: {"Longitude": lon, "Latitude": lat},
    "0 to 360": lambda lat, lon: f"{lat}, {lon % 360}",
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_place_is_the_same_however_it_is_spelt(spelling):
    plain = column([f"{lat}, {lon}" for lat, lon in PLACES])
    spelt = column([SPELLINGS[spelling](*place) for place in PLACES])
    learnt = Geo.learn(plain)
    found = Geo.learn(spelt).encode(spelt)
    assert found.values == pytest.approx(learnt.encode(plain).values, abs=1e-5)
    assert found.present.all() and not found.problems
    assert learnt.encoder_spec() == {"floats": found.values.shape[1]} == {"floats": 27}


def test_the_order_can_be_told_and_names_and_letters_go_before_it():
    turned = column([f"{lon}, {lat}" for lat, lon in PLACES[:2]])
    plain = column([f"{lat}, {lon}" for lat, lon in PLACES[:2]])
    for cells in (turned, column([{"lat": lat, "lon": lon} for lat, lon in PLACES[:2]])):
        found = Geo.learn(cells, order="lon_lat").encode(cells)
        assert np.array_equal(found.values, Geo.learn(plain).encode(plain).values)
    letter = column([letters(*place) for place in PLACES[:2]])
    assert Geo.learn(letter, order="lon_lat").mean == pytest.approx(Geo.learn(plain).mean)


def test_features_equal_their_definition():
    cells = column([f"{lat}, {lon}" for lat, lon in PLACES])
    lat, lon = np.radians(np.array(PLACES)).T
    sphere = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], 1)
    spread = np.sqrt(((sphere - sphere.mean(0)) ** 2).sum(1).mean())
    scaled = (sphere - sphere.mean(0)) / spread
    angles = [2 * np.pi / length * scaled for length in (8, 4)]
    expected = np.concatenate([scaled, *map(np.sin, angles), *map(np.cos, angles)], 1)
    assert Geo.learn(cells, scales=2).encode(cells).values == pytest.approx(expected, abs=1e-5)


BAD = {
    "91, 10": ("latitude is beyond 90", "option order"),
    "-95.5, 200": ("latitude is beyond 90", "−90 to 90"),
    "10, -181": ("longitude is outside", "from −180 to 180"),
    "10, 361": ("longitude is outside", "0 to 360"),
    "10": ("not a pair", "48.85, 2.35"),
    "Paris": ("not a pair", "48.85, 2.35"),
    "10 N, 20 S": ("not a finite number", "decimal degrees"),
    "[10, null]": ("not a finite number", "decimal degrees"),
    '{"lat": 1}': ("not a finite number", "decimal degrees"),
    '{"lat": "x", "lon": 2}': ("not a finite number", "decimal degrees"),
    "1, 2, 3": ("not a pair", "48.85"),
    " " * 10**6: ("not a pair", "48.85"),
    "{" * 99: ("not a pair", "48.85"),
}


@pytest.mark.parametrize("cell", BAD, ids=lambda cell: cell[:20])
def test_what_is_no_place_on_earth_is_missing_with_a_cure(cell):
    found = Geo.learn(column(["1, 2", "3, 4"])).encode(column(["1, 2", cell]))
    assert found.present.tolist() == [True, False]
    (problem,) = found.problems
    assert problem.row == 1
    assert BAD[cell][0] in problem.reason
    assert BAD[cell][1] in problem.cure


PLACE = st.tuples(st.floats(-90, 90), st.floats(-180, 360))


@given(PLACE, PLACE)
def test_places_are_as_near_as_on_the_earth(one, other):
    """Whatever the way round: the first three features are the sphere's own, moved and scaled."""
    learnt = Geo.learn(column([[-10.0, 20.0], [30.0, 170.0], [60.0, -120.0]]))
    found = learnt.encode(column([list(one), list(other)])).values[:, :3].astype(float)
    apart = np.linalg.norm(found[0] - found[1]) * learnt.deviation
    lat, lon = np.radians([one, other]).T
    angle = np.sin(lat[0]) * np.sin(lat[1]) + np.cos(lat[0]) * np.cos(lat[1]) * np.cos(lon[0] - lon[1])
    assert apart == pytest.approx(np.sqrt(max(0, 2 - 2 * angle)), abs=1e-5)


@pytest.mark.parametrize(("west", "east"), [((10, 179.9999), (10, -179.9999)), ((89.9999, 0), (89.9999, 180))])
def test_nothing_tears_at_the_meridian_and_at_the_pole(west, east):
    learnt = Geo.learn(column([list(place) for place in PLACES]))
    near, far = learnt.encode(column([list(map(float, west)), list(map(float, east))])).values
    assert near == pytest.approx(far, abs=1e-3)


def test_a_town_s_places_are_told_apart_as_well_as_a_continent_s():
    random = np.random.default_rng(0)
    for spread in (30, 0.01):
        cells = column([[45 + lat, 5 + lon] for lat, lon in random.normal(0, spread / 3, (200, 2))])
        values = Geo.learn(cells).encode(cells).values
        assert (values[:, :3] ** 2).sum(1).mean() == pytest.approx(1, abs=1e-3)
        assert (values[:, 3:].std(0) > 0.01).sum() > 15
    one = Geo.learn(column(["45, 5"] * 3))
    assert np.isfinite(one.encode(column(["45, 5", "-45, 100"])).values).all()


def plan(cells, name="c"):
    table = {name: cells, "other": [i * 0.37 for i in range(len(cells))]}
    return sensorium.inspect(table).columns[0]


def test_pairs_that_can_be_places_are_recognised():
    random = np.random.default_rng(0)
    pairs = [[float(a), float(b)] for a, b in random.uniform(-80, 80, (60, 2)).round(3)]
    for cells in ([f"{a}, {b}" for a, b in pairs], [{"lat": a, "lon": b} for a, b in pairs]):
        found = plan(cells)
        assert (found.modality, found.caution) == ("geo", "")
        assert "pairs such as" in found.reason
    assert plan(pairs, "location").modality == "geo"
    assert plan([json.dumps(pair) for pair in pairs], "lat_lon").modality == "geo"
    assert plan(pairs, "embedding").modality == "vector"
    assert plan([json.dumps(pair) for pair in pairs]).modality == "vector"
    assert plan([f"{a * 10}, {b}" for a, b in pairs]).modality == "text"
    for thousands in ([f"{i},{200 + i}" for i in range(60)], [f"{i},{200 + i}.5" for i in range(60)]):
        assert plan(thousands).modality == "number"


def test_a_label_that_hangs_on_a_place_is_learnt_and_kept(tmp_path):
    random = np.random.default_rng(0)
    places = [(a, (b + 360) % 360 - 180) for a, b in random.normal((10, 0), (20, 20), (200, 2))]  # about 180°
    inside = ["in" if a * a + ((b % 360) - 180) ** 2 < 20**2 else "out" for a, b in places]
    table = {"where": [f"{a:.4f}, {b:.4f}" for a, b in places], "label": inside}
    model = sensorium.fit(table, "label", epochs=20, out=tmp_path / "run", progress=False)
    assert model.columns == {"where": "geo"}
    assert (model.predict(table) == np.array(inside)).mean() > 0.9
    assert np.array_equal(sensorium.load(tmp_path / "run").predict(table), model.predict(table))
