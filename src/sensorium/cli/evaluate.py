"""Score a model on labelled rows, with 95% intervals."""

from __future__ import annotations

from typing import Annotated

import typer

from sensorium.cli import _options as o
from sensorium.cli._show import show, show_json


def evaluate(
    model: o.Model,
    table: o.Table,
    split: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Rows to score: train, validation, test or all; by default the test rows if they are known, otherwise "
            "all.",
        ),
    ] = None,
    metrics: Annotated[
        str | None,
        typer.Option(
            metavar="A,B,…",
            help="Metrics to compute; by default the usual ones of the task; `all` computes all of the task (see "
            "`sensorium list metrics`).",
        ),
    ] = None,
    per_class: Annotated[
        bool,
        typer.Option("--per-class", help="Also compute precision, recall, F1 and others of each class."),
    ] = False,
    subsets: Annotated[
        bool,
        typer.Option(
            "--subsets",
            help="Also score subsets of the modalities, and report what each one contributes (Shapley values).",
        ),
    ] = False,
    coverage: o.Coverage = None,
    coverage_per: o.CoveragePer = "modalities",
    slice_by: Annotated[
        list[str] | None,
        typer.Option(
            "--slice",
            metavar="A,B,…",
            help="Also score the rows of each value or range of these columns of the table; `present` stands for the "
            "modalities that a row has; by default none. May be repeated.",
        ),
    ] = None,
    find_slices: Annotated[
        bool,
        typer.Option(
            "--find-slices",
            help="Also search for slices with a higher loss: values of columns and of pairs of columns, and clusters "
            "of texts and files.",
        ),
    ] = False,
    by: o.By = None,
    curves: Annotated[
        bool,
        typer.Option(
            "--curves",
            help="With --json: add the confusion matrix, and ROC, precision–recall and reliability curves with 95% "
            "bands.",
        ),
    ] = False,
    prevalence: Annotated[
        float | None,
        typer.Option(
            metavar="P",
            help="Show operating points: sensitivity at a fixed specificity and the reverse, with predictive values "
            "at this share of positives; by default no operating points.",
        ),
    ] = None,
    threshold: o.Threshold = None,
    device: o.Device = None,
    assign: o.SetOfModel = None,
    json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Score a model on labelled rows, with 95% intervals.

    Example: sensorium evaluate run films.csv --split test
    """
    from sensorium.config import parse_assignments
    from sensorium.errors import ConfigError
    from sensorium.evaluate.scored_rows import by_target, check_details
    from sensorium.predictor import load
    from sensorium.report import confusion_text, evaluation_text, operating_points_text, problems_text

    if curves and not json:
        raise ConfigError(
            "--curves is given without --json", rule="curves are data of the JSON object", cure="add --json"
        )
    loaded = load(model, device=device or "auto", config=parse_assignments(assign or []))
    loaded = loaded if threshold is None else loaded.with_threshold(threshold)
    check_details(loaded.fitted.task, curves=curves, prevalence=prevalence)
    found = loaded.evaluate(
        table,
        split,
        metrics=o.names(metrics or ""),
        per_class=per_class,
        subsets=subsets,
        slices=[name for given in slice_by or [] for name in o.names(given)],
        find_slices=find_slices,
        by=by,
        coverage=coverage,
        coverage_per=coverage_per,
        progress=not quiet,
    )
    show(evaluation_text(found), json, quiet)
    content = found.to_json()
    if found.scored and found.scored.has_classes:
        matrices = found.confusion()
        show(confusion_text(matrices), json, quiet)
        content |= {"confusion": by_target(matrices)} if curves else {}
    if curves:
        content["curves"] = by_target(found.curves())
    if prevalence is not None:
        points = found.operating_points(prevalence)
        show(operating_points_text(points), json, quiet)
        content["operating_points"] = by_target(points)
    show(problems_text(found.problems), json, quiet)
    notices = [group.to_json() for group in found.problems.groups()]
    show_json({**content, "notices": notices}, json)
