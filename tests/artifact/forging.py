"""Write saved models with other contents, and checksums that match them."""

import hashlib
import json

import pytest
from safetensors import numpy as safe_numpy
from safetensors import torch as safe_torch

import sensorium
from sensorium.errors import ArtifactError

JSON, ARRAYS, WEIGHTS = "model.json", "arrays.safetensors", "weights.safetensors"


def forge(source, target, change=None, weights=None, arrays=None, manifest=None):
    """The model with other contents and sums that match."""
    model = json.loads((source / JSON).read_text())
    own = {WEIGHTS: safe_torch.load((source / WEIGHTS).read_bytes())}
    own[ARRAYS] = safe_numpy.load((source / ARRAYS).read_bytes())
    for part, changed in ((model, change), (own[WEIGHTS], weights), (own[ARRAYS], arrays)):
        if changed:
            changed(part)
    files = {JSON: json.dumps(model).encode()}
    files |= {WEIGHTS: safe_torch.save(own[WEIGHTS]), ARRAYS: safe_numpy.save(own[ARRAYS])}
    entries = {name: {"bytes": len(part), "sha256": hashlib.sha256(part).hexdigest()} for name, part in files.items()}
    content = {"format": "sensorium.model", "version": 4, "sensorium": "0", "files": entries}
    if manifest:
        manifest(content)
    target.mkdir()
    for name, part in (files | {"manifest.json": json.dumps(content).encode()}).items():
        (target / name).write_bytes(part)
    return target


def refused(path, match=None):
    with pytest.raises(ArtifactError, match=match):
        sensorium.load(path)


def put(*path, value):
    def change(model):
        for key in path[:-1]:
            model = model[key]
        model[path[-1]] = value

    return change
