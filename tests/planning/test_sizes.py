"""Sizes of images and scans suit the number of rows and the machine; given ones, and those of a model, stay."""

import nibabel
import numpy as np
import pytest
from PIL import Image

import sensorium
from sensorium.planning import _sizes

ROWS, PER_CORE = 30, 6_700


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    folder, random = tmp_path_factory.mktemp("sizes"), np.random.default_rng(0)
    for row in range(ROWS):
        Image.fromarray(random.integers(0, 255, (70, 70), np.uint8)).save(folder / f"{row}.png")
        voxels = random.integers(0, 255, (40, 40, 20)).astype(np.float32)
        nibabel.save(nibabel.Nifti1Image(voxels, np.eye(4)), folder / f"{row}.nii")
    lines = [f"{row}.png,{row}.nii,{row},{'ab'[row % 2]}" for row in range(ROWS)]
    path = folder / "t.csv"
    path.write_text("\n".join(["photo,scan,x,label", *lines]))
    return path


def fit(table, columns, **settings):
    given = {"epochs": 1, "progress": False} | settings
    return sensorium.fit(table, "label", columns=columns, **given)


def sizes(model):
    return {name: tuple(getattr(own, each) for each in sorted(own.sizes)) for name, own in model.fitted.learnt.items()}


def notices(model):
    return [notice for notice in model.card["notices"] if "would take long" in notice["reason"]]


@pytest.fixture
def cores(monkeypatch):
    """cores(n): a machine with n cores, each of which can take 6,700 pixels."""
    monkeypatch.setattr(_sizes, "PIXELS_PER_CORE", PER_CORE)
    return lambda number: monkeypatch.setattr(_sizes, "usable_cpus", lambda: number)


def test_small_tables_keep_the_size_of_their_images(table):
    model = fit(table, ["photo", "scan"])
    assert sizes(model) == {"photo": (64,), "scan": (20, 40)}
    assert not notices(model)


def test_fewer_cores_give_smaller_images(table, cores):
    found = []
    for number in (1, 8, 12):
        cores(number)
        found.append(sizes(fit(table, ["photo"]))["photo"][0])
    assert found[0] == 32 < found[1] < found[2] < 64
    visits = 24  # training rows, of one epoch
    assert visits * found[1] ** 2 <= 8 * PER_CORE < visits * (found[1] + 2) ** 2


def test_a_reduced_size_is_reported_once_with_the_setting_that_changes_it(table, cores, tmp_path):
    cores(1)
    model = fit(table, ["photo", "x"], out=tmp_path)
    (notice,) = notices(model)
    assert notice["column"] == "photo"
    assert notice["reason"] == "size is 32 instead of 64: 1 epoch of 24 training rows would take long on 1 core"
    assert notice["cure"] == "--set modalities.photo.size=64"
    cores(12)  # another machine: the model keeps its size
    assert sizes(sensorium.load(tmp_path))["photo"] == (32,)
    assert sizes(fit(table, ["photo", "x"], start=tmp_path))["photo"] == (32,)


def test_the_depth_of_volumes_is_reduced_too(table, cores):
    cores(1)
    model = fit(table, ["scan"])
    assert sizes(model) == {"scan": (8, 32)}
    assert notices(model)[0]["cure"] == "--set modalities.scan.depth=20 --set modalities.scan.size=40"


@pytest.mark.parametrize("key", ["photo", "image"])
def test_a_given_size_is_kept(key, table, cores):
    cores(1)
    model = fit(table, ["photo"], config={"modalities": {key: {"size": 48}}})
    assert sizes(model) == {"photo": (48,)}
    assert not notices(model)


def test_images_are_never_enlarged(table, cores, tmp_path):
    """Images below the smallest size that is reduced stay as they are."""
    cores(1)
    for row in range(ROWS):
        Image.new("L", (20, 20), row).save(tmp_path / f"{row}.png")
    lines = [f"{row}.png,{'ab'[row % 2]}" for row in range(ROWS)]
    (tmp_path / "t.csv").write_text("\n".join(["photo,label", *lines]))
    assert sizes(fit(tmp_path / "t.csv", ["photo"])) == {"photo": (20,)}


def test_more_epochs_give_smaller_images(table, cores):
    """The number of epochs is that of the settings."""
    cores(8)
    found = [sizes(fit(table, ["photo"], epochs=epochs))["photo"][0] for epochs in (1, 2)]
    assert 32 < found[1] < found[0]
    assert 2 * 24 * found[1] ** 2 <= 8 * PER_CORE < 2 * 24 * (found[1] + 2) ** 2


def test_a_finished_run_is_found_again_on_a_machine_with_fewer_cores(table, cores, tmp_path):
    cores(8)
    first = fit(table, ["photo"], out=tmp_path)
    cores(1)
    again = fit(table, ["photo"], out=tmp_path)
    assert again.fitted.digest() == first.fitted.digest()
    assert sizes(fit(table, ["photo"], out=tmp_path, overwrite=True))["photo"] == (32,)
    with pytest.raises(sensorium.ConfigError, match=r"another run: train.epochs was 1, is 2\n"):
        fit(table, ["photo"], out=tmp_path, epochs=2)


def test_a_stopped_run_continues_with_its_sizes_on_another_machine(table, cores, tmp_path):
    class Stop(sensorium.Callback):
        def on_epoch_end(self, event):
            raise InterruptedError

    settings = {"epochs": 2, "train": {"checkpoint": 0}, "out": tmp_path}
    cores(8)
    with pytest.raises(sensorium.CallbackError):
        fit(table, ["photo"], **settings, callbacks=[Stop()])
    cores(1)
    for resume in (False, True):
        assert sizes(fit(table, ["photo"], **settings, resume=resume))["photo"][0] > 32


def test_a_comparison_continues_with_its_sizes_on_another_machine(table, cores, tmp_path):
    def compare():
        given = {"fusions": ["late"], "baselines": ["none"], "epochs": 1, "columns": ["photo", "x"]}
        return sensorium.compare(table, "label", out=tmp_path, progress=False, **given).to_json()["results"]

    cores(8)
    first = compare()
    cores(1)
    assert [row["seconds"] for row in compare()] == [row["seconds"] for row in first]
