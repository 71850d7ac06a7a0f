"""Classical models on prepared rows: all modalities as one matrix, gaps left gaps, chosen on the validation rows."""

import numpy as np
import pytest
from scipy.sparse import issparse

from sensorium.baselines import Columns, Job, flatten_columns
from sensorium.baselines._cells import count_tokens, shrink_pictures, sum_up_steps
from sensorium.baselines.trees import bin_columns
from sensorium.config import Config
from sensorium.metrics import score
from sensorium.modalities import Encoded, Ragged
from sensorium.planning import plan_and_prepare
from sensorium.prepare import Prepared
from sensorium.registry import baselines, tasks
from sensorium.runtime.progress import Silent
from sensorium.table import open_table
from sensorium.testing import make_table

SPLIT = {"validation": 0.2, "test": 0.3}
EVERY = ["image", "audio", "text", "number", "category", "date", "tags", "vector", "series", "images", "video", "scan"]


def experiment(table, **settings):
    config = Config.gather({"target": "label", "split": SPLIT}, settings)
    return plan_and_prepare(open_table(table), config, Silent())


def matrix(job):
    return flatten_columns(job.cells, job.rows("train"), 0)


def fitted(name, job, seed=0):
    rows = [job.rows(split) for split in ("train", "validation")]
    model = baselines.load(name)(Job(matrix(job), job.plan.target, *rows, job.plan.task, seed))
    model.fit()
    return model


def answered(name, job):
    rows = job.rows("test")
    return job.plan.task.outcome(fitted(name, job).scores(rows), job.plan.target[rows])


def labels(task, signal, random):
    names = {"binary": ["no", "yes"], "multiclass": ["a", "b", "c"]}
    if task == "regression":
        return signal * 1e6 + 1e7
    if task == "multilabel":
        return [[name for name in "pqr" if random.random() < 0.2 + 0.6 * (x > 0)] for x in signal]
    places = np.digitize(signal, np.quantile(signal, np.linspace(0, 1, len(names[task]) + 1)[1:-1]))
    return [names[task][place] for place in places]


def known_tasks(name):
    return baselines.entry(name).literal("TASKS")


@pytest.mark.parametrize(("name", "task"), [(name, task) for name in baselines.names() for task in known_tasks(name)])
def test_a_baseline_learns_each_task_that_it_names(name, task):
    random = np.random.default_rng(0)
    signal = random.normal(size=400)
    table = {"one": signal, "kind": random.choice(list("xyz"), 400), "label": labels(task, signal, random)}
    job = experiment(table, task=task)
    found = answered(name, job)
    watched, floor = {"regression": ("r2", 0.9), "multilabel": ("f1_micro", 0.6)}.get(task, ("accuracy", 0.9))
    assert score(watched, found)[0] > floor
    guess = np.broadcast_to(
        np.array(job.plan.task.prior(job.plan.target[job.rows("train")])),
        (len(found), len(job.plan.task.prior(job.plan.target))),
    )
    plain = job.plan.task.outcome(guess[:, 0] if task == "regression" else guess, job.plan.target[job.rows("test")])
    assert score(watched, found)[0] > score(watched, plain)[0]


def test_every_task_is_suited_or_known_to_be_left_out():
    for name in baselines.names():
        assert set(known_tasks(name)) == set(tasks.names()) - {"several"}


def test_every_modality_becomes_numbers_and_gaps_stay_gaps(tmp_path):
    job = experiment(make_table(tmp_path, rows=40, modalities=EVERY, missing=0.2))
    found = matrix(job)
    assert found.values.dtype == np.float32 and found.values.shape == (40, len(found.levels))
    for name in job.plan.learnt:
        own = matrix(_only(job, name))
        gaps = np.isnan(own.values)
        assert (gaps.all(1) == ~job.cells.columns[name].present).all() and (gaps.any(1) == gaps.all(1)).all()
        assert own.values.shape[1] <= 128
    assert np.isfinite(fitted("linear", job).scores(job.rows("test"))).all()


def test_a_streamed_column_gives_the_same_numbers(tmp_path):
    path = make_table(tmp_path, rows=30, modalities=["image", "audio"])
    kept, streamed = (matrix(experiment(path, prepare={"stream": on})) for on in (False, True))
    assert np.allclose(kept.values, streamed.values, atol=1e-4)


def test_what_is_learnt_for_the_matrix_is_learnt_from_training_rows(tmp_path):
    """Other rows' pictures and words may be anything: a training row's numbers stay."""
    job = experiment(make_table(tmp_path, rows=60, modalities=["image", "text"]))
    before, train = matrix(job), job.rows("train")
    other = np.setdiff1d(np.arange(60), train)
    pictures = np.array(job.cells.columns["image"].values)
    pictures[other] = 255 - pictures[other] // 2
    words = job.cells.columns["text"].values
    changed = np.array(words.values)
    for row in other:
        changed[words.offsets[row] : words.offsets[row + 1]] = 1
    object.__setattr__(job.cells.columns["image"], "values", pictures)
    object.__setattr__(job.cells.columns["text"], "values", Ragged(changed, words.offsets))
    after = matrix(job)
    assert np.allclose(before.values[train], after.values[train], atol=1e-4)
    assert not np.allclose(before.values[other], after.values[other], atol=1e-2)


def test_the_same_seed_gives_the_same_answers(tmp_path):
    job = experiment(make_table(tmp_path, rows=60, modalities=["image", "text", "number"]))
    for name in baselines.names():
        first, second = (fitted(name, job).scores(job.rows("test")) for _ in range(2))
        assert np.array_equal(first, second)


@pytest.mark.unit
def test_words_and_pairs_of_words_are_counted_within_their_cell():
    cells = Ragged(np.array([5, 6, 5, 6, 7], np.int32), np.array([0, 4, 4, 5]))
    found = count_tokens(cells)
    assert issparse(found) and found.shape[0] == 3
    assert found[0, 5] == 2 and found[0, 6] == 2 and found[2, 7] == 1
    assert found[1].sum() == 0
    assert found[0].sum() == 4 + 3 and found[2].sum() == 1  # three pairs in the first cell, none across cells


@pytest.mark.unit
def test_a_series_is_summed_up_by_its_moments():
    steps = np.random.default_rng(0).normal(size=(9, 2)).astype(np.float32)
    found = sum_up_steps(Ragged(steps, np.array([0, 9, 9])))
    wanted = [
        steps.mean(0),
        steps.std(0),
        steps.min(0),
        steps.max(0),
        steps[-1],
        *(p.mean(0) for p in np.split(steps, 3)),
    ]
    assert found[0] == pytest.approx(np.concatenate([*wanted, [np.log(10)]]), abs=1e-6)
    assert (found[1] == 0).all()


@pytest.mark.unit
def test_waveforms_are_summed_up_as_a_series_of_one_channel():
    samples, offsets = np.random.default_rng(0).normal(size=90).astype(np.float32), np.array([0, 40, 90])
    sound = Encoded(Ragged(samples, offsets), np.array([True, True]), [])
    found = flatten_columns(Prepared({"sound": sound}, []), np.array([0]), 0)
    assert np.array_equal(found.values, sum_up_steps(Ragged(samples[:, None], offsets)))


@pytest.mark.unit
def test_pictures_are_shrunk_to_means_over_areas():
    pictures = np.random.default_rng(0).integers(0, 256, (3, 24, 24, 3), dtype=np.uint8)
    wanted = pictures.reshape(3, 12, 2, 12, 2, 3).mean((2, 4)) / 255
    assert shrink_pictures(pictures) == pytest.approx(wanted.reshape(3, -1), abs=1e-5)
    small = wanted.reshape(3, -1)
    several = shrink_pictures(Ragged(pictures, np.array([0, 2, 3])))
    assert several[0] == pytest.approx(np.concatenate([small[:2].mean(0), small[:2].std(0)]), abs=1e-5)
    odd = np.arange(5 * 13 * 13, dtype=np.float16).reshape(1, 5, 13, 13)
    assert shrink_pictures(odd).shape == (1, 5 * 12 * 12)


def _only(job, name):
    class One:
        cells = job.cells.only([name])
        rows = staticmethod(job.rows)

    return One


def test_texts_that_are_all_alike_are_no_fault():
    job = experiment(
        {"one": ["the same words"] * 60, "two": np.arange(60) / 2, "label": ["a", "b"] * 30},
        columns=["one", "two"],
        modalities={"one": "text"},
    )
    assert np.isfinite(matrix(job).values).all()


def test_trees_stop_where_the_validation_rows_are_predicted_best():
    """Labels are noise but for one number: a few trees say all, and more of them only fit the noise."""
    random = np.random.default_rng(0)
    signal = random.normal(size=400)
    wrong = random.random(400) < 0.2
    table = {
        "one": signal,
        "two": random.normal(size=400),
        "label": [str((x > 0) ^ w) for x, w in zip(signal, wrong, strict=True)],
    }
    job = experiment(table)
    found = fitted("trees", job)
    model, best = found.models[0]
    known = job.plan.target[job.rows("validation")]
    losses = [found.loss(answers, known) for answers in found._staged(model, job.rows("validation"))]
    assert model.n_iter_ < 200 and best == int(np.argmin(losses)) and best + 1 < model.n_iter_
    assert found.loss(found.scores(job.rows("validation")), known) == pytest.approx(min(losses))


def test_trees_see_few_different_values_and_the_order_of_numbers():
    """scikit-learn's own binning is quick for them, whatever the weights of the rows."""
    random = np.random.default_rng(0)
    values = random.normal(size=(3000, 3)).astype(np.float32)
    values[:, 1] = np.round(values[:, 1])
    values[::7, 0] = np.nan
    values[:, 2] = random.integers(0, 5, 3000)
    columns = Columns(values, np.array([0, 0, 5]), np.zeros(3, np.bool_))
    binned = bin_columns(columns, np.arange(2000))
    assert (np.isnan(binned) == np.isnan(values)).all()
    assert np.array_equal(binned[:, 1:], values[:, 1:])  # few values, and categories
    there = ~np.isnan(values[:, 0])
    assert 200 < len(np.unique(binned[there, 0])) <= 255
    order = np.argsort(values[there, 0])
    assert (np.diff(binned[there, 0][order]) >= 0).all()
    counts = np.unique(binned[:2000][there[:2000], 0], return_counts=True)[1]
    assert counts.max() <= 2 * counts.min() + 1  # quantiles of the training rows
