"""Table of templates about decision thresholds, confusion matrices and operating points."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

EVALUATION: Mapping[str, str] = MappingProxyType(
    {
        "threshold.target": "{name}: {sentence}",
        "threshold.one": "decision threshold {value} ({rule})",
        "threshold.several": "decision thresholds from {low} to {high} for {labels} labels ({rule})",
        "threshold.set": "set after training",
        "threshold.fixed": "by the setting threshold",
        "threshold.validation": "{sentence}, chosen by {rows:,} validation rows",
        "threshold.out_of_fold": "{sentence}, chosen by {rows:,} rows that were predicted out of fold",
        "threshold.measured": "{sentence}; on rows that did not choose it: {changes}",
        "threshold.change": "{name} {before:.4f} at 0.5 → {after:.4f}",
        "threshold.few_rows": "{sentence}; {labels} of {all} stay at 0.5, because fewer than {needed} rows have the "
        "label or fewer than {needed} lack it",
        "threshold.few_rows_binary": "the decision threshold stays at 0.5 instead of {rule}: fewer than {needed} of "
        "{rows:,} rows have one of the classes",
        "threshold.expected_cost": "{sentence}; too few rows to choose {labels} of {all}, so it is the one with the "
        "lowest expected cost if the probabilities are right",
        "threshold.not_reached": "{sentence}; for {labels} of {all}, no threshold reaches the precision, and the one "
        "with the highest precision is used",
        "line.confusion": "confusion matrix{target}: rows are the true classes, columns the predicted ones",
        "line.confusion_labels": "confusion matrix of each label{target}",
        "line.operating_points": "operating points of {label!r}{target} at a prevalence of {prevalence:.3g}; 95% "
        "intervals take the threshold as given",
        "part.of_target": " of {name!r}",
        "part.fixed_at": "{name} {value:.0%}",
        "part.model_threshold": "threshold of the model",
        "column.truth_and_prediction": "true \\ predicted",
        "column.label": "label",
        "column.true_positives": "TP",
        "column.false_positives": "FP",
        "column.false_negatives": "FN",
        "column.true_negatives": "TN",
        "column.fixed": "fixed",
        "column.threshold": "threshold",
        "column.sensitivity": "sensitivity",
        "column.specificity": "specificity",
        "column.ppv": "PPV",
        "column.npv": "NPV",
    }
)
