"""Features of all columns: learned from the given rows, saved, and checked when they are restored."""

import numpy as np
import pytest

from sensorium.baselines import FlatColumns, SharedBlocks, fit_seconds
from sensorium.baselines._texts import TextBlock
from sensorium.config import Config
from sensorium.errors import ArtifactError
from sensorium.modalities import Ragged
from sensorium.planning import plan_and_prepare
from sensorium.prepare import prepare_columns
from sensorium.prepare.summaries import Summaries, Summary, summarize
from sensorium.prepare.summaries.terms import count_terms
from sensorium.runtime.progress import Silent
from sensorium.table import open_table
from sensorium.testing import make_table

EVERY = ["image", "audio", "text", "number", "category", "date", "tags", "vector", "series", "images", "video", "scan"]
NO_KEYS = np.zeros(0, np.int64)


def experiment(table, **settings):
    config = Config.gather({"target": "label", "split": {"validation": 0.2, "test": 0.3}}, settings)
    return plan_and_prepare(open_table(table), config, Silent())


def numbers(values, present=None):
    values = np.asarray(values, np.float32)
    return Summary("numbers", values, np.ones(len(values), bool) if present is None else np.asarray(present), NO_KEYS)


def dense(matrix):
    return matrix if isinstance(matrix, np.ndarray) else matrix.toarray()


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    return experiment(make_table(tmp_path_factory.mktemp("all"), rows=40, modalities=EVERY, missing=0.2))


@pytest.mark.parametrize("form", ["linear", "trees"])
def test_every_modality_becomes_features_that_are_saved(everything, form):
    cells, train = summarize(everything.cells), everything.rows("train")
    learned = FlatColumns.learn(cells.take(train), form, 0)
    found = dense(learned.apply(cells))
    assert found.shape == (40, learned.width) == (40, len(learned.levels))
    json, arrays = learned.state()
    assert all(set(name) <= set("0123456789.abcdefghijklmnopqrstuvwxyz_") for name in arrays)
    restored = FlatColumns.restore(json, arrays)
    assert np.array_equal(dense(restored.apply(cells)), found, equal_nan=True)
    few = dense(restored.apply(summarize(everything.cells, np.array([3, 1]))))
    assert np.allclose(few, found[[3, 1]], atol=1e-5, equal_nan=True)
    if form == "linear":
        assert np.isfinite(found).all() and np.abs(found).max() <= 10
    assert dense(learned.apply(cells.take(train[:0]))).shape == (0, learned.width)


@pytest.mark.parametrize("name", ["linear", "trees"])
def test_the_time_of_a_fit_grows_with_rows_outputs_and_the_features_that_are_left(name):
    def seconds(width, rows=1000, outputs=1):
        columns = Summaries({"x": numbers(np.zeros((1, width)))}, 1)
        return fit_seconds(name, columns, rows, outputs)

    assert seconds(20, outputs=3) == pytest.approx(3 * seconds(20)) == pytest.approx(3 / 2 * seconds(40))
    assert seconds(20, rows=2000) > seconds(20)
    assert seconds(128) > seconds(129) == seconds(5000) == seconds(100)  # wide columns become principal components


@pytest.mark.parametrize("form", ["linear", "trees"])
def test_models_of_the_same_rows_share_what_their_columns_learned(everything, form):
    cells, train, shared = summarize(everything.cells), everything.rows("train"), SharedBlocks()
    own = cells.take(train)
    every, one = (shared.learn(each, train, form, 0) for each in (own, own.only(["text"])))
    assert one.blocks["text"] is every.blocks["text"]
    expected = FlatColumns.learn(own, form, 0).apply(cells)
    assert np.array_equal(dense(every.apply(cells)), dense(expected), equal_nan=True)
    fewer = shared.learn(cells.take(train[1:]), train[1:], form, 0)
    assert fewer.blocks["text"] is not every.blocks["text"]
    assert shared.learn(own, train, form, 1).blocks["text"] is not every.blocks["text"]


@pytest.mark.parametrize("form", ["linear", "trees"])
def test_the_features_of_a_text_do_not_depend_on_other_rows(form):
    """Also where the ids of its words happen to be in increasing order, as those of a set of tags are."""
    texts = ["sea rain road", "road rain sea", "rain sea", "sea rain", "road", "sea road rain sea"] * 5
    table = {"text": texts, "tags": [["a", "b"], ["b"], ["a"], ["b", "c"], ["a", "c"], ["c"]] * 5, "label": [0, 1] * 15}
    data = experiment(table, modalities={"text": "text"}, encoders={"text": "bilstm"})
    cells = summarize(data.cells)
    assert {own.kind for own in cells.columns.values()} == {"terms"}
    learned = FlatColumns.learn(cells.take(data.rows("train")), form, 0)
    together = dense(learned.apply(cells))
    for row in range(6):
        alone = dense(learned.apply(summarize(data.cells, np.array([row]))))
        assert np.allclose(alone[0], together[row], atol=1e-6)


def test_trees_get_gaps_where_cells_are_missing(everything):
    cells = summarize(everything.cells)
    for name, own in cells.columns.items():
        learned = FlatColumns.learn(cells.only([name]), "trees", 0)
        found = learned.apply(cells.only([name]))
        if own.kind == "codes":
            assert (found[~own.present, 0] == learned.levels[0] - 1).all()
            assert (found[own.present, 0] < learned.levels[0] - 1).all()
        else:
            assert (np.isnan(found).all(1) == ~own.present).all() and (np.isnan(found).any(1) == ~own.present).all()


def test_streamed_columns_give_the_same_features(tmp_path):
    path = make_table(tmp_path, rows=30, modalities=["image", "audio"])
    found = []
    for stream in (False, True):
        data = experiment(path, prepare={"stream": stream})
        cells = summarize(data.cells)
        found.append(FlatColumns.learn(cells.take(data.rows("train")), "linear", 0).apply(cells))
    assert np.allclose(*found, atol=1e-4)


@pytest.mark.parametrize("form", ["linear", "trees"])
def test_features_are_learned_from_the_given_rows_alone(tmp_path, form):
    """Cells of other rows may be anything: the features of the rows to learn from stay."""
    one, two = (
        summarize(experiment(make_table(tmp_path / str(seed), rows=60, modalities=["image", "text"], seed=seed)).cells)
        for seed in (0, 1)
    )
    rows, image = np.arange(30), one.columns["image"]
    pictures = np.concatenate([image.values[:30], two.columns["image"].values[30:]])
    changed = Summaries(
        {"image": Summary("numbers", pictures, image.present, NO_KEYS), "text": one.columns["text"]}, 60
    )
    before = FlatColumns.learn(one.take(rows), form, 0)
    after = FlatColumns.learn(changed.take(rows), form, 0)
    assert np.array_equal(dense(before.apply(one.take(rows))), dense(after.apply(changed.take(rows))), equal_nan=True)


@pytest.mark.unit
def test_skewed_numbers_are_nearly_symmetric_on_the_logarithmic_scale():
    random = np.random.default_rng(0)
    amounts = np.exp(1.5 * random.normal(size=(500, 1)))
    for skewed in (amounts, -amounts):
        cells = Summaries({"amount": numbers(skewed), "plain": numbers(random.normal(size=(500, 1)))}, 500)
        learned = FlatColumns.learn(cells, "linear", 0)
        found = learned.apply(cells)
        assert np.abs((found**3).mean(0)).max() < 1.5 < np.abs(((skewed - skewed.mean()) / skewed.std()) ** 3).mean()
        assert (np.argsort(found[:, 0]) == np.argsort(skewed.astype(np.float32)[:, 0])).all()
        assert learned.blocks["amount"].unit[0] > 0 and learned.blocks["plain"].unit[0] == 0


@pytest.mark.unit
def test_missing_numbers_are_the_mean_with_an_indicator():
    cells = Summaries({"x": numbers([[1], [2], [3], [0]], [True, True, True, False])}, 4)
    assert FlatColumns.learn(cells, "linear", 0).apply(cells)[3].tolist() == [0, 1]
    whole = FlatColumns.learn(cells.take(np.arange(3)), "linear", 0)
    assert whole.apply(cells).shape == (4, 1) and whole.apply(cells)[3, 0] == 0


@pytest.mark.unit
def test_codes_that_were_not_seen_are_unknown():
    codes = Summary("codes", np.array([1, 2, 2, 7]), np.array([True, True, False, True]), NO_KEYS)
    cells = Summaries({"kind": codes}, 4)
    for form, wanted in (
        ("trees", [[1], [2], [3], [0]]),
        ("linear", [[0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1], [1, 0, 0, 0]]),
    ):
        assert dense(FlatColumns.learn(cells.take(np.arange(3)), form, 0).apply(cells)).tolist() == wanted


@pytest.mark.unit
@pytest.mark.parametrize("form", ["linear", "trees"])
def test_images_that_are_all_alike_are_no_fault(form):
    columns = Summaries({"image": numbers(np.ones((20, 200)))}, 20)
    learned = FlatColumns.learn(columns, form, 0)
    restored = FlatColumns.restore(*learned.state())
    assert np.array_equal(restored.apply(columns), learned.apply(columns))


def test_texts_that_are_all_alike_are_no_fault():
    data = experiment(
        {"one": ["the same words"] * 60, "two": np.arange(60) / 2, "label": ["a", "b"] * 30},
        columns=["one", "two"],
        modalities={"one": "text"},
    )
    cells = summarize(data.cells)
    for form in ("linear", "trees"):
        assert np.isfinite(dense(FlatColumns.learn(cells, form, 0).apply(cells))).all()


@pytest.mark.unit
def test_columns_of_another_kind_or_width_are_refused():
    learned = FlatColumns.learn(Summaries({"x": numbers([[1, 2], [3, 4]])}, 2), "linear", 0)
    wrong = [numbers([[1], [2]]), Summary("codes", np.array([1, 2]), np.ones(2, bool), NO_KEYS)]
    for columns in [{"x": own} for own in wrong] + [{"y": wrong[0]}]:
        with pytest.raises(ArtifactError):
            learned.apply(Summaries(columns, 2))


@pytest.mark.unit
@pytest.mark.parametrize("form", ["linear", "trees"])
def test_constant_and_repeated_numbers_of_a_column_are_left_out(form):
    random = np.random.default_rng(0)
    one, two = random.standard_normal((2, 20)).astype(np.float32)
    both = Summaries({"x": numbers(np.stack([one, np.ones(20), two, one], 1))}, 20)
    single = Summaries({"x": numbers(np.stack([one, two], 1))}, 20)
    found, plain = (FlatColumns.learn(cells, form, 0).apply(cells) for cells in (both, single))
    assert found.shape == plain.shape and (found == plain).all()


def forged_features():
    """Yield a name, a column and what replaces a field of its saved features."""
    yield "unknown kind", 0, {"kind": "words"}, {}
    yield "another form", 0, {"state": {"form": "trees", "gaps": False}}, {}
    yield "wrong size", 0, {}, {"0.selected": np.ones(2, bool)}
    yield "nothing selected", 0, {}, {"0.selected": np.zeros(1, bool)}
    yield "no scale", 0, {}, {"0.scale": np.zeros(1)}
    yield "not a number", 0, {}, {"0.mean": np.array([np.nan])}
    yield "two means", 0, {}, {"0.mean": np.zeros(2)}
    yield "levels", 1, {"state": {"form": "linear", "gaps": False, "count": 10**9}}, {}
    yield "negative levels", 1, {"state": {"form": "linear", "gaps": False, "count": -1}}, {}
    yield "keys out of order", 2, {}, {"2.keys": np.array([3, 2])}
    yield "fewer weights", 2, {}, {"2.idf": np.ones(1)}
    yield "an array of no column", 2, {}, {"7.idf": np.ones(1)}
    yield "a name twice", 1, {"name": "x"}, {}


@pytest.mark.unit
@pytest.mark.parametrize(
    ("place", "json", "arrays"), [c[1:] for c in forged_features()], ids=[c[0] for c in forged_features()]
)
def test_forged_features_are_refused(place, json, arrays):
    from scipy.sparse import csr_matrix

    terms = Summary("terms", csr_matrix(np.ones((2, 2), np.float32)), np.ones(2, bool), np.array([2, 3]))
    codes = Summary("codes", np.array([1, 2]), np.ones(2, bool), NO_KEYS)
    cells = Summaries({"x": numbers([[1], [3]]), "kind": codes, "text": terms}, 2)
    saved, own = FlatColumns.learn(cells, "linear", 0).state()
    FlatColumns.restore(saved, own)
    saved["columns"][place] |= json
    with pytest.raises(ArtifactError):
        FlatColumns.restore(saved, own | arrays)


@pytest.mark.unit
def test_sets_have_no_pairs():
    counts, keys = count_terms(Ragged(np.array([2, 5, 9, 3, 4], np.int32), np.array([0, 3, 5])))
    block = TextBlock.learn(Summary("terms", counts, np.ones(2, bool), keys), "linear", 0)
    assert block.keys.tolist() == [2, 3, 4, 5, 9]


@pytest.mark.parametrize("form", ["linear", "trees"])
def test_hidden_columns_have_the_features_of_missing_cells(everything, form):
    plan, rows = everything.plan, everything.rows("train")
    cells = summarize(prepare_columns(plan.table, plan.learnt, Silent()))  # texts as words
    learned = FlatColumns.learn(cells.take(rows), form, 0)
    for name, modality in plan.learnt.items():
        hidden = cells.hiding({name})
        assert hidden.rows == 40 and not hidden.columns[name].present.any()
        missing = prepare_columns(open_table({name: [None] * 40}), {name: modality}, Silent())
        expected = learned.apply(Summaries({**cells.columns, **summarize(missing).columns}, 40))
        assert np.array_equal(dense(learned.apply(hidden)), dense(expected), equal_nan=True)
    assert not cells.hiding({*cells.columns}).has_any().any() and cells.has_any().any()
