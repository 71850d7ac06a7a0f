"""PDF files: their text, and pictures of their pages as a view; scanned, damaged, encrypted and huge ones."""

import subprocess
import sys
import threading

import numpy as np
import pytest

import sensorium
from sensorium.errors import MissingExtraError
from sensorium.modalities import Work
from sensorium.modalities.document import Document
from sensorium.modalities.pages import Pages
from sensorium.prepare.store import Store
from sensorium.table import open_table
from sensorium.testing import make_pretrained
from sensorium.testing.files import make_pdf

pytest.importorskip("pypdfium2")


def column(cells, folder=None):
    return open_table({"c": cells, "row": list(range(len(cells)))}, folder=folder).column("c")


def says(*texts):
    """A file with a page of each text."""
    return make_pdf([f"BT /F 12 Tf 10 100 Td ({text}) Tj ET".encode() for text in texts])


def shades(*greys):
    """A file with a page of each grey, 0 to 1, and no text."""
    return make_pdf([f"{grey} g 0 0 200 200 re f".encode() for grey in greys])


def words(learnt, encoded, row):
    return learnt._text._tokenizer.decode(encoded.values[row].tolist())


def test_the_words_of_all_pages_are_one_text():
    cells = column([says("red apples", "green pears"), says("green apples"), None])
    learnt = Document.learn(cells, min_count=1, length=9)
    found = learnt.encode(cells)
    assert [words(learnt, found, row) for row in range(3)] == ["red apples green pears", "green apples", ""]
    assert found.present.tolist() == [True, True, False]
    assert found.problems == []


def test_words_that_networks_do_not_read_are_stored_for_other_models(tmp_path):
    cells = column([says("red apples", "green pears and plums"), says("green apples"), None])
    learnt = Document.learn(cells, min_count=1, length=2)
    plain = learnt.encode(cells)
    for _ in range(2):  # written, then read
        stored = Store(tmp_path, 10**8).encode(learnt, cells)
        assert stored.steps == plain.steps == 2
        assert [stored.values[row].tolist() for row in range(3)] == [plain.values[row].tolist() for row in range(3)]
    assert words(learnt, stored, 0) == "red apples green pears and plums"


def test_pages_beyond_those_that_are_read_are_told():
    cells = column([says("one", "two", "three"), says("one", "two")])
    learnt = Document.learn(cells, max_pages=2, min_count=1)
    found = learnt.encode(cells)
    assert words(learnt, found, 0) == "one two"
    (problem,) = found.problems
    assert (problem.row, "more than 2 pages" in problem.reason, "increase max_pages" in problem.cure) == (0, True, True)


def test_a_scanned_file_has_no_text_but_pages():
    cells = column([says("words"), shades(0.5, 1)])
    found = Document.learn(cells).encode(cells)
    assert found.present.tolist() == [True, False]
    assert "has no text" in found.problems[0].reason and "NAME.pages" in found.problems[0].cure
    pages = Pages.learn(cells).encode(cells)
    assert pages.present.all() and not pages.problems
    assert [round(page.mean() / 255, 1) for page in pages.values[1]] == [0.5, 1.0]


def test_pages_are_pictures_in_their_order_upright_and_of_one_size():
    corner = b"0 g 0 150 50 50 re f"  # the upper left one
    cells = column([make_pdf([corner, b"", b"0 g 0 0 400 100 re f"], [(200, 200), (100, 300), (400, 200)])])
    found = Pages.learn(cells, size=16, channels=1).encode(cells)
    first, second, third = found.values[0][..., 0]
    assert found.values[0].dtype == np.uint8
    assert first[:3, :3].max() < 20 and first[6:, 6:].min() > 235
    assert second.min() == 255
    assert third[:7].min() > 235 and third[9:].max() < 20
    assert len(Pages.learn(cells, max_pages=2).encode(cells).values[0]) == 2


@pytest.mark.parametrize("size", [(1, 14_400), (14_400, 14_400), (10**9, 10**9), (3, 10**7)])
def test_a_huge_page_is_drawn_small(size):
    cells = column([make_pdf([b"0 g 0 0 50 50 re f"], [size]), shades(1)])
    found = Pages.learn(cells, size=16).encode(cells)
    assert found.present[1]
    assert found.present[0] or found.problems[0].row == 0
    assert len(found.values.values) == found.present.sum()


ENCRYPTED = b"/Encrypt<</Filter/Standard/V 1/R 2/P -4/O<%s>/U<%s>>>/ID[<00><00>]" % (b"1f" * 32, b"2e" * 32)
FAULTS = {
    "no PDF": (b"plain words", "not a PDF file"),
    "nothing": (b"", "0 bytes"),
    "the mark alone": (b"%PDF-1.7\n", "PDF file is damaged"),
    "no pages": (make_pdf([]), "PDF file is damaged"),
    "encrypted": (make_pdf([b""], extra=ENCRYPTED), "encrypted"),
}


@pytest.mark.parametrize("kind", [Document, Pages])
@pytest.mark.parametrize("fault", FAULTS)
def test_what_can_t_be_opened_is_missing_with_a_reason(fault, kind):
    content, reason = FAULTS[fault]
    cells = column([says("fine"), content])
    found = kind.learn(cells).encode(cells)
    assert found.present.tolist() == [True, False]
    assert [(p.row, reason in p.reason) for p in found.problems] == [(1, True)]


@pytest.mark.parametrize("kind", [Document, Pages])
def test_cut_or_altered_anywhere_a_file_is_read_or_told_and_never_worse(kind):
    whole, random = says("some words", "and others"), np.random.default_rng(0)
    cut = [whole[:size] for size in np.linspace(1, len(whole) - 1, 20).astype(int)]
    stars = [np.where(random.random(len(whole)) < 0.02, ord("*"), np.frombuffer(whole, np.uint8)) for _ in range(20)]
    cells = column([whole, *cut, *(star.astype(np.uint8).tobytes() for star in stars)])
    found = kind.learn(cells).encode(cells)
    assert found.present[0]
    assert set(np.flatnonzero(~found.present)) <= {problem.row for problem in found.problems}


def test_a_damaged_page_is_left_out_and_told():
    whole = make_pdf([b"BT /F 12 Tf 10 100 Td (one) Tj ET", b"BT /F 12 Tf 10 100 Td (two) Tj ET"])
    cells = column([whole.replace(b"4 0 R 6 0 R", b"4 0 R 9 0 R"), whole])
    learnt = Document.learn(cells, min_count=1, length=9)
    found = learnt.encode(cells)
    assert [words(learnt, found, row) for row in range(2)] == ["one", "one two"]
    assert [(p.row, "page of the PDF file is damaged" in p.reason) for p in found.problems] == [(0, True)]


def test_many_threads_read_what_one_reads():
    cells = column([says(f"number {n}", "words " * n) for n in range(80)])
    learnt = Document.learn(cells, min_count=1)
    one, many = learnt.encode(cells), learnt.encode(cells, Work(workers=8))
    assert np.array_equal(one.values.values, many.values.values)
    assert threading.active_count() < 20


def test_the_modality_is_imported_without_its_library_which_is_named_when_missing(monkeypatch):
    code = "import sys, sensorium.modalities.document; sys.exit(bool({'pypdfium2', 'torch'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    monkeypatch.setitem(sys.modules, "pypdfium2", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'sensorium\[document\]'"):
        Document.learn(column([says("x")]))


@pytest.fixture
def reports(tmp_path):
    """Words tell one bit of the label, a bar on the page the other; every tenth file is a scan."""
    random = np.random.default_rng(0)
    rows = ["report,kind"]
    for row in range(100):
        word, bar = random.integers(2, size=2)
        drawn = b"20 w 100 0 m 100 200 l S" if bar else b"20 w 0 100 m 200 100 l S"
        text = b"" if row % 10 == 9 else b"BT /F 8 Tf 10 190 Td (%s) Tj ET " % (b"paid in full", b"still open")[word]
        (tmp_path / f"{row}.pdf").write_bytes(make_pdf([text + drawn]))
        rows.append(f"{row}.pdf,{'paid' if word == 0 else 'open'}-{'tall' if bar else 'wide'}")
    (tmp_path / "t.csv").write_text("\n".join(rows))
    return tmp_path / "t.csv"


@pytest.mark.slow
def test_one_column_of_documents_is_fused_from_text_and_pages(reports, tmp_path):
    out = tmp_path / "run"
    model = sensorium.fit(
        reports, "kind", epochs=12, out=out, progress=False, config={"modalities": {"report.pages": {"size": 16}}}
    )
    assert model.columns == {"report": "document", "report.pages": "pages"}
    labels = np.array(open_table(reports).column("kind").data.to_pylist())
    assert (model.predict(reports) == labels).mean() > 0.85
    assert np.array_equal(sensorium.load(out).predict(reports), model.predict(reports))
    plans = sensorium.inspect(reports, "kind", config={"exclude": ["report.pages"]}).columns
    assert {plan.name: plan.modality for plan in plans} == {"report": "document", "report.pages": None, "kind": None}
    assert "suffix of PDF files" in plans[0].reason and plans[0].undecodable == 10


def test_a_pretrained_model_reads_documents_with_its_own_tokenizer(reports, tmp_path):
    pytest.importorskip("transformers")
    folder = str(make_pretrained("text", tmp_path / "bert"))
    encoder = {"encoders": {"report": {"name": "pretrained_text", "model": folder}}, "exclude": ["report.pages"]}
    model = sensorium.fit(reports, "kind", epochs=1, progress=False, config=encoder)
    assert model.columns == {"report": "document"}
    assert "vocabulary 30" in str(model.describe())
