"""Choose frozen backbones whose features an ordinary CPU computes in seconds."""

from __future__ import annotations

import math

from sensorium.config import Config
from sensorium.findings import ColumnPlan
from sensorium.model.card import BackboneRecord
from sensorium.presets._backbones import (
    ChosenBackbones,
    best_weights,
    free_columns,
    how_to_install,
    is_augmented,
    is_on_cpu,
    larger_weights,
    sample_texts,
    smaller_weights,
    why_unsuited,
)
from sensorium.runtime.progress import duration_text
from sensorium.schema import Schema

FEATURE_SECONDS = 25.0  # that the features of all columns may take by estimate
OF_BUDGET = 0.2  # share of a time budget that they may take instead
LONGEST = 400  # words of a text that a backbone reads, by its limit of 512 tokens


def choose_quick_backbones(schema: Schema, config: Config, budget: float = math.inf) -> list[BackboneRecord]:
    """Return frozen backbones of the columns whose encoder the settings do not name, also those that are not used.

    Features take `FEATURE_SECONDS` at most, or `OF_BUDGET` of the seconds of a time budget, estimated from the number
    of words or images: the choice is the same on every machine. Where the larger backbones are not quick enough for all
    columns together, or not installed, the smaller ones are chosen.
    """
    on_cpu, found = is_on_cpu(config), ChosenBackbones()
    plans = [plan for plan in free_columns(schema.columns, config) if not is_augmented(plan, config)]
    unsuited = {plan.name: why_unsuited(larger_weights(plan), schema, plan.name) for plan in plans}
    sizes = {plan.name: 0.0 if unsuited[plan.name] else _count_items(schema, plan) for plan in plans}
    limit = FEATURE_SECONDS if math.isinf(budget) else OF_BUDGET * budget
    cure = "preset best uses it" if math.isinf(budget) else "a longer budget uses it"
    left, whole = limit, sum(sizes[plan.name] / larger_weights(plan).per_second for plan in plans)
    for plan in plans:
        smaller = smaller_weights(plan)
        offered = [larger_weights(plan), smaller] if whole <= limit else [smaller]
        quick = [weights for weights in offered if sizes[plan.name] / weights.per_second <= left]
        slow = best_weights(plan, schema, on_cpu=on_cpu)
        weights = next((each for each in quick if each.is_usable), quick[0] if quick else slow)
        seconds = sizes[plan.name] / weights.per_second
        reason = unsuited[plan.name]
        if not reason and not quick:
            reason = f"computing its features would take about {duration_text(seconds)}: {cure}"
        left -= 0.0 if reason else seconds
        found.add(plan.name, weights, "frozen", reason or how_to_install(weights))
    return found.records


def _count_items(schema: Schema, plan: ColumnPlan) -> float:
    """Return the number of images, or of words by the mean of a sample, in the labelled rows of a column."""
    rows = int((schema.labels.present & schema.table.column(plan.name).present).sum())
    if plan.modality != "text":
        return rows
    words = [min(len(text.split()), LONGEST) for text in sample_texts(schema, plan.name)]
    return rows * sum(words) / max(1, len(words))
