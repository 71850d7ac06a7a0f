"""Show a comparison as a Rich table, with its folds and the verdict."""

from __future__ import annotations

from collections.abc import Callable
from statistics import stdev
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType

from sensorium.evaluate import CrossValidation
from sensorium.report._parts import few_lines, groups_line, interval, make_table, signed, text_line
from sensorium.wording import blend_sentence, model_title, say, titles

if TYPE_CHECKING:
    from sensorium.comparison import Comparison, Result
    from sensorium.trials import Cost

FOLDS = 10  # shown, one column each


def comparison_text(found: Comparison) -> RenderableType:
    """Show every model with its watched metric, gain and cost, its folds, the models left out, then the verdict."""
    results, folds = found.results, found.cross_validation
    spread = ["folds"] if folds else ["seeds"] if len(found.seeds) > 1 else []
    metric = found.difference.metric
    costs = [_COSTS[name] for name in _COSTS if any(_COSTS[name][1](r.cost) for r in results)]
    names = (
        "interval",
        *spread,
        "gain",
        "p",
        *(title for title, _ in costs),
    )
    table = make_table(*titles("model", "uses"), metric, *titles(*names, model=found.best_single))
    every = max(results, key=lambda result: len(result.modalities)).modalities
    for result in results:
        table.add_row(
            _name(result),
            say("part.all") if result.modalities == every else " + ".join(result.modalities),
            f"{result.evaluation.metrics[metric]:.4f}",
            interval(result.evaluation.intervals[metric]),
            *([f"{stdev(result.runs):.4f}" if len(result.runs) > 1 else ""] if spread else []),
            *_gain(result),
            *(show(result.cost) for _, show in costs),
            style="bold" if result.name in (found.best_single, found.best_fused) else "",
        )
    lines = [
        text_line(f"? {say('line.left_out', model=name, reason=reason)}", "cyan")
        for name, reason in found.left_out.items()
    ]
    lines += [text_line(blend_sentence(result.blend)) for result in results if result.blend]
    of_folds = _folds_text(found, folds) if folds else []
    return Group(
        table, *groups_line(found.groups), *few_lines(found.few), *of_folds, *lines, text_line(found.verdict, "bold")
    )


def _folds_text(found: Comparison, folds: CrossValidation) -> list[RenderableType]:
    """Show how rows were cut, and the watched metric of every model in every fold, if the folds fit into a table."""
    lines: list[RenderableType] = [text_line(say("line.folds", rows=folds.tested, rule=folds.how))]
    if len(folds.parts) > FOLDS:
        return lines
    metric = found.difference.metric
    names = [say("part.fold", fold=number + 1) for number in range(len(folds.parts))]
    table = make_table(*titles("by_fold", metric=metric), *names)
    for result in found.results:
        table.add_row(_name(result), *(f"{value:.4f}" for value in result.runs))
    return [*lines, table]


def _name(result: Result) -> str:
    return model_title(result.model) if result.kind in ("baseline", "blend") else result.name


def _gain(result: Result) -> tuple[str, str]:
    """Format the gain of a model of all modalities and its p; empty for a single modality."""
    if result.gain is None or result.p is None:
        return "", ""
    return signed(result.gain), f"{result.p:.3f}"


# A column of costs is shown where one of the models has it.
_COSTS: dict[str, tuple[str, Callable[[Cost], str]]] = {
    "seconds": ("training", lambda cost: f"{cost.seconds:.1f} s"),
    "memory": ("memory", lambda cost: "" if cost.memory is None else f"{cost.memory:,.0f} MB"),
    "energy": ("energy", lambda cost: "" if cost.energy is None else f"{cost.energy:,.0f} J"),
    "rate": ("rate", lambda cost: f"{cost.rows_per_second:,.0f}"),
    "parameters": ("parameters", lambda cost: "" if cost.parameters is None else f"{cost.parameters:,}"),
}
