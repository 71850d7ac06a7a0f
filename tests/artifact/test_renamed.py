"""Models that were saved under old names load, predict what they predicted, and are saved under the names of today."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import sensorium
from sensorium.config import Config, current_settings

FORMATS = Path(__file__).parent / "formats"


def numbers(_):
    """The rows that the model was fitted on and scored."""
    random = np.random.default_rng(0)
    y = random.integers(0, 2, 60)
    return {
        "code": [f"c{c}" for c in y],
        "size": (y + random.normal(size=60)).round(3).tolist(),
        "vector": (np.eye(2)[y] + random.normal(size=(60, 2))).round(3).tolist(),
        "label": [f"k{k}" for k in y],
    }


def pictures(folder):
    random = np.random.default_rng(1)
    y = random.integers(0, 2, 40)
    for row, label in enumerate(y):
        pixels = (random.integers(0, 100, (8, 6, 3)) + 120 * label).astype("uint8")
        Image.fromarray(pixels).save(folder / f"{row}.png")
    size = (y + random.normal(size=40)).round(3).tolist()
    return {"photo": [f"{row}.png" for row in range(40)], "size": size, "label": [f"k{k}" for k in y]}


ROWS = {"renamed_mixture": numbers, "renamed_dynamic": pictures}


def loaded(name):
    return sensorium.load(FORMATS / f"{name}.zip")


@pytest.mark.parametrize("name", ROWS)
def test_an_old_model_predicts_the_same(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    expected = json.loads((FORMATS / f"{name}.json").read_text())["predict_proba"]
    found = loaded(name).predict_proba(ROWS[name](tmp_path))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


def test_names_in_an_old_model_are_those_of_today(tmp_path):
    loaded("renamed_mixture").save(tmp_path / "m")
    saved = json.loads((tmp_path / "m" / "model.json").read_text())
    assert (saved["members"][0]["network"]["fusion"], saved["members"][0]["network"]["fusion_options"]) == (
        "mixture_of_experts",
        {"experts": 2, "active": 1},
    )
    config = saved["config"]
    assert config["fusion"] == {"name": "mixture_of_experts", "experts": 2, "active": 1}
    assert config["train"]["imbalance"] == "always" and "balance" not in config["train"]
    assert config["train"]["few_labels"] == "none" and "preset" not in config["train"]
    assert config["train"]["techniques"] == {
        "modality_imbalance": {"every": 2, "rows": 20},
        "masked": {"stop_gradient": True, "width": 8},
        "label_smoothing": {"smoothing": 0.2},
        "auxiliary": {},
    }
    assert config["augment"]["size"] == {"noise": {"probability": 0.5, "std": 0.2}, "swap": {"probability": 0.2}}
    assert config["modalities"]["code"] == {"name": "category", "max_categories": 9}
    assert saved["caller_settings"] == ["prepare.max_gigabytes", "table.query_timeout"]
    card = saved["card"]
    assert [result["name"] for result in card["imbalance"]["results"]][-1] == "unimodal_pretraining"
    assert "modality_imbalance" in card["history"]["techniques"] and "balance" not in card


def test_options_of_an_old_modality_and_encoder_are_those_of_today(tmp_path):
    loaded("renamed_dynamic").save(tmp_path / "m")
    saved = json.loads((tmp_path / "m" / "model.json").read_text())
    network = saved["members"][0]["network"]
    assert network["fusion"] == saved["config"]["fusion"]["name"] == "dynamic_routing"
    assert {"filters": [2], "downsample": "stride"} in [tower["options"] for tower in network["towers"]]
    assert saved["config"]["encoders"]["photo"] == {"name": "image_cnn", "filters": [2], "downsample": "stride"}
    assert saved["config"]["modalities"]["photo"] == {"name": "image", "size": 8, "fit": "pad", "background": 7}
    assert saved["config"]["augment"]["photo"] == {
        "crop": {"min_scale": 0.9},
        "erase": {"max_area": 0.1},
        "shift": {"max_shift": 0.1},
    }


def test_an_old_model_is_continued(tmp_path):
    rows = numbers(tmp_path)
    found = sensorium.fit(rows, "label", start=FORMATS / "renamed_mixture.zip", train={"epochs": 1}, progress=False)
    assert found.fusion == "mixture_of_experts"


def test_settings_without_a_name_take_it_from_the_column_and_the_tower():
    old = {
        "modalities": {"clip": {"rate": 8000}, "video": {"rate": 5.0}, "other": {"rate": 1}},
        "encoders": {"voice": {"rate": 0.1, "decay": 0.5}, "note": {"name": "pretrained_text", "rate": 0.1}},
        "train": {"unfreeze": {"rate": 0.1}, "pretrain": {"techniques": {"masked": {"stop": True}}}},
    }
    found = current_settings(old, {"clip": "audio", "note": "text"}, {"voice": "voice_ge2e"})
    assert found == {
        "modalities": {"clip": {"sample_rate": 8000}, "video": {"fps": 5.0}, "other": {"rate": 1}},
        "encoders": {
            "voice": {"learning_rate_scale": 0.1, "layer_decay": 0.5},
            "note": {"name": "pretrained_text", "learning_rate_scale": 0.1},
        },
        "train": {
            "unfreeze": {"learning_rate_scale": 0.1},
            "pretrain": {"techniques": {"masked": {"stop_gradient": True}}},
        },
    }
    assert Config.model_validate(found).train.unfreeze


@pytest.mark.parametrize(
    "broken", [{"train": 3}, {"fusion": ["mixture"]}, {"augment": {"x": 1}}, {"encoders": {"x": None}}]
)
def test_settings_of_another_shape_stay_as_they_are(broken):
    assert current_settings(broken, {}, {}) == broken
