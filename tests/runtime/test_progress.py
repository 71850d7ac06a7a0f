"""Long work tells how far it is: live bars on a terminal, lines in a log, nothing if asked."""

import io
import os
import pty
import re
import subprocess
import sys

import pytest

from sensorium.runtime.progress import LineReporter, reporter

LINE = re.compile(r"reading: ([\d,]+)(?: of 3,000)? rows, [\d,]+ rows/s(, \d+ s left)?(; loss 0\.5)?")


def told(every, steps):
    stream = io.StringIO()
    with LineReporter(stream, every).bar("reading", 3000) as bar:
        bar.note("loss 0.5")
        for step in steps:
            bar.advance(step)
    return stream.getvalue().splitlines()


@pytest.mark.unit
def test_a_log_gets_one_line_at_the_end_of_a_short_stretch():
    (line,) = told(every=60, steps=[1000] * 3)
    assert LINE.fullmatch(line).group(1, 2, 3) == ("3,000", None, "; loss 0.5")


@pytest.mark.unit
def test_a_log_gets_a_line_now_and_then_during_a_long_stretch():
    lines = told(every=0, steps=[1000] * 3)
    assert [LINE.fullmatch(line)[1] for line in lines] == ["1,000", "2,000", "3,000", "3,000"]
    assert [bool(LINE.fullmatch(line)[2]) for line in lines] == [True, True, False, False]


@pytest.mark.unit
def test_a_stretch_that_breaks_off_says_how_far_it_came():
    def interrupted():
        with LineReporter(stream).bar("reading", 3000) as bar:
            bar.advance(10)
            raise KeyboardInterrupt

    stream = io.StringIO()
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert stream.getvalue().startswith("reading: 10 of 3,000 rows")


@pytest.mark.unit
def test_a_stretch_that_ends_early_has_nothing_left():
    """As training does once validation no longer improves."""
    assert re.fullmatch(r"reading: 1,000 rows, [\d,]+ rows/s; loss 0.5", told(every=60, steps=[1000])[0])


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
