"""Long work tells how far it is: live bars on a terminal, lines in a log, nothing if asked."""

import io
import os
import pty
import re
import subprocess
import sys
import threading

import pytest

from sensorium.runtime.progress import LineReporter, reporter

LINE = re.compile(
    r"reading: ([\d,]+)(?: of 3,000)? rows, [\d,]+ rows/s(, about \d+ s (?:left|to the end))?(; loss 0\.5)?"
)


def told(every, steps, **options):
    stream = io.StringIO()
    with LineReporter(stream, every).bar("reading", 3000, **options) as bar:
        bar.note("loss 0.5")
        for step in steps:
            bar.advance(step)
    return stream.getvalue().splitlines()


@pytest.mark.unit
def test_a_log_gets_no_line_about_short_work():
    assert told(every=60, steps=[1000] * 3) == []


@pytest.mark.unit
def test_a_log_gets_a_line_now_and_then_during_long_work():
    lines = told(every=0, steps=[1000] * 3)
    assert [LINE.fullmatch(line)[1] for line in lines] == ["1,000", "2,000", "3,000"]
    assert [bool(LINE.fullmatch(line)[2]) for line in lines] == [True, True, False]


@pytest.mark.unit
def test_the_estimate_says_what_it_refers_to():
    assert LINE.fullmatch(told(every=0, steps=[1], until="to the end")[0])[2].endswith("to the end")


@pytest.mark.unit
def test_all_work_together_gets_a_line_per_minute(monkeypatch):
    """Bars and steps of one reporter share its clock; messages are shown at once."""
    now, stream = [0.0], io.StringIO()
    monkeypatch.setattr("sensorium.runtime._line_reporter.time.monotonic", lambda: now[0])
    report = LineReporter(stream)
    for number in range(30):
        report.step(f"step {number}")
        with report.bar(f"bar {number}", 2) as bar:
            for _ in range(2):
                now[0] += 5
                bar.advance(1)
        report.log(f"message {number}")
    lines = stream.getvalue().splitlines()
    states = [line for line in lines if not line.startswith("message")]
    assert len(lines) - len(states) == 30
    assert len(states) == now[0] // 60
    assert not set(stream.getvalue()) & set("\r\x1b")


@pytest.mark.unit
def test_the_first_line_of_a_step_names_it(monkeypatch):
    now, stream = [0.0], io.StringIO()
    monkeypatch.setattr("sensorium.runtime._line_reporter.time.monotonic", lambda: now[0])
    report = LineReporter(stream)
    report.step("fold 2 of 5")
    with report.bar("training", 4) as bar:
        for _ in range(2):
            now[0] += 60
            bar.advance(1)
    report.step("fold 3 of 5")
    with report.phase("a short one"):
        pass
    now[0] += 60
    with report.bar("predicting", 4) as bar:
        bar.advance(1)
    first, second, last = stream.getvalue().splitlines()
    assert first.startswith("fold 2 of 5: training: 1 of 4") and second.startswith("training: 2 of 4")
    assert last.startswith("predicting: 1 of 4")


@pytest.mark.unit
def test_a_message_can_be_limited_to_one():
    stream = io.StringIO()
    report = LineReporter(stream)
    for text in ("first", "second"):
        report.log(text, once="slow")
        report.log(text)
    assert stream.getvalue().split() == ["first", "first", "second"]


@pytest.mark.unit
def test_silence_is_kept_if_asked_for(capsys):
    quiet = reporter(show=False)
    quiet.log("hello")
    with quiet.bar("reading", 10) as bar:
        bar.advance(10)
        bar.note("loss 0.5")
    assert capsys.readouterr() == ("", "")


def on_terminal(*arguments):
    """Run with a terminal as stderr; stdout, and what the terminal was shown."""
    ours, theirs = pty.openpty()
    # Wide enough for the bar's every column, whatever terminal the tests are started from.
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "160"}
    child = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=theirs, env=environment, text=True)
    os.close(theirs)
    shown = b""
    try:
        while chunk := os.read(ours, 4096):
            shown += chunk
    except OSError:  # Linux ends a terminal that nobody writes to any more with an error, not with an empty read
        pass
    os.close(ours)
    return child.communicate()[0], shown.decode()


@pytest.mark.slow
def test_a_terminal_shows_live_bars_and_stdout_stays_free(tabular):
    script = f"import sensorium; sensorium.fit({str(tabular)!r}, 'label', epochs=2); print('done')"
    output, shown = on_terminal(sys.executable, "-c", script)
    assert output == "done\n"
    assert "\x1b[" in shown  # drawn over in place
    assert "epoch 2/2" in shown and "rows/s" in shown and "loss" in shown


@pytest.mark.unit
def test_work_of_unknown_length_shows_that_it_goes_on(monkeypatch):
    """A line comes from a thread, also if the work itself reports nothing."""
    now, stream = [0.0], io.StringIO()
    monkeypatch.setattr("sensorium.runtime._line_reporter.time.monotonic", lambda: now[0])
    monkeypatch.setattr("sensorium.runtime._line_reporter.threading.Event", Impatient)
    report = LineReporter(stream)
    with report.phase("reading"):
        now[0] += 61
        for thread in threading.enumerate():
            if thread is not threading.current_thread() and thread.daemon:
                thread.join(0.2)
        assert stream.getvalue() == "reading: 61 s so far\n"


class Impatient(threading.Event):
    """Waits a hundredth of the time."""

    def wait(self, timeout=None):
        return super().wait(timeout and timeout / 1000)


@pytest.mark.slow
def test_a_terminal_shows_tasks_within_a_task_and_notes_below_them():
    script = """
from sensorium.runtime.progress import reporter
report = reporter()
with report.bar("outer", 2) as outer:
    outer.note("loss 0.5; early stopping is possible from epoch 14, in 2 min")
    with report.bar("inner", 3, "files") as inner:
        inner.advance(3)
    outer.advance(2)
with report.phase("thinking"):
    pass
print("done")
"""
    output, shown = on_terminal(sys.executable, "-c", script)
    assert output == "done\n"
    last = shown[shown.rindex("outer") :]
    assert "2 rows" in last and "inner" in last and "3 files" in last
    assert "early stopping is possible from epoch 14, in 2 min" in last
    assert "thinking" in shown
