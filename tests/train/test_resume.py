"""A run that was killed and taken up again is, bit for bit, the run that was never killed."""

import errno
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from itertools import product

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from typer.testing import CliRunner

import sensorium
from sensorium.cli import _main
from sensorium.errors import ConfigError, TrainingError
from sensorium.model import features
from sensorium.train import Interrupted, checkpoint, tree
from sensorium.trials import _trial
from tiers import spread

CLOCK = {"seconds", "rows_per_second"}


class Cut(Exception):
    """What stops a run in the middle."""


def digest(value):
    """Of all that a checkpoint holds, less what a clock told."""
    found = hashlib.sha256()
    _digest(value, found)
    return found.hexdigest()


def _digest(value, found):
    if isinstance(value, torch.Tensor):
        found.update(f"{value.dtype}{tuple(value.shape)}".encode())
        if value.numel():  # the bytes of an empty tensor cannot be viewed
            found.update(value.detach().contiguous().view(-1).view(torch.uint8).numpy().tobytes())
    elif isinstance(value, dict):
        for key in sorted(set(value) - CLOCK):
            found.update(key.encode())
            _digest(value[key], found)
    elif isinstance(value, list | tuple):
        found.update(f"[{len(value)}]".encode())
        for part in value:
            _digest(part, found)
    else:
        found.update(repr(value).encode())


@pytest.fixture
def kept(monkeypatch):
    """Digests of the checkpoints as they are written; `kept.cut` says after which one the run stops."""

    class Kept(list):
        cut = None

    kept, write = Kept(), checkpoint.write_tree

    def watched(path, about, content):
        write(path, about, content)
        kept.append(digest(content))
        assert digest(tree.read_tree(path)) == kept[-1]
        if len(kept) == kept.cut:
            raise Cut

    monkeypatch.setattr(checkpoint, "write_tree", watched)
    return kept


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Pictures, of which two are broken, numbers and words; four targets; rows without a label."""
    folder, random = tmp_path_factory.mktemp("resume"), np.random.default_rng(0)
    columns = {name: [] for name in ("picture", "x", "words", "kind", "amount", "grade", "visits")}
    for row in range(64):
        label = row % 3
        pixels = random.integers(0, 120, (12, 12, 3)) + 60 * label
        Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{row}.png")
        if row in (3, 40):
            (folder / f"{row}.png").write_text("no picture")
        columns["picture"].append(f"{row}.png")
        columns["x"].append(None if row % 9 == 4 else float(random.normal() + label))
        columns["words"].append(" ".join(random.choice(["red", "green", "blue", "grey"], 1 + row % 5)))
        columns["kind"].append(None if row % 16 == 7 else "abc"[label])
        columns["amount"].append(float(label + random.normal()))
        columns["grade"].append(label + 1)
        columns["visits"].append(2 * label + row % 2)
    rows = [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]
    path = folder / "table.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


TRAIN = {"epochs": 3, "batch_size": 20, "checkpoint": 0}
CASES = {
    "everything": {
        "target": "kind",
        "augment": {"picture": ["shift", "flip"], "words": ["token_dropout"]},
        "train": {
            "mixup": 0.4,
            "accumulate": 2,
            "soup": 2,
            "techniques": ["auxiliary", "label_smoothing", "ogm_ge", "ranking"],
        },
    },
    "several": {"target": ["kind", "amount"], "train": {"techniques": ["uncertainty"], "optimizer": "sgd"}},
    "stopped early": {"target": "kind", "train": {"patience": 1, "epochs": 9, "learning_rate": 0.05}},
    "stopped at a perfect metric": {
        "target": "kind",
        "columns": ["picture"],
        "split": {"validation": 0.4},
        "train": {"epochs": 30, "batch_size": 16, "learning_rate": 0.02, "few_labels": "none"},
    },
    "low precision": {
        "target": "kind",
        "columns": ["picture", "x"],  # not every CPU has an LSTM in bfloat16
        "train": {"precision": "bfloat16", "optimizer": "adam"},
    },
    "no validation": {"target": "kind", "split": {"validation": 0}, "columns": ["x"]},
    "pre-trained": {
        "target": "kind",
        "columns": ["x", "words"],
        "train": {"pretrain": {"techniques": ["masked", "contrastive"], "epochs": 2}},
    },
    "streamed": {"target": "kind", "prepare": {"stream": True}},
    "ordinal": {"target": "grade", "task": "ordinal", "columns": ["x"]},
    "count": {"target": "visits", "task": "count", "columns": ["x"], "train": {"techniques": ["mean_teacher"]}},
}


STOPPED = {"stopped early": "patience", "stopped at a perfect metric": "perfect"}


def fit(table, case, out, resume=False):
    settings = {"width": 16, **CASES[case]}
    settings["train"] = TRAIN | settings.get("train", {})
    target = settings.pop("target")
    dropped = {"config": {"prepare": settings.pop("prepare", {})}}
    settings.setdefault("columns", ["picture", "x", "words"])
    encoders = {"picture": {"name": "image_cnn", "filters": [4, 8]}, "words": {"name": "bilstm", "hidden": 8}}
    settings["encoders"] = {name: value for name, value in encoders.items() if name in settings["columns"]}
    again = {"resume": resume, "overwrite": not resume}
    return sensorium.fit(table, target, out=out, progress=False, **again, **dropped, **settings)


def outcome(model, out):
    """All that is left of a run, less what a clock told."""
    history = json.loads((out / "history.json").read_text())
    weights = (out / "model" / "weights.safetensors").read_bytes()
    metrics, problems = ((out / name).read_text() for name in ("metrics.json", "problems.jsonl"))
    return digest(model.fitted.network.state_dict()), weights, digest(history), metrics, problems


def cut_and_resume(table, case, out, kept, cuts):
    """Every checkpoint that is written after a cut is that of the whole run: weights, optimiser, chance, place."""
    whole = outcome(fit(table, case, out), out)
    stopped = json.loads((out / "history.json").read_text()).get("stopped")
    assert (stopped and stopped["reason"]) == STOPPED.get(case)
    all_kept = list(kept)
    assert len(set(all_kept)) == len(all_kept) > 6
    for cut in cuts or range(1, len(all_kept) + 1):
        kept.clear()
        kept.cut = cut
        with pytest.raises(Cut):
            fit(table, case, out)
        kept.cut = None
        assert list(kept) == all_kept[:cut]
        kept.clear()
        assert outcome(fit(table, case, out, resume=True), out) == whole
        assert list(kept) == all_kept[cut:]
        assert not (out / "checkpoint.safetensors").exists()


@pytest.mark.parametrize("case", ["everything", "streamed", "stopped at a perfect metric", "ordinal", "count"])
def test_a_run_cut_in_an_epoch_ends_as_if_it_had_not_been(case, table, tmp_path, kept):
    cut_and_resume(table, case, tmp_path, kept, [5])


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_a_run_cut_after_any_step_ends_as_if_it_had_not_been(case, table, tmp_path, kept):
    cut_and_resume(table, case, tmp_path, kept, None)


def call(*arguments):
    """A command in this process."""
    return CliRunner().invoke(_main.make_app(), arguments)


def command(table, out, *more):
    settings = ["--set", "train.checkpoint=0", "--set", "train.batch_size=8", "--set", "width=16"]
    columns = ["--columns", "x,words", "--set", "encoders.words={name: bilstm, hidden: 8}"]
    return ["fit", str(table), "--target", "kind", "--epochs", "3", "--out", str(out), *columns, *settings, *more]


KILLED = """
import os, signal, sys
from sensorium.cli._main import main
from sensorium.train import tree
place, count = sys.argv.pop(1), int(sys.argv.pop(1))
replace, seen = tree.Path.replace, []
def killed(self, *to):
    if self.name.startswith(".checkpoint.safetensors.sensorium-new"):
        seen.append(self)
        if place == "before" and len(seen) == count:
            os.kill(os.getpid(), signal.SIGKILL)
    done = replace(self, *to)
    if place == "after" and len(seen) == count:
        os.kill(os.getpid(), signal.SIGKILL)
    return done
tree.Path.replace = killed
main()
"""


def kill_and_resume(table, folder, place, count):
    """SIGKILL before or after a checkpoint takes its place; the same command then goes on."""
    whole, out = folder / "whole", folder / "killed"
    assert call(*command(table, whole)).exit_code == 0
    script = [sys.executable, "-c", KILLED, place, str(count), *command(table, out)]
    assert subprocess.run(script, capture_output=True).returncode == -signal.SIGKILL
    said = call(*command(table, out, "--resume")).stderr
    assert f"resumed {'in' if count < 7 else 'after'} epoch 1 of 3" in said
    left, expected = ((run / "model" / "weights.safetensors").read_bytes() for run in (out, whole))
    assert left == expected
    assert sorted(entry.name for entry in out.iterdir()) == sorted(entry.name for entry in whole.iterdir())


@pytest.mark.slow
def test_a_killed_process_is_taken_up_by_another(table, tmp_path):
    kill_and_resume(table, tmp_path, "after", 4)


@pytest.mark.slow
@pytest.mark.parametrize(("place", "count"), [("before", 4), ("after", 1), ("after", 7), ("before", 8)])
def test_a_kill_at_any_moment_costs_what_was_done_since_the_last_checkpoint(place, count, table, tmp_path):
    kill_and_resume(table, tmp_path, place, count)


@pytest.fixture
def usual_signals():
    """A shell's background job, such as a run of the tests, is started with SIGINT ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("usual_signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_a_checkpoint_and_says_how_to_go_on(number, table, tmp_path, monkeypatch):
    """The signal comes in the middle of a step."""
    whole, step, calls = fit(table, "no validation", tmp_path / "whole"), torch.optim.AdamW.step, []

    def interrupted(self, *arguments):
        calls.append(1)
        if len(calls) == 4:
            os.kill(os.getpid(), number)
        return step(self, *arguments)

    handlers = [signal.getsignal(which) for which in (signal.SIGINT, signal.SIGTERM)]
    with monkeypatch.context() as patch:
        patch.setattr(torch.optim.AdamW, "step", interrupted)
        with pytest.raises(Interrupted, match=r"stopped in epoch 2 of 3, after 1 batches; .*checkpoint") as caught:
            fit(table, "no validation", tmp_path / "run")
    assert isinstance(caught.value, KeyboardInterrupt) and caught.value.signal == number
    assert len(calls) == 4
    assert [signal.getsignal(which) for which in (signal.SIGINT, signal.SIGTERM)] == handlers
    again = fit(table, "no validation", tmp_path / "run", resume=True)
    assert digest(again.fitted.network.state_dict()) == digest(whole.fitted.network.state_dict())


@pytest.mark.usefixtures("usual_signals")
def test_a_second_signal_acts_at_once(table, tmp_path, monkeypatch):
    def interrupted(self, *arguments):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        raise AssertionError("not reached")

    monkeypatch.setattr(torch.optim.AdamW, "step", interrupted)
    with pytest.raises(KeyboardInterrupt) as caught:
        fit(table, "no validation", tmp_path)
    assert not isinstance(caught.value, Interrupted)


def stop(table, out, kept, case="no validation"):
    """Leave an unfinished run."""
    kept.cut = 2
    with pytest.raises(Cut):
        fit(table, case, out)
    kept.cut = None


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"train": {"learning_rate": 0.01}}, "train.learning_rate was 0.002, is 0.01"),
        ({"seed": 3, "width": 8}, "seed was 0, is 3; width was 16, is 8"),
        ({"columns": ["x", "words"]}, r'columns was \["x"\], is \["x", "words"\]'),
    ],
)
def test_a_run_with_other_settings_is_not_resumed(changed, message, table, tmp_path, kept, monkeypatch):
    stop(table, tmp_path, kept)
    case = CASES["no validation"]
    monkeypatch.setitem(CASES, "other", {**case, **changed})
    with pytest.raises(TrainingError, match=message):
        fit(table, "other", tmp_path, resume=True)


def test_a_run_with_another_table_is_not_resumed(table, tmp_path, kept):
    stop(table, tmp_path, kept)
    other = table.with_name("other.jsonl")
    other.write_text(table.read_text().replace('"x": null', '"x": 1.5', 1))
    with pytest.raises(TrainingError, match=r"the content of column 'x' changed(.|\n)*cure: use the same ones"):
        fit(other, "no validation", tmp_path, resume=True)


def test_how_often_checkpoints_are_written_may_change(table, tmp_path, kept, monkeypatch):
    stop(table, tmp_path, kept)
    case = CASES["no validation"]
    monkeypatch.setitem(CASES, "seldom", {**case, "train": {"checkpoint": 1e6}})
    monkeypatch.setitem(CASES, "never", {**case, "train": {"checkpoint": None}})
    kept.clear()
    fit(table, "seldom", tmp_path / "seldom")
    assert len(kept) <= 3  # at the end of epochs alone
    kept.clear()
    fit(table, "never", tmp_path / "never")
    assert not kept
    never = fit(table, "never", tmp_path, resume=True)
    assert not kept
    assert digest(never.fitted.network.state_dict()) == digest(
        fit(table, "no validation", tmp_path / "whole").fitted.network.state_dict()
    )


def test_with_nothing_to_resume_training_starts_afresh_and_says_so(table, tmp_path):
    result = call(*command(table, tmp_path, "--resume"))
    assert result.exit_code == 0
    assert f"nothing to resume: {tmp_path / 'checkpoint.safetensors'} does not exist; training starts" in result.stderr


def test_an_unfinished_run_is_resumed_where_it_is_not_asked_for(table, tmp_path, kept):
    kept.cut = 2
    call(*command(table, tmp_path))
    kept.cut = None
    assert "resumed in epoch 1 of 3, after 2 batches" in call(*command(table, tmp_path)).stderr


@pytest.fixture
def own_table(table, tmp_path):
    """A copy whose files may be changed."""
    return shutil.copytree(table.parent, tmp_path / "own") / table.name


CHANGED_FILES = ["another picture", "a broken one mended", "gone"]
PREPARED = [{}, {"store": "none"}, {"stream": True}, {"stream": True, "identify": "content"}]
EVERYDAY = [
    ("another picture", {}),
    ("a broken one mended", {"stream": True}),
    ("gone", {"store": "none"}),
    ("another picture", {"stream": True, "identify": "content"}),
]


@pytest.mark.slow
@pytest.mark.parametrize(("change", "prepare"), spread(product(CHANGED_FILES, PREPARED), EVERYDAY))
def test_a_run_whose_files_changed_is_not_resumed(change, prepare, own_table, tmp_path, kept, monkeypatch):
    out = tmp_path / "run"
    settings = {"target": "kind", "columns": ["picture"], "modalities": {"picture": {"name": "image"}}}
    monkeypatch.setitem(CASES, "files", {**settings, "prepare": prepare})
    kept.cut = 2
    with pytest.raises(Cut):
        fit(own_table, "files", out)
    kept.cut = None
    picture = own_table.parent / ("3.png" if change == "a broken one mended" else "5.png")
    before, times = picture.read_bytes(), picture.stat()
    if change == "gone":
        picture.unlink()
    else:
        Image.fromarray(np.zeros((12, 12, 3), np.uint8)).save(picture)
    with pytest.raises(TrainingError, match=r"the content of column 'picture' changed(.|\n)*without --resume"):
        fit(own_table, "files", out, resume=True)
    picture.write_bytes(before)
    os.utime(picture, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert fit(own_table, "files", out, resume=True)


def test_a_run_on_frozen_features_is_resumed(table, tmp_path, kept, monkeypatch):
    """Their arrays are not asked for: another processor makes them with other last bits."""
    settings = {"columns": ["words", "x"], "encoders": {"words": "text_tfidf"}, "train": TRAIN, "progress": False}
    kept.cut = 2
    with pytest.raises(Cut):
        sensorium.fit(table, "kind", out=tmp_path, **settings)
    kept.cut = None
    monkeypatch.setattr(features, "BATCH", 1)
    assert sensorium.fit(table, "kind", out=tmp_path, resume=True, **settings)


def test_a_run_without_a_folder_has_nothing_to_resume(table):
    with pytest.raises(ConfigError, match="resume needs the folder of a run"):
        sensorium.fit(table, "kind", columns=["x"], resume=True, progress=False)


def test_a_damaged_checkpoint_is_refused(table, tmp_path, kept):
    stop(table, tmp_path, kept)
    path = tmp_path / "checkpoint.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(TrainingError, match="cannot read the checkpoint"):
        fit(table, "no validation", tmp_path, resume=True)
    save_file({"weight": torch.ones(2)}, path)
    with pytest.raises(TrainingError, match="cannot read the checkpoint: format None"):
        fit(table, "no validation", tmp_path, resume=True)


def test_a_flipped_bit_of_a_checkpoint_is_noticed_wherever_it_is(tmp_path):
    path, draw = tmp_path / "c", np.random.default_rng(0)
    content = {"a": torch.arange(50.0), "b": [torch.ones(3, dtype=torch.bfloat16), torch.zeros(0)], "c": {"d": 1.5}}
    tree.write_tree(path, {"where": "here"}, content)
    whole, expected = path.read_bytes(), digest(content)
    assert digest(tree.read_tree(path)) == expected
    for place in range(len(whole)):
        found = bytearray(whole)
        found[place] ^= 1 << draw.integers(8)
        path.write_bytes(found)
        with suppress(TrainingError):  # or it was a blank among JSON
            assert digest(tree.read_tree(path)) == expected, place
    os.truncate(path, len(whole) - 1)
    with pytest.raises(TrainingError, match="cannot read the checkpoint"):
        tree.read_tree(path)


def test_what_a_checkpoint_cannot_keep_is_an_error(tmp_path):
    for wrong in ({"a": {1, 2}}, {1: "a"}, {"a": object()}):
        with pytest.raises(TypeError, match="a checkpoint"):
            tree.write_tree(tmp_path / "c", {}, wrong)
    assert list(tmp_path.iterdir()) == []


def test_values_come_back_as_they_were(tmp_path):
    whole = torch.arange(24.0).reshape(2, 3, 2, 2)
    content = {
        "laid out by channels": whole.to(memory_format=torch.channels_last),
        "shared": [whole, whole[0]],
        "none": torch.zeros(0, 3),
        "one": torch.tensor(7),
        "half": torch.ones(2, dtype=torch.bfloat16),
        "numbers": [float("inf"), -0.0, 0.1, 2**100, None, True, "text"],
    }
    tree.write_tree(tmp_path / "c", {"where": "here"}, content)
    found = tree.read_tree(tmp_path / "c")
    assert digest(found) == digest(content)
    assert found["laid out by channels"].stride() == content["laid out by channels"].stride()
    assert tree.read_about(tmp_path / "c") == {"where": "here"}


def test_a_full_disk_is_told_and_leaves_the_last_checkpoint(tmp_path, monkeypatch):
    tree.write_tree(tmp_path / "c", {"where": "here"}, {})

    def full(handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(TrainingError, match="cannot write the checkpoint: No space left on device"):
        tree.write_tree(tmp_path / "c", {"where": "there"}, {})
    assert tree.read_about(tmp_path / "c") == {"where": "here"}
    assert [entry.name for entry in tmp_path.iterdir()] == ["c"]


def untimed(value):
    if isinstance(value, dict):
        return {key: untimed(part) for key, part in value.items() if key not in CLOCK}
    return [untimed(part) for part in value] if isinstance(value, list) else value


@pytest.mark.slow
def test_a_run_that_is_resumed_is_not_pre_trained_again(table, tmp_path, kept, monkeypatch):
    """Its card tells of the pre-training it had; that it is another run is told before any work."""
    whole = fit(table, "pre-trained", tmp_path / "whole")
    expected = outcome(whole, tmp_path / "whole")
    kept.clear()
    kept.cut = 5
    with pytest.raises(Cut):
        fit(table, "pre-trained", tmp_path / "cut")
    kept.cut = None
    monkeypatch.setattr(_trial, "pretrain", None)
    with monkeypatch.context() as patch:
        patch.setitem(CASES["pre-trained"], "seed", 1)
        with pytest.raises(TrainingError, match="seed was 0, is 1"):
            fit(table, "pre-trained", tmp_path / "cut", resume=True)
    found = fit(table, "pre-trained", tmp_path / "cut", resume=True)
    assert outcome(found, tmp_path / "cut") == expected
    assert len(found.card["pretraining"]["epochs"]) == 2
    assert untimed(found.card["pretraining"]) == untimed(whole.card["pretraining"])
