"""The documents are true: their code runs, their translations are in step, what they name exists."""

import functools
import re
import tomllib
from pathlib import Path

import jaxtyping
import numpy as np
import pytest
import yaml
from typer.main import get_command

import sensorium
from sensorium.cli._main import make_app
from sensorium.config import Config, list_settings
from sensorium.metrics import Outcome
from sensorium.model.card import ModelCard
from sensorium.registry import REGISTRIES
from sensorium.registry.renames import RENAMES, renamed_settings
from sensorium.testing import make_table

ROOT = Path(__file__).parents[2]
ENGLISH, CHINESE = (ROOT / name for name in ("README.md", "README.zh-CN.md"))
QUIET = {"progress": False}
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), ROOT / "benchmarks" / "README.md", ROOT / "dev" / "log.md"]
PROSE = [ENGLISH, CHINESE, ROOT / "CHANGELOG.md", ROOT / "benchmarks" / "README.md", *sorted(ROOT.glob("docs/*.md"))]


def blocks(page, language):
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture
def films(tmp_path, monkeypatch):
    """The tables that the pages name, in the current folder; trainings of one epoch."""
    table = make_table(tmp_path, rows=60, modalities=["text", "number", "category"])
    header, *rows = table.read_text().splitlines()
    names = {"text": "plot", "number": "length", "category": "country", "label": "genre"}
    lines = [",".join(names[name] for name in header.split(",")), *rows]
    for name in ("films.csv", "new_films.csv", "winter.csv"):
        (tmp_path / name).write_text("\n".join(lines))
    monkeypatch.chdir(tmp_path)
    for name in ("fit", "compare"):
        short = functools.partial(getattr(sensorium, name), epochs=1)
        monkeypatch.setattr(sensorium, name, lambda *args, _short=short, **more: _short(*args, **more | QUIET))
    return tmp_path


def test_the_readmes_python_runs(films):
    for code in blocks(ENGLISH, "python"):
        exec(code, {})
    assert (films / "run" / "model" / "manifest.json").exists()


@pytest.mark.parametrize(
    ("page", "printed"),
    [
        ("comparing.md", ["test rows", "Fusion does not help", "tabular"]),
        ("models.md", ["'plot': 'text'", "probability_", "prediction"]),
        ("training.md", []),
        ("tasks.md", ["ordinal ['none', 'mild', 'severe']", "(200, 3)"]),
        ("tracking.md", ["'accuracy'"]),
        pytest.param("export.md", ["torch.Size([32, "], marks=pytest.mark.slow),
    ],
)
def test_the_pages_python_runs(page, printed, films, capsys, monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", page == "export.md")  # sizes of a graph are symbols
    names = {}
    for code in blocks(ROOT / "docs" / page, "python"):
        exec(code, names)
    output = capsys.readouterr().out
    assert output and all(text in output for text in printed)


@pytest.mark.slow
def test_keys_of_the_card_exist(films):
    pages = [page.read_text(encoding="utf-8") for page in PROSE]
    named = {key for text in pages for key in re.findall(r'model\.card\["(\w+)"\]', text)}
    listed = re.search(r"a dict of JSON values: (.*?) and others", (ROOT / "docs" / "models.md").read_text())
    assert listed
    keys = named | set(re.findall(r"`(\w+)`", listed[1]))
    of_settings = {"search", "threshold"}
    assert of_settings <= ModelCard.model_fields.keys()
    assert keys and keys - of_settings <= sensorium.fit("films.csv", target="genre", preset="good").card.keys()


@pytest.mark.parametrize("page", sorted(ROOT.glob("docs/*.md")), ids=lambda page: page.name)
def test_settings_of_the_pages_are_valid(page):
    for block in blocks(page, "yaml"):
        assert Config.gather(yaml.safe_load(block)).model_fields_set, block


def test_the_python_of_the_page_on_reading_runs(capsys):
    for code in blocks(ROOT / "docs" / "reading.md", "python"):
        exec(code, {})
    told = capsys.readouterr().out
    assert "decimal comma" in told
    assert "5 cells 'n.b.'" in told


def test_the_translation_is_in_step():
    one, other = ENGLISH.read_text(encoding="utf-8"), CHINESE.read_text(encoding="utf-8")
    for pattern in (r"^#+ ", r"^\|", r"^```"):
        assert len(re.findall(pattern, one, re.MULTILINE)) == len(re.findall(pattern, other, re.MULTILINE)), pattern
    links = re.compile(r"\]\(([^)]*)\)")
    assert sorted(set(links.findall(one)) - {CHINESE.name}) == sorted(set(links.findall(other)) - {ENGLISH.name})
    figures = re.compile(r"(?<![\w.])\d[\d,]*\.?\d*(?![\w-])")
    assert sorted(figures.findall(one)) == sorted(figures.findall(other))
    for page_code, other_code in zip(blocks(ENGLISH, "python"), blocks(CHINESE, "python"), strict=True):
        assert re.sub("#.*", "", page_code) == re.sub("#.*", "", other_code)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for link in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
        assert link.startswith("https://") or (page.parent / link).exists(), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_into_pages_lead_to_a_heading(page):
    for link, anchor in re.findall(r"\]\(([^)#:]*)#([^)]+)\)", page.read_text(encoding="utf-8")):
        text = (page.parent / link if link else page).read_text(encoding="utf-8")
        headings = [re.sub(r"[^\w -]", "", title.lower()) for title in re.findall(r"^#+ (.*)", text, re.MULTILINE)]
        assert anchor in [heading.replace(" ", "-") for heading in headings], f"{link}#{anchor}"


def test_architecture_names_files_that_exist():
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    for name in re.findall(r"`([\w/]+(?:/|\.py))`", text):
        assert (ROOT / "src" / "sensorium" / name).exists() or (ROOT / name).exists(), name


def test_architecture_describes_every_package():
    described = re.findall(r"\*\*`(\w+)(?:/|\.py)`\*\*", (ROOT / "docs" / "architecture.md").read_text())
    folder = ROOT / "src" / "sensorium"
    packages = {path.stem for path in folder.iterdir() if path.is_dir() or path.suffix == ".py"}
    assert {name for name in packages if not name.startswith("__")} == set(described)
    assert len(described) == len(set(described))


def test_architecture_lists_every_kind_of_member():
    table = (ROOT / "docs" / "architecture.md").read_text().partition("| to add |")[2].partition("\n\n")[0]
    folders = set(re.findall(r"\| `([\w/]+)/` \|", table))
    scanned = {registry.package.removeprefix("sensorium.").replace(".", "/") for registry in REGISTRIES}
    assert folders == scanned


def test_the_metric_of_the_architecture_works(monkeypatch):
    names = {}
    exec(blocks(ROOT / "docs" / "architecture.md", "python")[0], names)
    truth, scores = np.arange(5.0), np.arange(1.0, 11.0, 2.0)
    weights = np.array([[1.0, 1, 1, 1, 1], [0, 0, 0, 1, 4]])
    assert names["median_error"](Outcome(truth, scores, scores), weights).tolist() == [3.0, 5.0]


def test_architecture_shows_the_direction_of_imports():
    layers = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]["layers"]
    shown = re.search(r"```\n(errors ← .*?)```", (ROOT / "docs" / "architecture.md").read_text(), re.DOTALL)
    assert shown
    steps = [set(re.split(r",\s*", step.strip())) for step in shown[1].split("←")]
    assert steps == [set(layer.split(" | ")) for layer in reversed(layers)]


@pytest.mark.parametrize("name", ["augmented.yaml", "two_tower.yaml", "weighted_sum.yaml"])
def test_settings_of_examples_are_valid(name):
    assert Config.gather(yaml.safe_load((ROOT / "examples" / name).read_text())).target == "label"


@pytest.mark.parametrize("name", ["reference.yaml", "default.yaml"])
def test_settings_of_benchmarks_are_valid(name):
    assert Config.gather(yaml.safe_load((ROOT / "benchmarks" / name).read_text())).train.epochs == 3


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md", "CONTRIBUTING.md"])
def test_make_targets_exist(page):
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:^\$|`)\s*make ([a-z]+)", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE))
    assert named and named <= targets


def test_the_changelog_names_what_was_renamed():
    table = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").partition("### Renamed")[2].partition("###")[0]
    rows = [[set(re.findall(r"[\w.-]+", cell)) for cell in line.split("|")[2:4]] for line in table.splitlines()]
    pairs = [row for row in rows if len(row) == 2]
    for rename in RENAMES:
        old = set(re.findall(r"[\w.-]+", rename.old))
        assert any(old <= before and rename.new in after for before, after in pairs), rename


# What the glossary says not to write, as far as a pattern can tell it.
DIALECT = [
    r"\bwhat moved\b", r"\btold\b", r"\bdoctor\b", r"\bremed(?:y|ies)\b", r"\bby (?:itself|themselves)\b",
    r"\beight bits?\b", r"\bgo(?:es)? on\b", r"\bwent on\b", r"\bso many\b", r"\bforetold\b", r"\bpictures?\b",
    r"\blearnt\b", r"\bcan't\b", r"\bisn't\b", r"\bdon't\b",
]  # fmt: skip


@pytest.mark.parametrize(
    "page", [page for page in PROSE if page != CHINESE], ids=lambda page: str(page.relative_to(ROOT))
)
def test_pages_use_the_terms_of_the_glossary(page):
    text = page.read_text(encoding="utf-8").partition("## Words to avoid")[0]
    text = re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.DOTALL)
    found = [match[0] for pattern in DIALECT for match in re.finditer(pattern, text, re.IGNORECASE)]
    assert not found


def code_of(page):
    """What a page shows as code: commands in blocks, and spans within lines."""
    text = page.read_text(encoding="utf-8").partition("## Words to avoid")[0]
    commands = [line.removeprefix("$ ") for block in blocks(page, "console") for line in block.splitlines()]
    return [line.partition("   #")[0] for line in commands] + re.findall(
        r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    )


@pytest.mark.parametrize("page", PROSE, ids=lambda page: str(page.relative_to(ROOT)))
def test_pages_name_settings_that_exist(page):
    known = {setting.name for setting in list_settings()}
    known |= {".".join(name.split(".")[:depth]) for name in known for depth in range(1, name.count(".") + 1)}
    setting = re.compile(r"(?<![\w.])(?:table|split|prepare|train)\.[a-z_.]+")
    named = {name for code in code_of(page) for name in setting.findall(code)}
    named -= {name for name in named if name.endswith((".py", ".csv", ".parquet"))}
    if page.name == "CHANGELOG.md":
        known |= {rename.old for rename in renamed_settings()}
    assert {re.sub(r"(techniques)\..*", r"\1", name) for name in named} <= known


@pytest.mark.parametrize("page", PROSE, ids=lambda page: str(page.relative_to(ROOT)))
def test_pages_name_commands_and_flags_that_exist(page):
    commands = get_command(make_app()).commands
    for code in code_of(page):
        called = re.match(rf"(?:sensorium )?({'|'.join(commands)}) (.*)", code)
        if called:
            flags = {flag for option in commands[called[1]].params for flag in option.opts}
            assert set(re.findall(r"(?<!\S)--?[a-z][a-z-]*", called[2])) <= flags, code
