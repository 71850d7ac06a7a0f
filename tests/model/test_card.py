import json
import math

import pydantic
import pytest

from sensorium.metrics import Difference
from sensorium.model.card import DataSpec, ModelCard, ShiftRecord, TuningRecord

UNDEFINED = Difference("mcc", math.nan, (math.nan, math.nan), math.nan)


def test_a_card_is_the_same_after_a_trip_through_json():
    tuning = TuningRecord(kept="frozen", metric="mcc", frozen=math.nan, difference=UNDEFINED)
    shift = ShiftRecord(source="films", columns={"size": {"present": [1.0, 0.5], "shift": None}})
    card = ModelCard(table="films", tuning=tuning, shift=shift, modality_weights={"text": 0.25})
    written = json.loads(json.dumps(card.to_json(), allow_nan=False))
    read = ModelCard.model_validate(written)
    assert read.to_json() == written
    assert read.tuning.difference.undefined and math.isnan(read.tuning.frozen)
    assert written["moved"]["from"] == "films" and written["shares"] == {"text": 0.25}
    assert written["tuning"]["frozen"] is None and written["tuning"]["difference"]["interval"] == [None, None]


def test_parts_that_a_model_lacks_have_no_key():
    assert not {"tuning", "imbalance", "search", "moved", "calibration"} & ModelCard().to_json().keys()
    assert ModelCard().to_json()["pretraining"] is None


def test_a_part_is_replaced_in_a_copy_and_checked():
    card = ModelCard(table="films")
    assert card.updated(seconds=2.0).seconds == 2.0 and card.seconds == 0.0
    with pytest.raises(AttributeError, match="ModelCard has no second"):
        card.updated(second=2.0)
    with pytest.raises(pydantic.ValidationError):
        card.updated(seconds="long")
    with pytest.raises(pydantic.ValidationError):
        card.table = "other"


def test_the_data_specification_takes_nothing_that_it_does_not_know():
    with pytest.raises(pydantic.ValidationError, match="fingerprnt"):
        DataSpec.model_validate({"fingerprnt": "1f"})
    with pytest.raises(pydantic.ValidationError):
        DataSpec.model_validate({"split_rows": {"train": "12"}})
