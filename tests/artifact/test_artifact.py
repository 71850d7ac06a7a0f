"""Models as files: bit-equal in a fresh process, anything but an unaltered model refused, nothing executed."""

import dataclasses
import errno
import hashlib
import json
import os
import pathlib
import pickle
import resource
import shutil
import signal
import subprocess
import sys
import time
import zipfile

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import sensorium
from sensorium.errors import ArtifactError, ConfigError
from sensorium.model import NetworkMember
from sensorium.predictor import Model

FILES = ["arrays.safetensors", "manifest.json", "model.json", "weights.safetensors"]


@pytest.fixture(scope="module")
def model(made):
    return sensorium.fit(made, "label", epochs=1, progress=False)


@pytest.fixture
def saved(model, tmp_path):
    model.save(tmp_path / "m")
    return tmp_path / "m"


@pytest.fixture
def zipped(model, tmp_path):
    model.save(tmp_path / "m.zip")
    return tmp_path / "m.zip"


def names(folder):
    return [entry.name for entry in folder.iterdir()]


def refused(path, match=None):
    with pytest.raises(ArtifactError, match=match) as caught:
        sensorium.load(path)
    assert caught.value.place
    return caught.value


def test_it_holds_json_and_safetensors_only(saved, zipped):
    assert sorted(names(saved)) == FILES
    assert sorted(zipfile.ZipFile(zipped).namelist()) == FILES
    for name in ("manifest.json", "model.json"):
        json.loads((saved / name).read_text())


def test_loaded_in_a_fresh_process_it_predicts_bit_equal(saved, zipped, made, model, tmp_path):
    code = (
        "import sys, numpy, sensorium; both = [sensorium.load(path) for path in sys.argv[3:]];"
        "numpy.save(sys.argv[1], [model.predict_proba(sys.argv[2]) for model in both])"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path / "p.npy", made, saved, zipped], check=True)
    found = np.load(tmp_path / "p.npy")
    assert len(found) == 2 and (found == model.predict_proba(made)).all()


def test_a_runs_folder_is_a_model(run, made):
    assert sensorium.load(run).predict(made).tolist() == sensorium.load(run / "model").predict(made).tolist()


def test_the_same_model_gives_the_same_bytes(model, tmp_path):
    for name in ("a.zip", "b.zip"):
        model.save(tmp_path / name)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


@pytest.mark.parametrize("name", FILES)
def test_a_truncated_file_is_refused(name, saved):
    content = (saved / name).read_bytes()
    (saved / name).write_bytes(content[: len(content) // 2])
    refused(saved)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_refused(name, saved):
    (saved / name).unlink()
    refused(saved, "manifest" if name == "manifest.json" else name)


@settings(max_examples=25)
@given(name=st.sampled_from(FILES), share=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_flipped_bit_is_refused(model, tmp_path_factory, name, share, bit):
    folder = tmp_path_factory.mktemp("flip") / "m"
    model.save(folder)
    content = bytearray((folder / name).read_bytes())
    content[int(share * len(content))] ^= 1 << bit
    (folder / name).write_bytes(content)
    if name != "manifest.json":
        refused(folder)
        return
    try:  # a flip in the manifest's own words may leave what it says as it was (a blank, the version that wrote it)
        found = sensorium.load(folder)
    except ArtifactError:
        return
    assert torch.equal(*(next(iter(m.fitted.network.state_dict().values())) for m in (found, model)))


def test_other_files_links_and_folders_are_refused(saved, tmp_path):
    extra = saved / "notes.txt"
    extra.write_text("hello")
    refused(saved, r"notes\.txt")
    extra.unlink()
    (saved / "sub").mkdir()
    refused(saved, "link or a folder")
    (saved / "sub").rmdir()
    shutil.copy(saved / "model.json", tmp_path / "elsewhere.json")
    (saved / "model.json").unlink()
    (saved / "model.json").symlink_to(tmp_path / "elsewhere.json")
    refused(saved, "link or a folder")


def test_a_folder_that_contains_a_model_is_not_a_model(model, tmp_path):
    """Such as the parent of a run folder: the error names the model in it."""
    model.save(tmp_path / "run" / "model")
    with pytest.raises(ArtifactError, match="there is no manifest: this is not a Sensorium model") as found:
        sensorium.load(tmp_path)
    assert found.value.cure == f"load a model in this folder: {tmp_path / 'run'}"
    sensorium.load(tmp_path / "run")
    (tmp_path / "empty" / "sub").mkdir(parents=True)
    with pytest.raises(ArtifactError, match="there is no manifest") as found:
        sensorium.load(tmp_path / "empty")
    assert found.value.cure == ""


class _Trap:
    """Unpickled, it leaves a file behind."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("name", ["weights.pkl", "weights.safetensors", "model.json"])
def test_a_pickle_is_never_executed(name, saved, tmp_path):
    (saved / name).write_bytes(pickle.dumps(_Trap(tmp_path / "trapped")))
    refused(saved)
    assert not (tmp_path / "trapped").exists()


def rezip(path, members, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members:
            archive.writestr(name, content)


def members(path):
    with zipfile.ZipFile(path) as archive:
        return [(name, archive.read(name)) for name in archive.namelist()]


def test_hostile_archives_are_refused(zipped, tmp_path):
    good = members(zipped)
    rezip(zipped, [*good, ("../escape.txt", b"x")])
    refused(zipped, "escape")
    assert not (tmp_path.parent / "escape.txt").exists()
    rezip(zipped, good, zipfile.ZIP_DEFLATED)
    refused(zipped, "compressed")
    with pytest.warns(UserWarning, match="Duplicate name"):
        rezip(zipped, [*good, good[0]])
    refused(zipped, "one name occurs twice")
    zipped.write_bytes(zipped.read_bytes()[:-100])
    refused(zipped, "nor a readable zip")
    zipped.write_bytes(b"no zip at all")
    refused(zipped, "nor a readable zip")


def test_a_bomb_that_claims_to_be_small_is_not_unpacked(zipped):
    """A member larger than the manifest says is read no further than that."""
    rezip(zipped, [(n, b"\0" * 10**8 if n == "weights.safetensors" else c) for n, c in members(zipped)])
    refused(zipped, "weights.safetensors has")


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"version": 99}, "format version 99"),
        ({"format": "other"}, "format 'other'"),
        ({"files": {}}, "does not list exactly these files"),
        ({"files": {"../../etc/passwd": {"bytes": 1, "sha256": "0"}}}, "does not list exactly these files"),
    ],
)
def test_a_manifest_of_another_kind_is_refused(change, match, saved):
    manifest = json.loads((saved / "manifest.json").read_text())
    (saved / "manifest.json").write_text(json.dumps({**manifest, **change}))
    refused(saved, match)


def rewrite(folder, change, **manifest_change):
    """Another `model.json`, with right checksums."""
    content = change(json.loads((folder / "model.json").read_text()))
    changed = json.dumps(content).encode()
    (folder / "model.json").write_bytes(changed)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"]["model.json"] = {"bytes": len(changed), "sha256": hashlib.sha256(changed).hexdigest()}
    (folder / "manifest.json").write_text(json.dumps({**manifest, **manifest_change}))


def test_a_temperature_is_part_of_the_model(saved, model, made):
    rewrite(saved, lambda m: {**m, "members": [{**m["members"][0], "temperature": 2.0}]})
    roots = model.predict_proba(made) ** 0.5
    assert sensorium.load(saved).predict_proba(made) == pytest.approx(roots / roots.sum(1, keepdims=True), abs=1e-5)


@pytest.fixture(scope="module")
def ensemble(model, made):
    """Two networks of other fusions, the second of two columns only."""
    other = sensorium.fit(made, "label", columns=["text", "number"], fusion="late", epochs=1, progress=False).fitted
    return Model(joined_to(model.fitted, NetworkMember(other.blueprint, other.network, 0.5))), other


def joined_to(fitted, *others):
    return dataclasses.replace(fitted, members=[*fitted.members, *others], member_weights=())


@pytest.mark.slow
@pytest.mark.parametrize("name", ["m", "m.zip"])
def test_an_ensemble_is_saved_whole(name, ensemble, model, made, tmp_path):
    joined, other = ensemble
    joined.save(tmp_path / name)
    found = sensorium.load(tmp_path / name)
    assert (found.predict_proba(made) == joined.predict_proba(made)).all()
    alone = [model.predict_proba(made), Model(other.with_first(temperature=0.5)).predict_proba(made)]
    present = found.predictions(made).present
    both = (present["text"] | present["number"])[:, None]  # without these, the second network has no value
    expected = np.where(both, np.mean(alone, axis=0), alone[0])
    assert 0 < both.sum() < len(both)
    assert found.predict_proba(made) == pytest.approx(expected, abs=1e-6)
    assert found.evaluate(made).to_json() == joined.evaluate(made).to_json()
    assert found.describe() == model.describe()
    assert repr(found).endswith("by network + network>")


def test_subsets_and_size_of_an_ensemble_are_those_of_all_its_networks(ensemble, model, made):
    """The first network reads two columns, the second all: each of the columns is asked about."""
    joined, other = ensemble
    turned = Model(dataclasses.replace(joined.fitted, members=[*other.members, *model.fitted.members]))
    found = turned.evaluate(made, subsets=True).subsets.results
    towers = {tower.name for member in joined.fitted.members for tower in member.blueprint.towers}
    assert {name for result in found for name in result.modalities} == towers
    assert set(found[-1].modalities) == towers
    assert joined.weight_bytes == turned.weight_bytes == model.weight_bytes + Model(other).weight_bytes


def test_an_ensemble_without_one_of_its_networks_is_refused(ensemble, tmp_path):
    ensemble[0].save(tmp_path / "m")
    half = [{"weight": 0.25}, {"weight": 0.25}, {"weight": 0.5}]
    rewrite(
        tmp_path / "m",
        lambda m: {**m, "members": [m | own for m, own in zip([*m["members"], m["members"][1]], half, strict=True)]},
    )
    refused(tmp_path / "m", "does not fit")


def test_a_model_of_columns_that_this_version_lacks_is_refused(saved):
    """Well-formed, with right checksums, yet not for this code."""
    rewrite(saved, lambda m: {**m, "columns": [{**m["columns"][0], "modality": "smell"}, *m["columns"][1:]]})
    with pytest.raises(sensorium.SensoriumError, match="smell"):
        sensorium.load(saved)


def test_there_being_no_model_is_said(tmp_path):
    refused(tmp_path / "gone", "the model does not exist")
    refused(tmp_path, "no manifest")


def test_saving_replaces_a_model_but_nothing_else(saved, model, tmp_path):
    before = (saved / "manifest.json").stat().st_mtime_ns
    model.save(saved)
    assert (saved / "manifest.json").stat().st_mtime_ns > before
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(ArtifactError, match="already there"):
        model.save(tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.txt").exists()
    assert sorted(names(tmp_path)) == ["m", "mine"]


def test_what_looks_like_a_model_and_is_none_is_not_replaced(model, tabular, tmp_path):
    """Archives and folders of other programs."""
    manifest = {"name": "a web app", "files": {}}
    for name, member in (("photos.zip", "a.jpg"), ("book.xlsx", "xl/workbook.xml"), ("app.zip", "manifest.json")):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr(member, json.dumps(manifest))
    for folder in ("app", "out/model", "empty.zip"):
        (tmp_path / folder).mkdir(parents=True)
    for folder in ("app", "out/model"):
        (tmp_path / folder / "manifest.json").write_text(json.dumps(manifest))
    before = {path: path.is_file() and path.read_bytes() for path in tmp_path.rglob("*")}
    for name in ("photos.zip", "book.xlsx", "app.zip", "app", "out/model", "empty.zip"):
        with pytest.raises(ArtifactError, match="already there"):
            model.save(tmp_path / name)
    with pytest.raises(ArtifactError, match="already there"):
        sensorium.fit(tabular, "label", out=tmp_path / "out", epochs=1, progress=False)
    assert {path: path.is_file() and path.read_bytes() for path in tmp_path.rglob("*")} == before


def test_a_zip_replaces_a_zip_of_a_model(model, made, tmp_path):
    model.save(tmp_path / "m.zip")
    (tmp_path / "m.zip").touch()
    before = (tmp_path / "m.zip").stat().st_ino
    model.save(tmp_path / "m.zip")
    assert (tmp_path / "m.zip").stat().st_ino != before
    assert (sensorium.load(tmp_path / "m.zip").predict_proba(made) == model.predict_proba(made)).all()


def test_a_zip_of_a_kind_that_is_not_known_is_refused(model, tmp_path):
    """A newer version of zip, a kind of packing or of encryption, told by one byte of its directory."""
    model.save(tmp_path / "m.zip")
    whole = (tmp_path / "m.zip").read_bytes()
    directory = whole.rindex(b"PK\x05\x06") - sum(len(name) + 46 for name in FILES)
    for place, value in ((6, 255), (8, 1), (8, 32), (8, 64), (10, 99), (45, 255)):
        changed = bytearray(whole)
        changed[directory + place] = value
        (tmp_path / "m.zip").write_bytes(changed)
        refused(tmp_path / "m.zip", "m.zip")


def test_a_full_disk_leaves_the_old_model_and_no_debris(saved, model, made, tmp_path):
    """No file may grow beyond a few bytes: what a full disk looks like to the writer."""
    expected, listed = model.predict_proba(made), sorted(names(tmp_path))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, limits[1]))
    try:
        for path in (saved, tmp_path / "new", tmp_path / "new.zip"):
            with pytest.raises(ArtifactError, match="cannot be written"):
                model.save(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert sorted(names(tmp_path)) == listed
    assert (sensorium.load(saved).predict_proba(made) == expected).all()


@pytest.mark.slow
def test_killed_while_training_the_best_model_so_far_is_whole(made, tmp_path):
    fit = ["fit", str(made), "--target", "label", "--epochs", "500", "--out", str(tmp_path / "run"), "--quiet"]
    fit += ["--set", "train.patience=500"]
    child = subprocess.Popen([sys.executable, "-m", "sensorium", *fit])
    manifest, deadline = tmp_path / "run" / "model" / "manifest.json", time.monotonic() + 60
    while not manifest.exists() and child.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert len(sensorium.load(tmp_path / "run").predict(made)) == 160


def test_a_module_of_ones_own_has_to_be_handed_over_again(made, tmp_path):
    def flat():
        torch.manual_seed(0)
        return nn.Sequential(nn.Flatten(), nn.LazyLinear(8))

    sizes = {"image": {"size": 16}}
    model = sensorium.fit(
        made, "label", columns=["image", "text"], encoders={"image": flat()}, modalities=sizes, epochs=1, progress=False
    )
    model.save(tmp_path / "own")
    with pytest.raises(ConfigError, match="is your own module"):
        sensorium.load(tmp_path / "own")
    again = sensorium.load(tmp_path / "own", encoders={"image": flat()})
    assert (again.predict_proba(made) == model.predict_proba(made)).all()
    with pytest.raises(ArtifactError, match="does not fit"):
        sensorium.load(tmp_path / "own", encoders={"image": nn.Sequential(nn.Flatten(), nn.LazyLinear(9))})


def test_a_model_that_only_lacks_its_name_is_found_and_gets_it_back(saved, model, made, tmp_path):
    """A process was killed between two renames, where the system can't exchange names at once."""
    expected = model.predict_proba(made)
    for name in (".m.sensorium-old", ".m.sensorium-new"):
        saved.rename(tmp_path / name)
        assert (sensorium.load(saved).predict_proba(made) == expected).all()
        assert (sensorium.load(tmp_path / "m").predict_proba(made) == expected).all()
        model.save(saved)
        assert sorted(names(tmp_path)) == ["m"]
    (tmp_path / "run").mkdir()
    saved.rename(tmp_path / "run" / ".model.sensorium-new")
    assert (sensorium.load(tmp_path / "run").predict_proba(made) == expected).all()


@pytest.mark.parametrize("name", ["m", "m.zip"])
def test_permissions_of_a_model_are_those_of_the_umask(name, model, tmp_path):
    before = os.umask(0o077)
    try:
        model.save(tmp_path / name)
    finally:
        os.umask(before)
    paths = [tmp_path / name, *(tmp_path / name).glob("*")]
    assert {path.stat().st_mode & 0o077 for path in paths} == {0}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["m", "m.zip"])
def test_a_model_is_read_whole_while_another_process_replaces_it(name, model, made, tmp_path):
    """It is saved again and again, from a process of its own, while this one reads it."""
    path = tmp_path / name
    model.save(tmp_path / "source")
    model.save(path)
    script = (
        "import sys, sensorium\n"
        "model = sensorium.load(sys.argv[1])\n"
        "print('ready', flush=True)\n"
        "while True: model.save(sys.argv[2])"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "source"), str(path)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        child.stdout.readline()
        loaded = [sensorium.load(path) for _ in range(40)]
        assert child.poll() is None
    finally:
        child.kill()
        child.communicate()
    assert len({str(each.fitted.network.state_dict()) for each in loaded}) == 1
    model.save(path)
    assert sorted(names(tmp_path)) == sorted([name, "source"])


def test_a_list_of_temperatures_needs_several_targets(saved):
    rewrite(saved, lambda m: {**m, "temperature": [1.0, 2.0]})
    with pytest.raises(ArtifactError, match="the number of temperatures is 2") as caught:
        sensorium.load(saved)
    assert caught.value.rule == "one number for a single target"


def test_a_disk_that_is_full_at_the_last_step_leaves_the_old_model(saved, model, made, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    expected = model.predict_proba(made)
    model.save(tmp_path / "m.zip")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        patch.setattr(pathlib.Path, "replace", full)
        for path in (saved, tmp_path / "m.zip"):
            with pytest.raises(ArtifactError, match="cannot be written: No space left"):
                model.save(path)
    assert sorted(names(tmp_path)) == ["m", "m.zip"]
    for path in (saved, tmp_path / "m.zip"):
        assert (sensorium.load(path).predict_proba(made) == expected).all()


def test_a_model_of_long_series_is_saved_and_loaded(tmp_path):
    wave = np.sin(np.arange(300) / 9)
    table = {"s": [(wave * (1 + row % 2)).tolist() for row in range(24)], "y": ["a", "b"] * 12}
    model = sensorium.fit(table, "y", epochs=1, out=tmp_path, progress=False)
    assert model.fitted.config.encoders["s"].name == "series_statistics"
    assert (sensorium.load(tmp_path).predict_proba(table) == model.predict_proba(table)).all()
