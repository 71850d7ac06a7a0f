"""An option or a setting that is given at a wrong place: the error shows where it belongs."""

import sys

import numpy as np
import pytest
from PIL import Image

import sensorium
from sensorium.cli import _main, _options
from sensorium.config import check_options
from sensorium.errors import ConfigError, SensoriumError
from sensorium.registry import encoders, fusions, modalities

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("registry", "name", "option", "cure"),
    [
        (fusions, "gated", "heads", "heads is an option of the fusions attention, bottleneck, cross_attention"),
        (fusions, "gated", "per_featur", "did you mean 'per_feature'?"),
        (encoders, "image_cnn", "background", "the modality image: --set modalities.image.background=…"),
        (modalities, "text", "hidden", ": --set encoders.text.hidden=…"),
    ],
)
def test_an_option_of_another_member_is_said_to_be_one(registry, name, option, cure):
    with pytest.raises(ConfigError) as caught:
        check_options(registry.taker(name), {option: 4}, f"{registry.kind} {name!r}")
    assert cure in caught.value.cure


FLAGS = {
    ("--modality", "image.size=96"): "--set modalities.image.size=96",
    ("--modality", "a.b.size=96"): "--set 'modalities.\"a.b\".size=96'",
    ("--fusion", "gated.per_feature=false"): "--fusion gated --set fusion.per_feature=false",
    ("--fusion", "gated.heads=4"): "heads is an option of the fusions attention",
}


@pytest.mark.parametrize("flag", FLAGS, ids=" ".join)
def test_a_name_with_an_option_is_taken_apart(flag):
    name, value = flag
    given = {"modality": [value]} if name == "--modality" else {"fusion": value}
    with pytest.raises(ConfigError) as caught:
        _options.settings(None, None, **given)
    assert FLAGS[flag] in caught.value.cure


def test_a_column_with_a_dot_keeps_its_modality():
    settings = _options.settings(None, None, modality=["clip.size=category", "a=number"])
    assert settings == {"modalities": {"clip.size": "category", "a": "number"}}


SETTINGS = {
    ("--batch-size", "3"): "--set train.batch_size=3",
    ("--learning-rate=0.1",): "--set train.learning_rate=0.1",
    ("--head", "cosine"): "--set head=cosine",
    ("--encoder", "size=96"): "--set encoders.COLUMN.size=96",
    ("--encoder", "plot=bilstm"): "--set encoders.plot=bilstm",
    ("--encoder", "bilstm"): "--set encoders.COLUMN=bilstm",
    ("--encoder", "minilm"): "--set encoders.COLUMN=minilm",
    ("--encoder", "plot"): "--set encoders.plot=NAME",
    ("--encoder", "bilstm.hidden=4"): "--set encoders.COLUMN=bilstm --set encoders.COLUMN.hidden=4",
    ("--modalities", "category"): "--set modalities.COLUMN=category",
    ("--modalities", "age=category"): "--set modalities.age=category",
}


@pytest.mark.parametrize("flags", SETTINGS, ids=" ".join)
def test_a_flag_that_is_a_setting_is_named(flags, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["sensorium", "fit", "no such table.csv", "--target", "y", *flags])
    with pytest.raises(SystemExit) as stopped:
        _main.main()
    assert stopped.value.code == 1
    assert f"cure: {SETTINGS[flags]}\n" in capsys.readouterr().err


def test_absolute_paths_get_one_correct_piece_of_advice(tmp_path):
    table, images = tmp_path / "table", tmp_path / "images"
    table.mkdir()
    images.mkdir()
    lines = ["image,x,y"]
    for row in range(24):
        Image.fromarray(np.full((8, 8, 3), row * 9, np.uint8)).save(images / f"{row}.png")
        lines.append(f"{images / f'{row}.png'},{row % 5},{'ab'[row % 2]}")
    (table / "t.csv").write_text("\n".join(lines))
    allow = "--set table.allow_outside=true"
    found = sensorium.inspect(table / "t.csv", "y")
    assert allow in found.columns[0].caution and "not found" not in found.columns[0].caution
    with pytest.raises(SensoriumError) as caught:
        sensorium.fit(table / "t.csv", "y", progress=False)
    assert caught.value.cure.startswith(allow) and allow not in caught.value.finding
    allowed = sensorium.inspect(table / "t.csv", "y", config={"table": {"allow_outside": True}})
    assert allowed.columns[0].undecodable == 0 and not allowed.columns[0].caution
