"""Show confusion matrices and operating points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Group, RenderableType

from sensorium.evaluate.confusion import ConfusionMatrix
from sensorium.evaluate.operating_points import OperatingPoint, OperatingTable
from sensorium.evaluate.proportions import Estimate
from sensorium.report._parts import interval, make_table, text_line
from sensorium.wording import say, titles

MAX_SHOWN_CLASSES = 12


def confusion_text(matrices: Mapping[str, ConfusionMatrix]) -> RenderableType:
    """Show the confusion matrices of targets with up to `MAX_SHOWN_CLASSES` classes or labels."""
    lines: list[RenderableType] = []
    for target, matrix in matrices.items():
        if len(matrix.labels) <= MAX_SHOWN_CLASSES:
            is_multilabel = matrix.counts.ndim == 3
            key = "line.confusion_labels" if is_multilabel else "line.confusion"
            lines += [text_line(say(key, target=_of(target))), _labels(matrix) if is_multilabel else _classes(matrix)]
    return Group(*lines)


def _classes(matrix: ConfusionMatrix) -> RenderableType:
    names = [str(label) for label in matrix.labels]
    table = make_table(*titles("truth_and_prediction"), *names)
    for name, row in zip(names, matrix.counts, strict=True):
        table.add_row(name, *(f"{count:,}" for count in row))
    return table


def _labels(matrix: ConfusionMatrix) -> RenderableType:
    table = make_table(*titles("label", "true_positives", "false_positives", "false_negatives", "true_negatives"))
    for label, ((true_negative, false_positive), (false_negative, true_positive)) in zip(
        matrix.labels, matrix.counts, strict=True
    ):
        counts = (true_positive, false_positive, false_negative, true_negative)
        table.add_row(str(label), *(f"{count:,}" for count in counts))
    return table


def operating_points_text(tables: Mapping[str, Sequence[OperatingTable]]) -> RenderableType:
    """Show the operating points of each label."""
    lines: list[RenderableType] = []
    for target, own in tables.items():
        for found in own:
            figures = {"label": str(found.label), "target": _of(target), "prevalence": found.prevalence}
            lines.append(text_line(say("line.operating_points", **figures)))
            table = make_table(*titles("fixed", "threshold", "sensitivity", "specificity", "ppv", "npv"))
            for point in found.points:
                estimates = (point.sensitivity, point.specificity, point.ppv, point.npv)
                table.add_row(_fixed(point), f"{point.threshold:.3g}", *map(_estimate, estimates))
            lines.append(table)
    return Group(*lines)


def _fixed(point: OperatingPoint) -> str:
    if point.level is None:
        return say("part.model_threshold")
    return say("part.fixed_at", name=say(f"column.{point.fixed}"), value=point.level)


def _estimate(found: Estimate) -> str:
    return f"{found.value:.3f} ({interval((found.low, found.high), '.3f')})"


def _of(target: str) -> str:
    return say("part.of_target", name=target) if target else ""
