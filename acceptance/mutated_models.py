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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import numpy as safe_numpy
from safetensors import torch as safe_torch

import sensorium
from acceptance._model_changes import (
    ARRAYS,
    JSON,
    MANIFEST,
    WEIGHTS,
    Files,
    Options,
    ask_for,
    change_bytes,
    change_json,
    change_tensors,
    change_text,
)
from sensorium.config import Config
from sensorium.errors import SensoriumError
from sensorium.model import EstimatorMember, NetworkMember
from sensorium.planning import plan_and_prepare
from sensorium.predictor import Model
from sensorium.runtime.progress import Silent
from sensorium.table import open_table
from sensorium.testing import make_pretrained, make_table
from sensorium.trials import TrialSpec, run_trial

CASES = 100_000
CONTROL = 500  # every so many cases the model is left as it is, and has to answer as before
MOST_BYTES, MOST_SECONDS, HANG = 2 * 2**30, 10.0, 60
ROOM = 16 * 2**30  # of addresses: what asks for more fails at once instead of taking the machine along

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
    "blend": (("number", "category", "text", "image"), "label", {}),
    "bytes": (("vector", "number"), "label", {"width": 160}),
    "pretrained_text": (("text",), "label", {"pretrained": "text"}),
    "pretrained_image": (("image",), "label", {"pretrained": "image"}),
    "pretrained_audio": (("audio",), "label", {"pretrained": "audio"}),
    "pretrained_series": (("series",), "label", {"pretrained": "series", "tune": "lora"}),
}


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
    if control and fault is None and not np.array_equal(found, base.answers):
        fault = "left as it is, it is refused" if found is None else f"left as it is, it answers {found!r}"
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
    if kind == "blend":
        return blended(model, table, target)
    if kind == "ensemble":
        first = model.fitted
        other = NetworkMember(first.blueprint, copy.deepcopy(first.network), 0.5)
        return Model(dataclasses.replace(first, members=[*first.members, other], member_weights=[0.3, 0.7]))
    return model


def blended(model: Model, table: Path, target: str) -> Model:
    """The model, blended with classical models of the same rows."""
    settings = Config.gather(model.fitted.config.model_dump(mode="json"), {"target": target})
    data = plan_and_prepare(open_table(table), settings, Silent())
    towers = {tower.name: list(tower.columns) for tower in data.plan.blueprint.towers}
    others = []
    for kind in ("linear", "trees"):
        estimator = run_trial(data, TrialSpec(kind, baseline=kind)).estimator
        assert estimator is not None
        others.append(EstimatorMember(kind, estimator, towers))
    members = [*model.fitted.members, *others]
    return Model(dataclasses.replace(model.fitted, members=members, member_weights=[0.5, 0.2, 0.3]))


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
    return {"format": "sensorium.model", "version": 4, "sensorium": sensorium.__version__, "files": entries}


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
