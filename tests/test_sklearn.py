"""The estimators are scikit-learn's, and take what its own can't: text beside numbers, missing cells."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks

from sensorium.errors import SchemaError
from sensorium.sklearn import MultimodalClassifier, MultimodalRegressor


@pytest.fixture(scope="module")
def frame():
    random = np.random.default_rng(0)
    label = random.choice(["red", "blue"], 160)
    return pd.DataFrame(
        {
            "remark": [f"a {k} thing number {i}" for i, k in enumerate(label)],
            "size": np.where(random.random(160) < 0.1, np.nan, random.normal(size=160)),
            "label": label,
        }
    )


def test_cross_validation_of_text_beside_numbers(frame):
    scores = cross_val_score(MultimodalClassifier(epochs=6), frame[["remark", "size"]], frame["label"], cv=3)
    assert len(scores) == 3
    assert scores.mean() > 0.9


def test_probabilities_are_in_the_order_of_the_classes(frame):
    model = MultimodalClassifier(epochs=6).fit(frame[["remark", "size"]], frame["label"])
    assert model.classes_.tolist() == ["blue", "red"]
    shares = model.predict_proba(frame[["remark", "size"]])
    assert (model.classes_[shares.argmax(1)] == model.predict(frame[["remark", "size"]])).all()


def test_pipelines_searches_and_clones(frame):
    pipeline = make_pipeline(FunctionTransformer(), MultimodalClassifier(epochs=2))
    grid = {"multimodalclassifier__epochs": [1, 2]}
    found = GridSearchCV(pipeline, grid, cv=2).fit(frame[["remark", "size"]], frame["label"])
    assert found.best_params_["multimodalclassifier__epochs"] in (1, 2)
    settings = MultimodalClassifier(fusion="late", epochs=3, encoders={"remark": "text_cnn"}, random_state=4)
    assert clone(settings).get_params() == settings.get_params()


def test_a_grid_search_sets_single_settings(frame):
    grid = {"config__width": [16, 32], "config__train__learning_rate": [0.01]}
    base = MultimodalClassifier(epochs=1, config={"train": {"batch_size": 16}})
    found = GridSearchCV(base, grid, cv=2, error_score="raise").fit(frame[["size"]], frame["label"])
    settings = found.best_estimator_.model_.fitted.config
    assert settings.width == found.best_params_["config__width"]
    assert (settings.train.learning_rate, settings.train.batch_size) == (0.01, 16)
    assert base.config == {"train": {"batch_size": 16}}
    assert found.best_estimator_.get_params()["config"]["width"] == settings.width


@pytest.mark.parametrize(
    ("name", "meant"), [("width", "config__width"), ("learning_rate", "config__train__learning_rate")]
)
def test_a_setting_that_is_no_parameter_is_refused_with_its_name(name, meant):
    with pytest.raises(ValueError, match=f"Invalid parameter '{name}'.*use '{meant}'"):
        MultimodalClassifier().set_params(**{name: 1})
    with pytest.raises(ValueError, match="Invalid parameter 'widht'"):
        MultimodalClassifier().set_params(widht=1)


def test_settings_reach_the_model(frame):
    model = MultimodalClassifier(fusion="late", epochs=2, encoders={"remark": "text_cnn"}, random_state=4)
    model.fit(frame[["remark", "size"]], frame["label"])
    assert model.model_.fusion == "late"
    assert model.model_.fitted.config.seed == 4
    assert "text_cnn" in {tower.encoder for tower in model.model_.fitted.blueprint.towers}


def test_a_generator_draws_the_seed(frame):
    given = frame[["size"]], frame["label"]
    first, second, other = (
        MultimodalClassifier(epochs=1, random_state=np.random.RandomState(seed)).fit(*given) for seed in (3, 3, 4)
    )
    assert (first.predict_proba(given[0]) == second.predict_proba(given[0])).all()
    assert (first.predict_proba(given[0]) != other.predict_proba(given[0])).any()


def test_a_class_of_one_row_keeps_its_place(frame):
    label = frame["label"].where(frame.index > 0, "a lone one")
    model = MultimodalClassifier(epochs=6).fit(frame[["remark"]], label)
    assert model.predict_proba(frame[["remark"]]).shape == (160, 3)
    assert (model.predict(frame[["remark"]]) == label).mean() > 0.9


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The number of unique classes")
def test_classes_that_only_validation_rows_have_keep_their_place():
    """Each class has one row: some of them are not among the training rows."""
    X = np.random.default_rng(0).normal(size=(40, 1))
    y = np.array([f"k{row:02}" for row in range(40)])
    model = MultimodalClassifier(preset="fast", epochs=30, config={"width": 32}).fit(X, y)
    learned = model.model_.labels
    assert 2 < len(learned) < 40
    shares = model.predict_proba(X)
    assert shares.shape == (40, 40)
    assert set(np.flatnonzero(shares.any(0))) == set(learned)
    assert np.array_equal(model.predict(X), model.classes_[shares.argmax(1)])
    assert np.array_equal(shares[:, learned], model.model_.predict_proba({"x0": X[:, 0]}))


def test_amounts_are_predicted_in_their_unit(frame):
    amount = 1000 + 50 * frame["size"].fillna(0)
    model = MultimodalRegressor(epochs=25).fit(frame[["remark", "size"]], amount)
    assert model.score(frame[["remark", "size"]], amount) > 0.8


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:invalid value encountered in cast:RuntimeWarning")  # a check's own arrays
@parametrize_with_checks([MultimodalClassifier(epochs=2), MultimodalRegressor(epochs=2)])
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


def test_what_a_cell_means_does_not_depend_on_the_other_rows():
    """Text that spells numbers in every row of a call is the text that it was in training."""
    random = np.random.default_rng(0)
    spelt = random.choice(["1.10", "1.20", "2.5", "beta"], 160)
    frame = pd.DataFrame({"v": spelt, "x": random.normal(size=160)})
    model = MultimodalClassifier(epochs=8).fit(frame, np.where(np.isin(spelt, ["1.10", "beta"]), "yes", "no"))
    few = pd.DataFrame({"v": ["1.10", "1.20", "2.5"], "x": [0.0, 0.0, 0.0]})
    more = pd.concat([few, pd.DataFrame({"v": ["beta"], "x": [0.0]})])
    alone, among = model.predict_proba(few), model.predict_proba(more)[:3]
    np.testing.assert_allclose(alone, among, atol=1e-6)
    np.testing.assert_allclose(alone, model.model_.predict_proba(few), atol=1e-6)
    assert alone[0, 1] > 0.8 and alone[1, 1] < 0.2 and not len(model.model_.predictions(few).problems)


def test_numbers_keep_their_spelling_in_a_fit():
    spelt = ["1.1", "1.10", "1.2", "1.20"] * 30
    labels = np.array(["a", "b", "a", "b"] * 30)
    model = MultimodalClassifier(epochs=12, modalities={"v": "category"}).fit(pd.DataFrame({"v": spelt}), labels)
    assert (model.predict(pd.DataFrame({"v": spelt})) == labels).all()


@pytest.mark.unit
@pytest.mark.parametrize(
    ("labels", "message"), [(None, "y is None"), (["a", "b"], "4 rows or more"), (["a"] * 6, "one class only: 'a'")]
)
def test_labels_that_nothing_can_be_learnt_from_are_refused(labels, message):
    rows = {"x": [float(row) for row in range(len(labels or [0]))]}
    with pytest.raises(ValueError, match=message):
        MultimodalClassifier().fit(pd.DataFrame(rows), labels)


ORDER = ["none", "mild", "severe"]


def graded(rows=160):
    """Numbers, and words of a severity that grows with the first of them."""
    random = np.random.default_rng(0)
    X = random.normal(size=(rows, 3))
    return X, np.array(ORDER)[np.digitize(X[:, 0], [-0.5, 0.5])]


FORMS = {
    "pandas": lambda words: pd.Categorical(words, categories=ORDER, ordered=True),
    "series": lambda words: pd.Series(pd.Categorical(words, categories=ORDER, ordered=True), index=range(7, 167)),
    "pyarrow": lambda words: pa.DictionaryArray.from_arrays(
        np.array([ORDER.index(word) for word in words], np.int8), ORDER, ordered=True
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_ordered_classes_have_the_order_of_their_categories(form):
    X, words = graded()
    model = MultimodalClassifier(task="ordinal", epochs=12, preset="fast").fit(X, FORMS[form](words))
    assert model.classes_.tolist() == ORDER and model.model_.task == "ordinal"
    shares, predicted = model.predict_proba(X), model.predict(X)
    medians = (shares.cumsum(1)[:, :-1] < 0.5).sum(1)
    assert (predicted == np.array(ORDER)[medians]).all()
    assert (predicted == words).mean() > 0.7


def test_numbers_are_ordered_classes_and_words_without_an_order_are_refused():
    X, words = graded()
    model = MultimodalClassifier(task="ordinal", epochs=2, preset="fast")
    found = model.fit(X, [10 * ORDER.index(word) - 10 for word in words])
    assert found.classes_.tolist() == [-10, 0, 10] and set(found.predict(X)) <= {-10, 0, 10}
    with pytest.raises(ValueError, match=r"the order of the labels of y is unknown, such as 'mild'.*ordered=True"):
        model.fit(X, words)


def test_counts_are_predicted_as_means_above_0():
    X, _ = graded()
    visits = np.random.default_rng(1).poisson(np.exp(X[:, 0]))
    model = MultimodalRegressor(task="count", epochs=12, preset="fast").fit(X, visits)
    assert model.model_.task == "count" and (model.predict(X) > 0).all() and model.score(X, visits) > 0.2
    with pytest.raises(SchemaError, match="-1 is negative"):
        model.fit(X, visits - 1)


def test_a_task_of_another_estimator_is_refused():
    X, words = graded()
    with pytest.raises(ValueError, match=r"task='count' is not a task of MultimodalClassifier; .*'ordinal'"):
        MultimodalClassifier(task="count").fit(X, words)
    with pytest.raises(ValueError, match=r"task='gone' is not a task of MultimodalRegressor; .*'count'"):
        MultimodalRegressor(task="gone").fit(X, X[:, 0])


def test_errors_name_the_labels_y_also_beside_a_column_of_that_name():
    frame = pd.DataFrame({"x": np.sin(np.arange(40.0))})
    with pytest.raises(SchemaError, match="column 'y'"):
        MultimodalRegressor().fit(frame, np.ones(40))
    with pytest.raises(SchemaError, match="column 'y_'"):
        MultimodalRegressor().fit(frame.assign(y=frame.x), np.ones(40))
