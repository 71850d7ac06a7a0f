"""Modules of the user's own as encoders: what they are given, and what they may return."""

import pytest
import torch
from torch import nn

import sensorium
from sensorium.batch import Cells
from sensorium.encoders.module import Module
from sensorium.errors import ArtifactError, ConfigError
from sensorium.registry.failures import MemberError

IMAGE = {"size": 8, "channels": 3}
TEXT = {"vocabulary": 12}
AUDIO = {"mels": 5}


class Sees(nn.Module):
    """Keeps what it was given; answers with a function of it."""

    def __init__(self, answer):
        super().__init__()
        self.answer, self.given = answer, None

    def forward(self, values):
        self.given = values
        return self.answer(values)


def pictures(rows=2):
    pixels = torch.arange(rows * 8 * 8 * 3).remainder(256).reshape(rows, 8, 8, 3).to(torch.uint8)
    return Cells(pixels, torch.ones(rows, dtype=torch.bool))


def texts(dtype=torch.int32):
    mask = torch.tensor([[True] * 6, [True] * 2 + [False] * 4])
    return Cells(torch.arange(1, 13).reshape(2, 6).to(dtype) * mask, torch.ones(2, dtype=torch.bool), mask)


def test_pictures_come_channels_first_from_minus_one_to_one():
    sees = Sees(lambda pixels: pixels.mean((2, 3)))
    found = Module(sees, IMAGE)(pictures())
    expected = pictures().values.permute(0, 3, 1, 2) / 127.5 - 1
    assert torch.allclose(sees.given, expected, atol=1e-6)
    assert torch.allclose(found.pooled(), expected.mean((2, 3)), atol=1e-6)


def test_text_comes_as_int64_ids():
    sees = Sees(lambda ids: ids[:, :1].float())
    Module(sees, TEXT)(texts())
    assert sees.given.dtype == torch.int64
    assert sees.given.tolist() == texts().values.tolist()


def test_sound_comes_as_frames():
    frames = torch.randn(2, 20, 5)
    mask = torch.ones(2, 20, dtype=torch.bool)
    sees = Sees(lambda values: values.mean(1))
    Module(sees, AUDIO)(Cells(frames, torch.ones(2, dtype=torch.bool), mask))
    assert torch.equal(sees.given, frames)


def test_a_sequence_as_long_as_the_text_keeps_its_mask():
    torch.manual_seed(0)
    encoder = Module(nn.Embedding(12, 4), TEXT)
    found = encoder(Cells(texts().values.clamp(max=11), texts().present, texts().mask))
    assert found.values.shape == (2, 6, 4)
    assert torch.equal(found.mask, texts().mask)
    assert torch.allclose(found.pooled()[1], found.values[1, :2].mean(0))


def test_a_sequence_of_another_length_is_all_real():
    encoder = Module(Sees(lambda ids: ids[:, ::2, None].float()), TEXT)
    found = encoder(texts())
    assert found.values.shape == (2, 3, 1)
    assert found.mask.all()


def test_a_map_becomes_a_token_for_each_place():
    torch.manual_seed(0)
    convolution = nn.Conv2d(3, 6, 3, stride=2)
    found = Module(convolution, IMAGE)(pictures())
    maps = convolution(pictures().values.permute(0, 3, 1, 2) / 127.5 - 1)
    assert torch.allclose(found.values, maps.flatten(2).transpose(1, 2), atol=1e-5)
    assert torch.allclose(found.pooled(), maps.mean((2, 3)), atol=1e-5)


@pytest.mark.parametrize("width", [1, 7])
def test_the_width_is_read_off_a_lazy_module(width):
    assert Module(nn.Sequential(nn.Flatten(), nn.LazyLinear(width)), IMAGE).width == width


def test_finding_the_width_leaves_the_module_as_it_was():
    module = nn.Sequential(nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(192, 4), nn.Dropout())
    before = {name: value.clone() for name, value in module.state_dict().items()}
    Module(module, IMAGE)
    assert module.training
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda pixels: pixels.flatten(), "float32[384]"),
        (lambda pixels: (pixels, pixels), "tuple"),
        (lambda pixels: pixels[None], "float32[1, 2, 3, 8, 8]"),
    ],
)
def test_what_is_no_tensor_of_the_right_form_is_told(answer, words):
    with pytest.raises(ConfigError) as caught:
        Module(Sees(answer), IMAGE)
    assert words in caught.value.finding
    assert "(b, d)" in caught.value.rule


@pytest.fixture(scope="module")
def keras():
    import keras  # takes seconds

    return keras


def keras_model(keras, flat):
    pixels = keras.Input((8, 8, 3))
    maps = keras.layers.Conv2D(5, 3, strides=2)(pixels)
    return keras.Model(pixels, keras.layers.GlobalAveragePooling2D()(maps) if flat else maps)


@torch.no_grad()
def test_keras_gets_channels_last_and_its_maps_are_read_so(keras):
    keras.utils.set_random_seed(0)
    model = keras_model(keras, flat=False)
    found = Module(model, IMAGE).eval()(pictures())
    maps = model(pictures().values / 127.5 - 1)  # (b, h, w, d)
    assert found.values.shape == (2, 9, 5)
    assert torch.allclose(found.values, maps.flatten(1, 2), atol=1e-5)
    assert torch.allclose(found.pooled(), maps.mean((1, 2)), atol=1e-5)


@torch.no_grad()
def test_weights_of_a_keras_model_fit_another_of_the_same_form(keras):
    keras.utils.set_random_seed(0)
    first, second = Module(keras_model(keras, flat=True), IMAGE), Module(keras_model(keras, flat=True), IMAGE)
    assert not torch.equal(first(pictures()).pooled(), second(pictures()).pooled())
    second.load_state_dict(first.state_dict())
    assert torch.equal(first(pictures()).pooled(), second(pictures()).pooled())


class Words(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(10_000, 8)

    def forward(self, ids):
        return self.embed(ids)


def test_a_module_is_trained_saved_and_asked_for_when_loading(tabular, tmp_path):
    torch.manual_seed(0)
    mine = Words()
    before = mine.embed.weight.detach().clone()
    model = sensorium.fit(tabular, "label", encoders={"text": mine}, epochs=2, progress=False, out=tmp_path / "run")
    assert torch.equal(mine.embed.weight, before), "a copy is trained"
    weights = [value for name, value in model.fitted.network.state_dict().items() if name.endswith("embed.weight")]
    assert any(w.shape == before.shape and not torch.equal(w, before) for w in weights)
    again = sensorium.load(tmp_path / "run", encoders={"text": Words()})
    assert (again.predict_proba(tabular) == model.predict_proba(tabular)).all()
    with pytest.raises((ConfigError, ArtifactError), match="your own module"):
        sensorium.load(tmp_path / "run")


def test_a_width_that_depends_on_the_length_of_the_cells_is_an_error_that_names_the_module():
    """The sample has 8 ids, the texts have 6."""
    module = Module(Sees(lambda ids: ids.float()), TEXT)
    with pytest.raises(
        MemberError, match=r"encoder 'Sees' failed in forward.*the width depends on the number of steps"
    ):
        module(texts())


def test_integers_are_no_tokens():
    with pytest.raises(MemberError, match=r"encoder 'Identity' failed in forward.*instead of floating-point numbers"):
        Module(nn.Identity(), TEXT)
