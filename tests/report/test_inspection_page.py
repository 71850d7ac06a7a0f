"""The page of an inspection: whole in itself, everything escaped, a name for every picture."""

import re
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest
from typer.testing import CliRunner

import sensorium
from sensorium.cli._main import make_app
from sensorium.errors import SensoriumError
from sensorium.report.html import STYLE, Markup, page, tag, text
from sensorium.report.inspection_page import inspection_page, write_page

EVIL = "<script>alert('x')</script>\"&<img src=x onerror=alert(1)>"
VOID = {"meta", "img", "rect", "polygon"}


class Reader(HTMLParser):
    """Every tag with its attributes; tags that are not closed or closed twice."""

    def __init__(self, content):
        super().__init__()
        self.tags, self.open, self.words = [], [], []
        self.feed(content)
        self.close()

    def handle_starttag(self, name, attributes):
        self.tags.append((name, dict(attributes)))
        if name not in VOID:
            self.open.append(name)

    def handle_endtag(self, name):
        if name not in VOID:
            assert self.open.pop() == name

    def handle_data(self, words):
        self.words.append(words)

    def named(self, name):
        return [attributes for tag, attributes in self.tags if tag == name]


def inspect(*arguments):
    """The command, in this process."""
    result = CliRunner().invoke(make_app(), ["inspect", *map(str, arguments)])
    if result.exception:
        raise result.exception
    return result


@pytest.fixture(scope="module")
def seen(made):
    return Reader(inspection_page(sensorium.inspect(made, "label")))


def test_tags_are_closed_and_there_is_one_title(seen):
    assert seen.open == []
    assert len(seen.named("h1")) == 1
    assert "table.csv: 160 rows, 8 columns" in "".join(seen.words)


@pytest.mark.unit
def test_nothing_comes_from_elsewhere_and_nothing_runs(seen):
    assert not {"script", "iframe", "object", "link", "base"} & {name for name, _ in seen.tags}
    for _, attributes in seen.tags:
        assert not [key for key in attributes if key.startswith("on")]
        assert attributes.get("src", "data:").startswith("data:")
        assert attributes.get("href", "#").startswith("#")
    (policy,) = [meta["content"] for meta in seen.named("meta") if meta.get("http-equiv")]
    assert policy.startswith("default-src 'none'")
    assert "url(" not in STYLE and "@import" not in STYLE


@pytest.mark.unit
def test_every_picture_and_chart_says_what_it_shows(seen):
    pictures = seen.named("img")
    assert 1 <= len(pictures) <= 8
    assert all(re.fullmatch(r"image of row \d+", picture["alt"]) for picture in pictures)
    charts = [place for place, (name, _) in enumerate(seen.tags) if name == "svg"]
    assert len(charts) > 8
    assert all(seen.tags[place][1]["role"] == "img" and seen.tags[place + 1][0] == "title" for place in charts)
    assert "audio of row" in "".join(seen.words)


@pytest.mark.unit
def test_links_within_the_page_lead_somewhere(seen):
    places = {attributes["id"] for _, attributes in seen.tags if "id" in attributes}
    assert {link["href"].removeprefix("#") for link in seen.named("a")} == places


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


@pytest.mark.unit
def test_text_can_be_read_in_light_and_dark():
    """The contrast that WCAG 2 asks of text, level AA."""
    for scheme in STYLE.split("@media")[:2]:
        colours = dict(re.findall(r"--([\w-]+): (#\w{6})", scheme))
        grounds = {"ink": ["ground", "card"], "soft": ["ground", "card"], "bar": ["ground"], "warn": ["warn-ground"]}
        for ink, behind in grounds.items():
            for ground in behind:
                dark, light = sorted([luminance(colours[ink]), luminance(colours[ground])])
                assert (light + 0.05) / (dark + 0.05) >= 4.5, (ink, ground)


@pytest.mark.unit
def test_what_cells_names_and_labels_say_is_text():
    rows = 60
    table = {
        EVIL: [f"{EVIL} {i % 7}" for i in range(rows)],
        "text": [f"{EVIL} said the {i}th and then some more words" for i in range(rows)],
        "long": ["x" * 50 + EVIL] * (rows // 2) + ["y" * 50 + EVIL] * (rows // 2),
        "number": ["1", "2", EVIL, "4"] * (rows // 4),
        "patient<b>": [f"<i>{i // 2}" for i in range(rows)],
        "y": [EVIL, "<b>well</b>"] * (rows // 2),
    }
    config = {"modalities": {"number": "number"}}
    found = Reader(inspection_page(sensorium.inspect(table, "y", config=config)))
    assert not {"script", "b", "i", "img"} & {name for name, _ in found.tags}
    assert found.open == []
    assert EVIL in "".join(found.words)


@pytest.mark.unit
def test_pieces_are_escaped_unless_they_are_markup():
    assert tag("p", "a < b", title='"') == '<p title="&quot;">a &lt; b</p>'
    assert text(Markup("<b>")) == "<b>"
    assert "<title>&lt;x&gt;</title>" in page("<x>")


@pytest.mark.unit
def test_the_command_writes_the_page(tabular, tmp_path):
    inspect(tabular, "--html", tmp_path / "page.html", "--quiet")
    assert Reader((tmp_path / "page.html").read_text()).open == []


@pytest.mark.unit
def test_a_page_that_cannot_be_written_is_told(tabular, tmp_path):
    with pytest.raises(SensoriumError, match="the page cannot be written"):
        inspect(tabular, "--html", tmp_path / "gone" / "page.html")


@pytest.mark.unit
@pytest.mark.parametrize("flags", [[], ["--quiet"]])
def test_a_short_inspection_prints_no_progress_without_a_terminal(flags, tabular):
    assert inspect(tabular, *flags).stderr == ""


@pytest.mark.unit
def test_letters_that_no_encoding_knows_are_written_too(tmp_path):
    table = {"text": [f"\u2028 {i} \U0001f600" for i in range(20)], "y": [0, 1] * 10}
    write_page(sensorium.inspect(table, "y"), tmp_path / "p.html")
    assert "\U0001f600" in (tmp_path / "p.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_command_and_its_page_take_no_torch(made, tmp_path):
    code = f"""
import sys
from sensorium.cli._main import make_app
sys.argv = ["sensorium", "inspect", {str(made)!r}, "--target", "label", "--html", {str(tmp_path / "p.html")!r}]
try:
    make_app()()
finally:
    assert "torch" not in sys.modules
"""
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0
