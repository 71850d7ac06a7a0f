"""Words of reports and sentences about findings, filled in from one table of templates."""

from sensorium.wording._say import say, titles
from sensorium.wording.blend import blend_sentence
from sensorium.wording.card import (
    calibration_sentence,
    coverage_sentence,
    diagnosis_sentence,
    imbalance_sentence,
    public_card,
    restart_sentence,
    stop_sentence,
    tuning_sentence,
)
from sensorium.wording.conformal import conformal_sentences
from sensorium.wording.thresholds import threshold_sentence
from sensorium.wording.verdicts import model_title, verdict_sentence

__all__ = [
    "blend_sentence",
    "calibration_sentence",
    "conformal_sentences",
    "coverage_sentence",
    "diagnosis_sentence",
    "imbalance_sentence",
    "model_title",
    "public_card",
    "restart_sentence",
    "say",
    "stop_sentence",
    "threshold_sentence",
    "titles",
    "tuning_sentence",
    "verdict_sentence",
]
