"""However a command is ended from outside: one line, the right exit code, nothing half-written."""

import os
import random
import re
import resource
import signal
import subprocess
import sys
import time

import pytest

import sensorium
from sensorium.errors import OutOfMemoryError
from sensorium.errors.memory import explain_memory_errors, is_lack_of_memory

PYTHON = [sys.executable, "-m", "sensorium"]
PIPES = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
# Ends, as a signal would end it, as soon as a module is imported or a function is called.
AT = """
import os, signal, sys
from sensorium.__main__ import main
number, moment = signal.Signals[sys.argv[1]], sys.argv[2]
del sys.argv[1:3]

def hook(event, found):
    if (event == "import" and found[0] == moment) or (event == "open" and moment in str(found[0])):
        os.kill(os.getpid(), number)

sys.addaudithook(hook)
main()
"""


@pytest.mark.parametrize(
    ("which", "moment"),
    [
        pytest.param("SIGINT", "typer", marks=pytest.mark.slow),
        ("SIGTERM", "torch"),
        ("SIGHUP", "pyarrow"),
        pytest.param("SIGTERM", "table.csv", marks=pytest.mark.slow),
        pytest.param("SIGHUP", "-lock", marks=pytest.mark.slow),
    ],
)
def test_a_signal_in_any_phase_is_one_line_and_its_exit_code(which, moment, tabular, tmp_path):
    command = [sys.executable, "-c", AT, which, moment, "fit", str(tabular), "--target", "label", "-q"]
    found = subprocess.run([*command, "--out", str(tmp_path / "run")], **PIPES)
    number = signal.Signals[which]
    assert found.returncode == 128 + number
    assert found.stderr == ("interrupted\n" if which == "SIGINT" else f"stopped by {which}\n")
    assert found.stdout == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_interrupted_comparison_says_how_to_continue(tabular, tmp_path):
    """The signal comes while the first finished network is recorded."""
    command = [sys.executable, "-c", AT, "SIGINT", ".finished", "compare", str(tabular), "--target", "label", "-q"]
    quick = ["--fusions", "concat", "--baselines", "none", "--epochs", "1", "--out", str(tmp_path / "out")]
    found = subprocess.run([*command, *quick], **PIPES)
    assert found.returncode == 130
    assert found.stderr == "interrupted: run the same command again to continue\n"


@pytest.mark.slow
def test_interrupted_blend_says_how_to_continue(tabular, tmp_path):
    """The signal comes while the network is recorded; there is no checkpoint to be written."""
    fit = ["fit", str(tabular), "--target", "label", "--set", "width=16", "-q", "--out", str(tmp_path)]
    found = subprocess.run([sys.executable, "-c", AT, "SIGTERM", ".finished", *fit], **PIPES)
    assert (found.returncode, found.stdout) == (128 + signal.SIGTERM, "")
    assert found.stderr == "stopped by SIGTERM: run the same command again to continue\n"
    assert subprocess.run([*PYTHON, *fit], **PIPES).returncode == 0
    assert sensorium.load(tmp_path).card["blend"]


@pytest.mark.slow
def test_what_is_unfinished_is_removed(run, tabular, tmp_path):
    """The signal comes while the new model is written."""
    out = tmp_path / "small"
    command = [
        sys.executable,
        "-c",
        AT,
        "SIGTERM",
        ".small.sensorium-new/weights",
        "quantize",
        str(run),
        "--out",
        str(out),
    ]
    assert subprocess.run(command, **PIPES).stderr == "stopped by SIGTERM\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("which", ["SIGTERM", "SIGHUP"])
def test_training_stops_with_a_checkpoint_and_one_line(which, tabular, tmp_path):
    fit = ["fit", str(tabular), "--target", "label", "--epochs", "100000", "--set", "train.patience=100000"]
    child = subprocess.Popen([*PYTHON, *fit, "--out", str(tmp_path), "-q"], **PIPES)
    while not (tmp_path / "checkpoint.safetensors").exists():
        assert child.poll() is None
        time.sleep(0.02)
    child.send_signal(signal.Signals[which])
    said, told = child.communicate()
    assert child.returncode == 128 + signal.Signals[which]
    assert re.fullmatch(r"stopped .* holds the state: run the same command again to continue\n", told) and said == ""
    assert (tmp_path / "checkpoint.safetensors").exists()
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_signals_that_are_ignored_stay_ignored(tmp_path):
    """As under nohup."""
    script = (
        "import os, signal, sensorium.runtime.signals as s\n"
        "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "signal.signal(signal.SIGTERM, lambda *_: print('mine', flush=True))\n"
        "s.end_at_once()\n"
        "os.kill(os.getpid(), signal.SIGHUP); os.kill(os.getpid(), signal.SIGTERM)\n"
        "os.kill(os.getpid(), signal.SIGINT)"
    )
    found = subprocess.run([sys.executable, "-c", script], **PIPES)
    assert (found.stdout, found.stderr, found.returncode) == ("mine\n", "interrupted\n", 130)


COMMANDS = {
    "fit": ["fit", "TABLE", "--target", "label", "--epochs", "2", "--out", "OUT"],
    "compare": ["compare", "TABLE", "--target", "label", "--epochs", "1", "--fusions", "concat", "--out", "OUT"],
    "predict": ["predict", "RUN", "TABLE", "-o", "OUT.csv"],
    "inspect": ["inspect", "TABLE"],
}


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_interrupted_at_any_moment_a_command_ends_with_one_line(command, tabular, tmp_path):
    sensorium.fit(tabular, "label", out=tmp_path / "RUN", epochs=1, progress=False)
    arguments = [part.replace("TABLE", str(tabular)) for part in COMMANDS[command]]
    start = time.monotonic()
    subprocess.run([*PYTHON, *arguments], cwd=tmp_path, check=True, **PIPES)
    whole, draw = time.monotonic() - start, random.Random(0)
    for number in range(20):
        child = subprocess.Popen([*PYTHON, *arguments], cwd=tmp_path, **PIPES)
        # Before its first line runs Python cannot be asked to say nothing.
        time.sleep(0.3 + draw.uniform(0, 1.1) * whole)
        child.send_signal(signal.SIGINT)
        _, told = child.communicate(timeout=60)
        assert "Traceback" not in told and "Exception ignored" not in told, told
        ends = (0, 130, -signal.SIGINT)  # the last: when all is done, and Python is about to end
        assert child.returncode in ends, (child.returncode, told)
        if child.returncode == 130:
            assert re.search(
                r"(^|\n)(interrupted|(interrupted|stopped .*): run the same command again to continue)\n$", told
            ), (number, told)
        hidden = [path for path in tmp_path.rglob(".*") if path.name != ".finished"]
        assert not hidden
        for manifest in tmp_path.rglob("manifest.json"):
            sensorium.load(manifest.parent)


@pytest.mark.slow
@pytest.mark.parametrize("both", [False, True])
def test_a_reader_that_goes_away_ends_a_command_quietly(both, tabular, tmp_path):
    """As `| head -1` does; with both, stderr is in the pipe as well."""
    read, write = os.pipe()
    os.close(read)
    for arguments in (["list"], ["inspect", str(tabular)], ["--version"]):
        streams = {"stdout": write, "stderr": write if both else subprocess.PIPE}
        found = subprocess.run([*PYTHON, *arguments], **streams)
        assert found.returncode == 141
        assert both or (b"Error" not in found.stderr and b"Exception" not in found.stderr)
    os.close(write)


@pytest.mark.slow
def test_memory_that_a_command_may_not_have_is_told_with_a_cure(tabular, tmp_path):
    def little():
        resource.setrlimit(resource.RLIMIT_AS, (4 * 2**30, 4 * 2**30))

    fit = ["fit", str(tabular), "--target", "label", "--epochs", "1", "-q", "--set", "width=1000000"]
    found = subprocess.run([*PYTHON, *fit, "--out", str(tmp_path / "run")], preexec_fn=little, **PIPES)
    assert found.returncode == 1
    assert re.match(r"error: not enough memory: an allocation of [\d,.]+ ?\w* failed\n  cure: ", found.stderr)
    assert "train.batch_size" in found.stderr and "Traceback" not in found.stderr


def test_what_libraries_say_of_memory_is_understood():
    import numpy as np
    import pyarrow as pa
    import torch

    def of_torch():
        torch.empty(2**60)

    def of_numpy():
        np.empty(2**50)

    def of_arrow():
        pa.allocate_buffer(2**60)

    for fail in (of_torch, of_numpy, of_arrow):
        with pytest.raises(OutOfMemoryError, match="not enough memory") as caught, explain_memory_errors("less"):
            fail()
        assert caught.value.cure == "less" and isinstance(caught.value, MemoryError)
    with pytest.raises(RuntimeError, match="shape"), explain_memory_errors("less"):
        raise RuntimeError("shape '[2]' is invalid for input of size 3")
    assert is_lack_of_memory(RuntimeError("can't start new thread"))
    assert is_lack_of_memory(torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"))
