"""A table without features: the error says why each column was left out, and how to use one."""

import pytest

import sensorium
from sensorium.errors import SchemaError

ROWS = [{"a": row, "y": "pq"[row % 2]} for row in range(80)]


def test_the_cure_names_a_column_and_works_in_python():
    with pytest.raises(SchemaError, match=r"no column is left to learn from: 'a': .*; 'y': the target") as found:
        sensorium.fit(ROWS, "y", progress=False)
    assert found.value.place == "the table (a list of dicts)"
    assert found.value.cure == "use column 'a': --modality a=number (Python: modalities={'a': 'number'})"
    model = sensorium.fit(ROWS, "y", modalities={"a": "number"}, epochs=1, width=8, progress=False)
    assert model.fitted.kinds == {"a": "number"}


def test_columns_that_settings_leave_out_are_named_as_such():
    with pytest.raises(SchemaError) as found:
        sensorium.fit(ROWS, "y", exclude=["a"], progress=False)
    assert found.value.cure == "use column 'a': change the settings columns and exclude"
    with pytest.raises(SchemaError) as found:
        sensorium.fit({"y": list("pq" * 40)}, "y", progress=False)
    assert found.value.place == "the table (a dict)"
    assert found.value.cure == "add a column to learn from"
