"""Hashes of cells: a change of a cell, or of a file that it names, changes the hash."""

import os

import pytest

from sensorium.modalities.image import Image
from sensorium.modalities.text import Text
from sensorium.prepare import hash_cells, hashes
from sensorium.table import open_table
from sensorium.testing import make_table

TEXTS = [f"review {place} of a film" for place in range(40)]


def text_column(texts):
    return open_table({"text": texts}).column("text")


@pytest.mark.unit
def test_texts_are_not_looked_for_on_disk(monkeypatch):
    def refuse(*_):
        raise AssertionError("a text is no path")

    column = text_column(TEXTS)
    modality = Text.learn(column)
    monkeypatch.setattr(hashes, "_file_of", refuse)
    found = hash_cells(modality, column, "stat")
    assert found == hash_cells(modality, text_column(TEXTS), "stat")
    assert found != hash_cells(modality, text_column([*TEXTS[:-1], "another"]), "stat")


def test_a_changed_file_changes_the_hash(tmp_path):
    table = open_table(make_table(tmp_path, rows=8, modalities=["image"]))
    name = next(name for name in table.columns if name not in ("label", "split"))
    column = table.column(name)
    modality = Image.learn(column)
    before = hash_cells(modality, column, "stat")
    assert before == hash_cells(modality, column, "stat")
    os.utime(column.files.path(column.data.to_pylist()[0]), (0, 0))
    assert before != hash_cells(modality, column, "stat")
    assert hash_cells(modality, column, "content") == hash_cells(modality, column, "content")
