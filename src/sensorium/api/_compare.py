"""Compare fusions, single modalities, baselines and the blend: `compare`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Unpack

from sensorium.api._call import LESS, Settings, check_forms, fold_options, gather_config, open_teacher
from sensorium.artifact.run_record import recorded_cores
from sensorium.comparison import (
    Comparison,
    ComparisonOptions,
    check_comparison,
    check_names,
    compare_over_folds,
    compare_towers,
)
from sensorium.comparison import check_folder as check_comparison_folder
from sensorium.comparison import settle_folder as settle_comparison
from sensorium.config import (
    COUNT,
    COUNT_OR_SEEDS,
    FLAG,
    NAMES,
    OPTIONAL_FLAG,
    OPTIONAL_PATH,
    Config,
    as_plain,
    check_arguments,
    set_both,
)
from sensorium.errors import ConfigError
from sensorium.errors.memory import explain_memory_errors
from sensorium.files import alone_in
from sensorium.model import OWN_FUSION, OwnModules, check_modules, is_maker, own_name, plain_fusion
from sensorium.planning import Plan, PlannedFolds, log_notices, make_plan, plan_folds, prepare_table
from sensorium.presets import check_preset
from sensorium.registry.defaults import AUTO_PRESET, SIMPLEST_PRESET
from sensorium.registry.failures import explain_member_errors
from sensorium.runtime.progress import Reporter, reporter
from sensorium.runtime.threads import Threads, torch_threads
from sensorium.table import open_table
from sensorium.trials import plan_identity


@explain_memory_errors(LESS)
@explain_member_errors()
def compare(
    table: Any,
    target: str | Sequence[str] | None = None,
    *,
    fusions: str | Sequence[Any] | None = None,
    baselines: str | Sequence[str] | None = None,
    blend: bool | None = None,
    seeds: int | Sequence[int] = 1,
    workers: int = 1,
    folds: int | None = None,
    repeats: int = 1,
    overwrite: bool = False,
    out: str | Path | None = None,
    config: str | Path | Mapping[str, Any] | None = None,
    progress: bool = True,
    **settings: Unpack[Settings],
) -> Comparison:
    """Compare fusions with every single modality, classical baselines and a blend, all trained on the same split.

    The verdict says whether fusing the modalities helps, and which model to use.

    Args:
        table, target, config, progress, **settings: as for `fit`.
        fusions: registered names and your own fusions (classes, functions or modules, as for `fit`), or "all"; by
            default attention, concat, gated, late, low_rank and weighted_sum.
        baselines: registered names, or "none". By default, gradient-boosted trees and a linear model of all columns
            are trained if they support the task and are fast enough.
        blend: whether to train the blend, which `fit` trains with `preset="good"`: a network, linear models and
            boosted trees, weighted by their predictions out of fold. By default, it is trained if neither `fusions` nor
            `baselines` is given and the table supports it. It takes several times as long as one network.
        seeds: number of random seeds for each network, counted from the setting `seed`, or a list of seeds. The split
            is the same for all of them.
        workers: number of processes that train networks in parallel. Predictions and metrics do not depend on it. Time,
            memory and speed are measured per process.
        folds: number of folds of a cross-validation, at least 2, instead of a single split: every model is trained once
            per fold and tested on its rows. Metrics are means over folds; intervals and p-values are those of the
            corrected resampled t-test (Nadeau and Bengio 2003). Groups, time and stratification are those of the
            setting `split`; if a column names the splits, its test rows stay out. No model is saved.
        repeats: how often the rows are cut into folds, each time with another seed. Not with `split.time`.
        overwrite: replace a comparison of another table or other settings in `out`.
        out: folder for the networks and the blend of the first seed and the table of results. Those that an earlier
            call with the same rows and settings saved there are loaded, not trained again. With folds, it holds the
            table of results and the predictions of finished trials.

    Returns:
        The results of all models and the verdict.

    Raises:
        SensoriumError: as for `fit`.
        ConfigError: there is nothing to compare: only one modality, or no validation or test rows.

    Example:
        >>> comparison = sensorium.compare(
        ...     "films.csv", "genre", fusions=["concat"], baselines=["none"], epochs=1, progress=False
        ... )
        >>> [result.name for result in comparison.results]
        ['plot', 'tabular', 'concat']
        >>> comparison.helps in (True, False)
        True
    """
    check_forms(target, config, settings)
    check_arguments(OPTIONAL_PATH, out=out)
    check_arguments(FLAG, overwrite=overwrite, progress=progress)
    check_arguments(OPTIONAL_FLAG, blend=blend)
    names, own = _named(fusions)
    check_arguments(NAMES, fusions=names, baselines=baselines)
    check_arguments(COUNT, workers=workers)
    check_arguments(COUNT_OR_SEEDS, seeds=seeds)
    cut = fold_options(folds, repeats)
    names, baselines = _listed(names), _listed(baselines)
    check_names(names, baselines)
    chosen, modules = gather_config(target, config, settings)
    modules = OwnModules(modules.encoders, {**modules.fusions, **own})
    _check_compared(chosen)
    check_modules(modules, workers=workers)
    if out:
        check_comparison_folder(Path(out), table=table, config=config)
    wanted = None if blend is None else bool(blend)
    options = ComparisonOptions(names, baselines, _numbered(seeds, chosen.seed), workers, wanted)
    report = reporter(progress)
    with alone_in(Path(out)) if out else nullcontext():
        with report.phase("reading the table"):
            opened = open_table(table, chosen.table)
        with report.phase("planning the training"):
            cores = recorded_cores(Path(out)) if out and not overwrite else None
            planned: Plan | PlannedFolds
            if cut:
                planned = plan_folds(opened, chosen, report, cut, modules=modules, cores=cores)
            else:
                planned = make_plan(opened, chosen, report, modules=modules, teacher=open_teacher(chosen), cores=cores)
        plans = planned.plans if isinstance(planned, PlannedFolds) else [planned]
        check_comparison(plans, options)
        threads = plans[0].threads
        if out:
            made_of = plan_identity(plans[0], command="compare", **(asdict(cut) if cut else {}))
            threads = settle_comparison(Path(out), made_of, threads=threads, cores=plans[0].cores, overwrite=overwrite)
        with torch_threads(threads.most):
            return _compare(planned, options, threads, Path(out) if out else None, report)


def _compare(
    planned: Plan | PlannedFolds, options: ComparisonOptions, threads: Threads, out: Path | None, report: Reporter
) -> Comparison:
    """Decode the rows, and train and compare the models, with a number of threads."""
    if isinstance(planned, PlannedFolds):
        return compare_over_folds(planned.with_threads(threads), options, out, report)
    plan = replace(planned, threads=threads)
    log_notices(plan, report)
    return compare_towers(prepare_table(plan, report), options, out, report)


def _numbered(seeds: int | Sequence[int], first: int) -> list[int]:
    """Return the seeds of a comparison: as many as asked for, counted from the first, or the listed ones."""
    found = as_plain(seeds)
    return [first + more for more in range(found)] if isinstance(found, int) else [*dict.fromkeys(found)]


def _named(fusions: Any) -> tuple[Any, dict[str, Any]]:
    """Replace the user's own fusions in a list by their names, and return them: name → fusion."""
    listed = [fusions] if is_maker(fusions) else fusions
    if not isinstance(listed, list | tuple):
        return fusions, {}
    own: dict[str, Any] = {}
    for fusion in filter(is_maker, listed):
        if own.setdefault(own_name(fusion), fusion) is not fusion:
            finding = f"two of your own fusions are called {plain_fusion(own_name(fusion))!r}"
            raise ConfigError(finding, place="fusions", rule="each fusion has a name of its own")
    names = [own_name(each) if is_maker(each) else each for each in listed]
    return names, {name: fusion for name, fusion in own.items() if name.startswith(OWN_FUSION)}


def _listed(names: str | Sequence[str] | None) -> Sequence[str] | None:
    plain = as_plain(names)
    return [plain] if isinstance(plain, str) else plain


def _check_compared(config: Config) -> None:
    """Reject settings that a comparison does not support."""
    if config.preset not in (AUTO_PRESET, SIMPLEST_PRESET):
        check_preset(config.preset)
        rule = "compare has the model of the preset good as the row blend: --blend (Python: blend=True)"
        cure = f"remove the setting, or use fit: {set_both('preset', config.preset)}"
        raise ConfigError(f"compare has no preset {config.preset}", place="preset", rule=rule, cure=cure)
    if config.train.imbalance != "off":
        technique = set_both("train.techniques.pmr", {})
        cure = f"use fit --check-imbalance (Python: train={{'imbalance': 'auto'}}), or set a technique: {technique}"
        raise ConfigError(
            "compare does not check for modality imbalance", place="train.imbalance", rule="off", cure=cure
        )
    if config.train.unfreeze:
        raise ConfigError(
            "compare does not fine-tune in a second stage",
            place="train.unfreeze",
            cure="remove the setting, or use fit",
        )
