"""A standard stream that is closed is as /dev/null: the command does its work and ends with 0."""

import shlex
import subprocess
import sys

import pytest

from tiers import spread

CLOSED = ["<&-", ">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"]


def shell(*arguments, closed):
    command = shlex.join([sys.executable, "-m", "sensorium", *map(str, arguments)])
    return subprocess.run(f"{command} {closed}", shell=True, capture_output=True, text=True)


@pytest.mark.parametrize("closed", spread(CLOSED, ["<&- >&- 2>&-"]))
def test_list_with_closed_streams(closed):
    found = shell("list", "fusions", closed=closed)
    assert (found.returncode, found.stderr) == (0, "")
    assert ("gated" in found.stdout) is (closed in ("<&-", "2>&-"))


@pytest.mark.slow
@pytest.mark.parametrize("closed", [">&-", "2>&-"])
@pytest.mark.parametrize("more", [[], ["--json"]])
def test_predict_with_closed_streams(closed, more, run, made, tmp_path):
    found = shell("predict", run, made, "-o", tmp_path / "out.csv", *more, closed=closed)
    assert (found.returncode, "Error" in found.stderr) == (0, False)
    assert (tmp_path / "out.csv").stat().st_size > 0


@pytest.mark.slow
def test_fit_with_closed_streams(tabular, tmp_path):
    fit = ["fit", tabular, "--target", "label", "--epochs", 1, "--out", tmp_path / "run"]
    assert shell(*fit, closed=">&- 2>&-").returncode == 0
    assert (tmp_path / "run" / "metrics.json").exists()


@pytest.mark.slow
def test_an_error_without_a_stream_to_tell_it_is_an_exit_code():
    assert shell("inspect", "missing.csv", closed=">&- 2>&-").returncode == 1
    assert "missing.csv" in shell("inspect", "missing.csv", closed=">&-").stderr


@pytest.mark.parametrize("command", ["fit t.csv", "predict run t.csv -o o.csv", "inspect t.csv"])
def test_too_little_memory_for_the_libraries_is_told_at_once(command):
    found = subprocess.run(
        f"ulimit -v 400000; {shlex.quote(sys.executable)} -m sensorium {command}",
        shell=True, capture_output=True, text=True,
    )  # fmt: skip
    assert found.returncode == 1
    assert found.stderr.startswith("error: the process is limited to 390 MiB of memory\n  rule: ")
