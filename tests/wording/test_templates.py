"""Reports take their words from the table of templates, so that another table is another language."""

import ast
import string
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

import sensorium
from sensorium.report import evaluation_text, fit_text, inspection_text, predictions_text, shift_text
from sensorium.wording import _say
from sensorium.wording._english import TEMPLATES

SOURCE = Path(sensorium.__file__).parent
NOTES = ["a calm green hill", "the old stone bridge falls", "rain over a quiet town", "birds sing at the lake"]
TABLE = {
    "size": [(7 * i) % 40 + 0.5 for i in range(40)],
    "note": [f"{NOTES[i % 4]} near house {i}" for i in range(40)],
    "y": ["a", "b", "b", "a"] * 10,
}


def fields(template):
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


@pytest.fixture
def other_language(monkeypatch):
    """Each template is the list of its figures."""
    monkeypatch.setattr(
        _say,
        "TEMPLATES",
        {key: f"<{' '.join(f'{{{name}}}' for name in sorted(fields(text)))}>" for key, text in TEMPLATES.items()},
    )


def shown(*reports):
    console = Console(width=400, record=True, file=StringIO())
    for report in reports:
        console.print(report)
    return console.export_text()


def test_reports_of_another_table_hold_no_english(other_language):
    model = sensorium.fit(TABLE, "y", epochs=1, progress=False)
    other = sensorium.fit({**TABLE, "size": [i + 40.5 for i in range(40)]}, "y", start=model, epochs=1, progress=False)
    found = shown(
        inspection_text(sensorium.inspect(TABLE, "y")),
        fit_text(
            [{"name": "size", "modality": "number", "learnt": ""}], model.fitted.card, model.fitted.data, model.test
        ),
        evaluation_text(model.evaluate(TABLE, split="all", subsets=True)),
        predictions_text(model.predictions(TABLE).to_arrow(), {0: "a"}, 1),
        shift_text(other.fitted.card.shift),
    )
    english = (
        "epochs in",
        "checked by",
        "distribution shift",
        "interval",
        "modality",
        "examples",
        "Shapley",
        "metric",
        "weights changed",
        "probability",
        "prediction",
        "learned",
        "missing",
        "standard deviation",
    )
    assert [words for words in english if words in found] == []


def test_every_template_is_used_and_every_key_exists():
    keys = {
        node.value
        for path in SOURCE.rglob("*.py")
        if path.parent.name in ("wording", "report")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    columns = {key for key in TEMPLATES if key.startswith("column.")}
    assert {key.removeprefix("column.") for key in columns} <= keys
    lines = {key for key in TEMPLATES if key.startswith(("line.", "part."))}
    assert {key for key in keys if key.startswith(("line.", "part."))} - {
        "line.",
        "part.",
        "line.shift_",
    } <= TEMPLATES.keys()
    assert {key for key in lines if not key.startswith("line.shift_")} <= keys
