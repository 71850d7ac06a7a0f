"""Models of one experiment that differ in an encoder, and what the features of a frozen one allow."""

import numpy as np
import pytest
from sensorium.experiment import Experiment, Variant

from sensorium.config import Config
from sensorium.errors import ConfigError
from sensorium.runtime.progress import Silent
from sensorium.table import open_table


def experiment(table, encoder):
    settings = {"target": "label", "encoders": {"text": encoder}, "train": {"epochs": 1}}
    return Experiment(open_table(table), Config.gather(settings), Silent())


def encoder_of(trained):
    return next(tower.encoder for tower in trained.bundle.network.every_tower if tower.name == "text")


@pytest.mark.parametrize("encoder", ["bilstm", {"name": "text_tfidf", "dimensions": 7}])
def test_features_of_one_encoder_are_not_given_to_another(encoder, tabular):
    with pytest.raises(ConfigError, match="the features of text were computed by text_tfidf"):
        experiment(tabular, "text_tfidf").learn(Variant(settings={"encoders": {"text": encoder}}))


def test_what_stands_behind_the_features_may_change(tabular):
    settings = {"encoders": {"text": {"name": "text_tfidf", "size": 9, "dropout": 0.0}}}
    assert encoder_of(experiment(tabular, "text_tfidf").learn(Variant(settings=settings))).width == 9


def test_a_variant_learns_what_its_encoder_counts(tabular):
    """As if the experiment had been of that encoder from the start."""
    found = experiment(tabular, "bilstm").learn(Variant(settings={"encoders": {"text": "text_tfidf"}}))
    expected = experiment(tabular, "text_tfidf").learn()
    states = [encoder_of(each).backbone.state_dict() for each in (found, expected)]
    assert states[0]["idf"].any()
    assert all(np.array_equal(states[0][name], value) for name, value in states[1].items())
