"""Show results on a terminal."""

from sensorium.report._parts import text_line
from sensorium.report.comparison_text import comparison_text
from sensorium.report.evaluation_details import confusion_text, operating_points_text
from sensorium.report.imbalance import imbalance_json, imbalance_text
from sensorium.report.listing import listing_text, settings_text
from sensorium.report.quantized import quantized_text
from sensorium.report.shift import shift_text
from sensorium.report.text import (
    evaluation_text,
    fit_text,
    inspection_text,
    predictions_text,
    problems_text,
    subsets_text,
)

__all__ = [
    "comparison_text",
    "confusion_text",
    "evaluation_text",
    "fit_text",
    "imbalance_json",
    "imbalance_text",
    "inspection_text",
    "listing_text",
    "operating_points_text",
    "predictions_text",
    "problems_text",
    "quantized_text",
    "settings_text",
    "shift_text",
    "subsets_text",
    "text_line",
]
