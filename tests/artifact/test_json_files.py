"""JSON files of models: any values survive, NaN is refused, and people can read them line by line."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensorium.artifact.format import to_json

pytestmark = pytest.mark.unit

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=30,
)


@pytest.mark.slow
@settings(deadline=None, max_examples=60, derandomize=True)
@given(value=VALUES)
def test_values_survive(value):
    assert json.loads(to_json(value).decode(errors="surrogatepass")) == value


def test_keys_that_are_no_text_become_text():
    assert json.loads(to_json({"a": {1: "x", None: [(2, 3)]}})) == {"a": {"1": "x", "null": [[2, 3]]}}


@pytest.mark.parametrize("value", [float("nan"), {"a": [float("inf")]}, {"a": {"b": {"c": {"d": -float("inf")}}}}])
def test_values_outside_of_json_are_refused(value):
    with pytest.raises(ValueError, match="JSON"):
        to_json(value)


def test_each_column_has_lines_of_its_own():
    columns = [{"name": f"x{i}", "state": {"notes": [[1, 2], [3]]}} for i in range(3)]
    lines = to_json({"columns": columns, "empty": {}, "none": []}).decode().split("\n")
    assert lines[:5] == ["{", ' "columns": [', "  {", '   "name": "x0",', '   "state": {"notes": [[1, 2], [3]]}']
    assert lines[-3:] == [' "empty": {},', ' "none": []', "}"]
