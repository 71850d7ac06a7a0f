"""Models of one experiment that differ in an encoder, and what the features of a frozen one allow."""

import numpy as np
import pytest

from prepared import prepare, trial
from sensorium.errors import ConfigError


def experiment(table, encoder):
    settings = {"target": "label", "encoders": {"text": encoder}, "train": {"epochs": 1}}
    return prepare(table, settings)


def encoder_of(trained):
    return next(tower.encoder for tower in trained.model.network.every_tower if tower.name == "text")


@pytest.mark.parametrize("encoder", ["bilstm", {"name": "text_tfidf", "dimensions": 7}])
def test_features_of_one_encoder_are_not_given_to_another(encoder, tabular):
    with pytest.raises(ConfigError, match="the features of text were computed by text_tfidf"):
        trial(experiment(tabular, "text_tfidf"), settings={"encoders": {"text": encoder}})


def test_what_stands_behind_the_features_may_change(tabular):
    settings = {"encoders": {"text": {"name": "text_tfidf", "size": 9, "dropout": 0.0}}}
    assert encoder_of(trial(experiment(tabular, "text_tfidf"), settings=settings)).width == 9


def test_a_variant_learns_what_its_encoder_counts(tabular):
    """As if the experiment had been of that encoder from the start."""
    found = trial(experiment(tabular, "bilstm"), settings={"encoders": {"text": "text_tfidf"}})
    expected = trial(experiment(tabular, "text_tfidf"))
    states = [encoder_of(each).backbone.state_dict() for each in (found, expected)]
    assert states[0]["idf"].any()
    assert all(np.array_equal(states[0][name], value) for name, value in states[1].items())
