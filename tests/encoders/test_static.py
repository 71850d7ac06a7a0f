"""Encoders that count: TF-IDF and its decomposition against scikit-learn, hashed n-grams against a loop."""

import numpy as np
import pytest
import torch

import sensorium
from prepared import prepare
from sensorium.batch import Cells
from sensorium.config import check_options
from sensorium.encoders._tfidf import Tfidf, truncated_svd
from sensorium.encoders.text_hashed import FACTOR, SHIFT, TextHashed
from sensorium.encoders.text_tfidf import TextTfidf
from sensorium.errors import ConfigError, DataError
from sensorium.modalities.text import Text
from sensorium.model import Features
from sensorium.table import open_table
from sensorium.testing import make_table

VOCABULARY = 40


def documents(count=60, seed=0):
    """Ids of texts with topics, so that some words go together."""
    random = np.random.default_rng(seed)
    topics = random.dirichlet(np.full(VOCABULARY - 1, 0.1), 4)
    return [1 + random.choice(VOCABULARY - 1, random.integers(1, 25), p=topics[n % 4]) for n in range(count)]


def cells(texts):
    ids = np.zeros((len(texts), max(map(len, texts))), np.int32)
    for row, text in enumerate(texts):
        ids[row, : len(text)] = text
    return Cells(torch.from_numpy(ids), torch.ones(len(texts), dtype=torch.bool), torch.from_numpy(ids > 0))


def learnt(texts, **options):
    model = Tfidf(VOCABULARY, **{"dimensions": 8, "bigrams": 0, "sublinear": True} | options)
    model.learn([cells(texts[:2]), cells(texts[2:])])
    return model


def sklearns(texts, **options):
    text = pytest.importorskip("sklearn.feature_extraction.text")
    vectorizer = text.TfidfVectorizer(analyzer="word", token_pattern=r"\S+", lowercase=False, **options)
    return vectorizer, vectorizer.fit_transform([" ".join(map(str, words)) for words in texts])


def matrix(model, texts):
    """Dense (n, terms)."""
    terms, weights = model.weigh(*(lambda c: (c.values, c.mask))(cells(texts)))
    found = torch.zeros(len(texts), len(model.idf))
    return found.scatter_add(1, terms, weights).numpy()


@pytest.mark.parametrize("sublinear", [True, False])
def test_words_weigh_as_in_scikit_learn(sublinear):
    texts = documents()
    vectorizer, wanted = sklearns(texts, sublinear_tf=sublinear)
    columns = [int(word) for word in vectorizer.get_feature_names_out()]
    assert np.allclose(matrix(learnt(texts, sublinear=sublinear), texts)[:, columns], wanted.toarray(), atol=1e-5)


def test_pairs_weigh_as_in_scikit_learn():
    """Its vocabulary is given: all words, and the pairs that two texts or more have."""
    texts = documents()
    vectorizer, counts = sklearns(texts, ngram_range=(1, 2))
    often = np.asarray((counts > 0).sum(0))[0]
    names = [
        name
        for name, count in zip(vectorizer.get_feature_names_out(), often, strict=True)
        if " " not in name or count > 1
    ]
    _, wanted = sklearns(texts, ngram_range=(1, 2), vocabulary=names, sublinear_tf=True)
    model = learnt(texts, bigrams=10_000)
    pairs = [divmod(int(key), VOCABULARY) for key in model.pairs]
    place = {f"{a} {b}": VOCABULARY + n for n, (a, b) in enumerate(pairs)}
    assert set(place) == {name for name in names if " " in name} and place
    columns = [place[name] if " " in name else int(name) for name in names]
    assert np.allclose(matrix(model, texts)[:, columns], wanted.toarray(), atol=1e-5)


def test_the_most_frequent_pairs_are_kept():
    texts = [np.array(words) for words in ([1, 2, 3], [1, 2, 4], [1, 2], [3, 4, 3, 4], [3, 4], [5, 6])]
    assert learnt(texts * 5, bigrams=1).pairs.tolist() == [1 * VOCABULARY + 2]
    assert learnt(texts, bigrams=9).pairs.tolist() == [1 * VOCABULARY + 2, 3 * VOCABULARY + 4]


def test_the_decomposition_keeps_as_much_as_scikit_learns():
    decomposition = pytest.importorskip("sklearn.decomposition")
    texts = documents(200)
    _, wanted = sklearns(texts)
    exact = decomposition.TruncatedSVD(6, algorithm="arpack", random_state=0).fit(wanted)
    sparse = torch.from_numpy(wanted.toarray()).float().to_sparse_coo().coalesce()
    found = truncated_svd(sparse, 6).numpy()
    assert np.allclose(found.T @ found, np.eye(6), atol=1e-4)
    assert np.allclose(np.linalg.norm(wanted @ found, axis=0), exact.singular_values_, rtol=1e-4)
    projector = exact.components_.T @ exact.components_
    assert np.allclose(found @ found.T, projector, atol=1e-2)


def test_features_are_standardised_components():
    texts = documents(200)
    model = learnt(texts, dimensions=6)
    features = model(*(lambda c: (c.values, c.mask))(cells(texts))).numpy()
    assert np.allclose(features.mean(0), 0, atol=1e-4) and np.allclose(features.std(0), 1, atol=1e-3)
    plain = matrix(model, texts) @ truncated_svd(torch.from_numpy(matrix(model, texts)).to_sparse_coo(), 6).numpy()
    assert np.allclose(np.abs(features), np.abs((plain - plain.mean(0)) / plain.std(0)), atol=1e-2)


def test_few_texts_have_few_components():
    model = learnt(documents(30)[:26], dimensions=64)
    features = model(*(lambda c: (c.values, c.mask))(cells(documents(30))))
    assert features.isfinite().all() and features.shape == (30, 64)
    assert (features[:, 26:] == 0).all()


def test_blank_texts_alone_are_told():
    table = {"remark": [" "] * 40, "number": list(range(40)), "label": ["a", "b"] * 20}
    chosen = {"modalities": {"remark": "text"}, "encoders": {"remark": "text_tfidf"}}
    with pytest.raises(DataError, match="none of the training cells can be read"):
        sensorium.fit(table, "label", config=chosen, progress=False)


def by_loop(encoder, text):
    """The mean embedding of all words and n-grams, and of those that begin at each place."""
    table, every, places = encoder.embed.weight.detach().numpy(), [], []
    for start in range(len(text)):
        here = [table[text[start]]]
        for length in encoder.ngrams:
            if start + length <= len(text):
                found = 0
                for word in text[start : start + length]:
                    found = (found + int(word)) * FACTOR % 2**64
                signed = found - 2**64 if found >= 2**63 else found
                here.append(table[encoder.vocabulary + (signed >> SHIFT) % encoder.buckets])
        every += here
        places.append(np.mean(here, 0))
    return np.mean(every, 0), np.stack(places)


@pytest.mark.parametrize(("unit", "ngrams"), [("word", None), ("character", None), ("word", (2, 3, 30))])
def test_hashed_ngrams_are_those_of_a_loop(unit, ngrams):
    texts = documents(20)
    encoder = TextHashed(VOCABULARY, unit=unit, ngrams=ngrams, buckets=50, size=8).eval()
    found = encoder(cells(texts))
    for row, text in enumerate(texts):
        summary, places = by_loop(encoder, text)
        assert np.allclose(found.pooled()[row].detach(), summary, atol=1e-5)
        assert np.allclose(found.values[row, : len(text)].detach(), places, atol=1e-5)
    assert found.mask.sum() == sum(map(len, texts))


def test_characters_are_asked_of_the_modality(tabular):
    encoders = {"text": {"name": "text_hashed", "unit": "character"}}
    model = sensorium.fit(tabular, "label", columns=["text"], encoders=encoders, epochs=1, progress=False)
    learnt = model.fitted.learnt["text"]
    assert isinstance(learnt, Text) and learnt.encoder_spec()["vocabulary"] < 60
    column = open_table({"text": ["the oven"]}).column("text")
    assert len(learnt.encode(column).values[0]) == len("the oven")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["text_tfidf", "text_hashed"])
def test_topics_are_learnt(name, tmp_path):
    table = make_table(tmp_path, rows=400, modalities=["text"])
    model = sensorium.fit(table, "label", encoders={"text": name}, epochs=15, progress=False)
    assert model.test.metrics["accuracy"] > 0.5  # chance is a third, 0.8 the best there is


def settings(**options):
    return {"encoders": {"text": {"name": "text_tfidf", "dimensions": 16, **options}}, "train": {"epochs": 1}}


def test_counting_sees_training_rows_alone():
    """Words and pairs of other rows change nothing of what is learnt."""

    def counted(others):
        texts = ["good deep lake", "good deep shore", "bad engine brake", "bad engine wheel"] * 10
        rows = texts + others
        table = {"remark": rows, "split": ["train"] * 40 + ["validation", "test"] * (len(others) // 2),
                 "label": (["a", "a", "b", "b"] * len(rows))[: len(rows)]}  # fmt: skip
        chosen = {"target": "label", "modalities": {"remark": "text"}, "encoders": {"remark": "text_tfidf"}}
        return prepare(table, chosen).frozen["remark"].identity()

    assert counted(["good deep lake", "bad engine brake"] * 2) == counted(["some good engine words", "wheel brake"] * 4)


@pytest.mark.slow
def test_features_are_computed_once_for_all_models_and_runs(tabular, tmp_path, monkeypatch):
    monkeypatch.setenv("SENSORIUM_CACHE", str(tmp_path))
    plain, given = Features._encode, []
    monkeypatch.setattr(
        Features, "_encode", lambda self, cells, *a: (given.append(len(cells.present)), plain(self, cells, *a))[1]
    )
    found = sensorium.compare(
        tabular, "label", fusions=["concat", "gated"], config=settings(), baselines=[], progress=False
    )
    rows = sum(given)
    assert len(found.results) == 4 and rows == 120
    sensorium.fit(tabular, "label", config=settings(), progress=False)
    assert sum(given) == rows
    sensorium.fit(tabular, "label", config=settings(bigrams=3), progress=False)
    assert sum(given) == 2 * rows


@pytest.mark.parametrize("stream", [False, True])
def test_a_saved_model_answers_alike(stream, tabular, tmp_path):
    config = settings() | {"prepare": {"stream": stream}}
    model = sensorium.fit(tabular, "label", config=config, progress=False)
    model.save(tmp_path / "model.zip")
    again = sensorium.load(tmp_path / "model.zip")
    assert again.evaluate(tabular).metrics == pytest.approx(model.evaluate(tabular).metrics, nan_ok=True)
    weights = again.fitted.network.state_dict()
    assert all(torch.equal(weights[name], value) for name, value in model.fitted.network.state_dict().items())
    kinds = [type(tower.encoder) for tower in again.fitted.network.every_tower]
    assert TextTfidf in kinds


@pytest.mark.unit
@pytest.mark.parametrize("ngrams", [[2, 1_000_000_000], list(range(2, 30)), []])
def test_ngrams_that_would_take_minutes_are_refused(ngrams):
    with pytest.raises(ConfigError, match="ngrams"):
        check_options(TextHashed, {"ngrams": ngrams}, "encoders.text")
