"""The sentence about a blend says which figures come from the rows that chose."""

import pytest

from sensorium.model.card import BlendCandidate, BlendRecord
from sensorium.wording import blend_sentence

pytestmark = pytest.mark.unit
RULE = "5 folds, seed 0"


def record(weights, values, **fields):
    """Record of the candidates a, b, …"""
    candidates = [
        BlendCandidate(name=name, modalities=["x"], weight=weight, value=value)
        for name, weight, value in zip("abc", weights, values, strict=False)
    ]
    return BlendRecord(metric="log_loss", judged=1200, how=RULE, candidates=candidates, **fields)


def test_blend_is_compared_with_a_single_model_that_is_chosen_in_the_same_way():
    assert blend_sentence(record([0.4, 0.6], [0.52, 0.5], value=0.49, single=0.51)) == (
        f"blend of b (60%), a (40%): log loss 0.49, estimated on 1,200 rows by models and weights that were fitted on "
        f"other rows ({RULE}); a single model, chosen in the same way, has 0.51. b has the lowest log loss of all "
        f"models on these rows, 0.5; they chose it, so this is optimistic"
    )


def test_record_of_an_early_version_has_no_single_model_that_other_rows_chose():
    assert f"({RULE}). b has the lowest" in blend_sentence(record([0.4, 0.6], [0.52, 0.5], value=0.49))


def test_single_model_has_a_figure_that_other_rows_chose_and_one_of_the_rows_that_chose_it():
    assert blend_sentence(record([1.0, 0.0, 0.0], [0.5, 0.6, 0.7], value=0.51, single=0.51)) == (
        f"no blend: a alone does best, with log loss 0.51, estimated on 1,200 rows by models that were fitted and "
        f"chosen on other rows ({RULE}). On all of these rows, which chose it, it has 0.5; the others: b 0.6, c 0.7"
    )
    assert blend_sentence(record([1.0], [0.5], value=0.5, single=0.5)).endswith(f"on other rows ({RULE})")


def test_single_model_that_all_rows_chose_has_one_figure():
    found = blend_sentence(record([1.0, 0.0], [0.5, 0.6], value=0.5, single=0.5))
    assert found.endswith(f"({RULE}). The others on these rows: b 0.6")
    assert "which chose it" not in found


def test_choice_of_a_modality_is_called_optimistic():
    found = record([0.5, 0.5], [0.5, 0.5], value=0.4, single=0.5, modality="x", alone={"x": 0.4}, together=0.45)
    assert blend_sentence(found).endswith(
        ". The other modalities do not help: log loss is 0.4 with x alone and 0.45 with all modalities, so only x is "
        "used. These rows made this choice, so the lower figure is a little optimistic"
    )
