"""Modules of the user that cannot be copied or pickled are errors that name them, before the table is read."""

import threading

import numpy as np
import pytest
import torch
from torch import nn

import sensorium
from sensorium.errors import ConfigError
from sensorium.fusion import BaseFusion, stack
from sensorium.testing.contents import WORDS

MISSING = "no such table.csv"


class Holds(nn.Module):
    """An encoder with an attribute."""

    def __init__(self, held):
        super().__init__()
        self.words = nn.EmbeddingBag(40_000, 8)
        self.held = held

    def forward(self, tokens):
        return self.words(tokens)


class OnlyHere:
    """It can be copied, but not pickled."""

    def __deepcopy__(self, memo):
        return self

    def __reduce__(self):
        raise TypeError("a handle of this process")


def history():
    """A tensor that was computed from a parameter."""
    return nn.Parameter(torch.ones(1)) * 2


@pytest.mark.parametrize("train", [sensorium.fit, sensorium.compare])
@pytest.mark.parametrize(
    ("make", "reason"), [(threading.Lock, "lock"), (lambda: (i for i in "ab"), "generator"), (history, "deepcopy")]
)
def test_a_module_that_cannot_be_copied_is_named(make, reason, train):
    with pytest.raises(ConfigError, match=f"the module Holds cannot be copied: .*{reason}") as caught:
        train(MISSING, "y", encoders={"note": Holds(make())}, progress=False)
    assert caught.value.place == "encoders.note" and "forward" in caught.value.cure


class Words(nn.Module):
    """An encoder that returns the embeddings of its tokens."""

    def __init__(self, **layers):
        super().__init__()
        self.embed = nn.Embedding(10_000, 4)
        for name, layer in layers.items():
            setattr(self, name, layer)

    def forward(self, ids):
        return self.embed(ids)


class Tied(Words):
    """The output layer has the weights of the embedding, which the input layer has as well."""

    def __init__(self):
        super().__init__(out=nn.Linear(4, 10_000, bias=False))
        self.out.weight = self.embed.weight

    def forward(self, ids):
        return self.embed(ids) + self.out(self.embed(ids)).mean(-1, keepdim=True)


def notes(rows=40):
    random = np.random.default_rng(0)
    texts = [[" ".join(random.choice(WORDS, 6)) for _ in range(rows)] for _ in range(2)]
    return {"note": texts[0], "title": texts[1], "y": ["a", "b"] * (rows // 2)}


FAST = {"modalities": {"note": "text", "title": "text"}, "epochs": 1, "progress": False}


def test_a_module_with_tied_weights_is_saved_and_stays_tied(tmp_path):
    table = notes()
    model = sensorium.fit(table, "y", encoders={"note": Tied()}, out=tmp_path / "run", **FAST)
    model.save(tmp_path / "tied.zip")
    for path in (tmp_path / "run", tmp_path / "tied.zip"):
        again = sensorium.load(path, encoders={"note": Tied()})
        assert (again.predict_proba(table) == model.predict_proba(table)).all()
        mine = next(part for part in again.fitted.network.modules() if isinstance(part, Tied))
        assert mine.out.weight is mine.embed.weight
    more = sensorium.fit(table, "y", start=tmp_path / "run", encoders={"note": Tied()}, **FAST)
    assert not (more.predict_proba(table) == model.predict_proba(table)).all()


class Mean(BaseFusion):
    """Project the mean of all tokens."""

    def __init__(self, widths, width):
        super().__init__(widths, width)
        self.project = nn.Linear(width, width)

    def forward(self, tokens, present):
        return self.project(stack(tokens).mean(1))


class Scaled(Mean):
    """Its constructor needs the value of a tensor."""

    def __init__(self, widths, width):
        super().__init__(widths, width)
        self.scale = torch.log(torch.tensor(float(width))).item()


class Narrow(Scaled):
    """Has other weights."""

    def __init__(self, widths, width):
        super().__init__(widths, width)
        self.project = nn.Linear(width, width, bias=False)


def test_a_fusion_whose_constructor_needs_values_is_saved_and_loaded(tmp_path):
    table = notes()
    model = sensorium.fit(table, "y", fusion=Scaled, out=tmp_path / "run", **FAST)
    again = sensorium.load(tmp_path / "run", fusion=Scaled)
    assert (again.predict_proba(table) == model.predict_proba(table)).all()
    with pytest.raises(sensorium.ArtifactError, match="does not fit its weights"):
        sensorium.load(tmp_path / "run", fusion=Narrow)


def test_one_module_for_two_towers_is_saved_and_loaded(tmp_path):
    table, shared = notes(), Words()
    modules = {"note": shared, "title": shared}
    model = sensorium.fit(table, "y", encoders=modules, out=tmp_path / "run", **FAST)
    for modules in ({"note": shared, "title": shared}, {"note": Words(), "title": Words()}):
        before = shared.embed.weight.clone()
        again = sensorium.load(tmp_path / "run", encoders=modules)
        assert (again.predict_proba(table) == model.predict_proba(table)).all()
        assert torch.equal(shared.embed.weight, before), "a copy is used"


def test_modules_that_share_weights_which_differ_in_the_model_are_refused(tmp_path):
    shared = Words()
    sensorium.fit(notes(), "y", encoders={"note": Words(), "title": Words()}, **FAST).save(tmp_path / "model")
    with pytest.raises(ConfigError, match=r"ties the weights 'towers"):
        sensorium.load(tmp_path / "model", encoders={"note": shared, "title": shared})


def test_a_lazy_layer_that_is_never_run_is_named_before_cells_are_decoded():
    with pytest.raises(ConfigError, match=r"the weight 'later.weight' of the module Words is not init") as caught:
        sensorium.fit(notes(), "y", encoders={"note": Words(later=nn.LazyLinear(8))}, **FAST)
    assert caught.value.place == "encoders.note" and "run the layer once" in caught.value.cure


def test_a_weight_on_the_device_meta_is_named():
    module = Words(later=nn.Linear(2, 2, device="meta"))
    with pytest.raises(ConfigError, match=r"the weight 'later.weight' of the module Words has no values") as caught:
        sensorium.fit(MISSING, "y", encoders={"note": module}, progress=False)
    assert caught.value.place == "encoders.note" and "to_empty" in caught.value.cure
    with pytest.raises(ConfigError, match="has no values"):
        sensorium.load(MISSING, encoders={"note": module})


def test_all_modules_that_cannot_be_copied_are_listed():
    modules = {name: Holds(threading.Lock()) for name in ("note", "title")}
    with pytest.raises(ConfigError) as caught:
        sensorium.fit(MISSING, "y", encoders=modules, progress=False)
    assert [fault.place for fault in caught.value.faults] == ["encoders.note", "encoders.title"]


def test_a_module_that_cannot_be_pickled_is_named_if_there_are_workers():
    modules = {"note": Holds(OnlyHere())}
    with pytest.raises(ConfigError, match=r"Holds cannot be handed to worker processes: .*handle of this") as caught:
        sensorium.compare(MISSING, "y", encoders=modules, workers=2, progress=False)
    assert caught.value.place == "encoders.note" and caught.value.cure.startswith("set workers=1")
    with pytest.raises(sensorium.TableError):
        sensorium.compare(MISSING, "y", encoders=modules, progress=False)


def mean_fusion(widths, width):
    """Make a fusion, with weights that are drawn."""
    return Mean(widths, width)


@pytest.mark.parametrize(
    "own",
    [{"fusion": Mean}, {"fusion": mean_fusion}, {"encoders": {"note": Words}}, {"encoders": {"note": lambda: Words()}}],
    ids=["class", "function", "encoder class", "encoder function"],
)
def test_random_generator_of_the_caller_stays_as_it_is(own):
    table = notes()
    torch.manual_seed(0)
    before = torch.get_rng_state()
    sensorium.fit(table, "y", epochs=1, width=8, modalities={"note": "text"}, progress=False, **own)
    assert torch.equal(torch.get_rng_state(), before)
