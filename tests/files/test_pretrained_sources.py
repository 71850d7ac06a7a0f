"""Pretrained models of the hub: what its cache holds is what was sent."""

import hashlib

import huggingface_hub
import pytest

from sensorium.errors import ConfigError
from sensorium.files.pretrained_sources import find_model

pytestmark = pytest.mark.unit


def test_weights_that_were_damaged_in_the_cache_are_an_error(tmp_path, monkeypatch):
    """The hub keeps large files under their SHA-256, with links to them in the folder of a version."""
    content = bytes(range(256)) * 100
    blob, snapshot = tmp_path / "blobs" / hashlib.sha256(content).hexdigest(), tmp_path / "snapshots" / "1"
    for folder in (blob.parent, snapshot):
        folder.mkdir(parents=True)
    (snapshot / "config.json").write_text("{}")
    (snapshot / "model.safetensors").symlink_to(blob)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda name, **_: str(snapshot))
    blob.write_bytes(content)
    assert find_model("owner/name") == snapshot
    blob.write_bytes(b"x" + content[1:])
    with pytest.raises(ConfigError, match="damaged in the cache") as caught:
        find_model("owner/name")
    assert str(blob) in caught.value.place
