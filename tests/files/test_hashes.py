"""Hashes that runs and ledgers store: a changed hash would train everything again."""

import hashlib

import pytest

from sensorium.files.hashes import hash_bytes, hash_file, hash_json

pytestmark = pytest.mark.unit


def test_json_is_hashed_in_the_spelling_of_stored_records():
    expected = hashlib.sha256(b'["x", {"a": null, "b": [1, 0.5, "\\u00e9"]}]').hexdigest()
    assert hash_json(["x", {"b": [1, 0.5, "é"], "a": None}]) == expected


def test_a_missing_file_has_no_hash(tmp_path):
    (tmp_path / "there").write_bytes(b"\x00content")
    assert hash_file(tmp_path / "there") == hash_bytes(b"\x00content") == hashlib.sha256(b"\x00content").hexdigest()
    assert hash_file(tmp_path / "absent") == hash_file(tmp_path) == ""
