"""Compare all models on one split."""

from __future__ import annotations

from pathlib import Path

from sensorium.artifact import check_place, sweep_model, to_json, write_file
from sensorium.comparison._blends import leave_out_blend
from sensorium.comparison._folder import RECORD
from sensorium.comparison._options import ComparisonOptions, candidates_of
from sensorium.comparison._result import Comparison
from sensorium.comparison._sweep import Sweep
from sensorium.planning import PreparedTable
from sensorium.runtime.progress import Reporter
from sensorium.trials import forget_matrix


def compare_towers(data: PreparedTable, options: ComparisonOptions, out: Path | None, report: Reporter) -> Comparison:
    """Train and score all models, select the best on the validation rows, and compare them on the test rows.

    Args:
        data: the table.
        options: models, seeds and workers.
        out: folder for the table of results, and the networks and the blend of the first seed. Those that an earlier
            comparison of the same rows and settings saved there are loaded, not trained again.
        report: logs progress.

    Raises:
        ConfigError: there is only one modality, a split has no rows, or a baseline does not support the task.
        TrainingError: the training of all single modalities or of all fusions failed.
    """
    candidates = candidates_of(data.plan, options)
    left_out = leave_out_blend([data.plan], candidates, report)
    if out:
        for name, candidate in candidates.items():
            if candidate.kind != "baseline":
                check_place(out / name)
                sweep_model(out / name)
    sweep = Sweep(data, options, out, report, candidates, left_out)
    try:
        sweep.run()
    finally:
        forget_matrix()
    with report.phase("comparing the models on the test rows"):
        comparison = sweep.judged()
    if out:
        write_file(out / RECORD, to_json(comparison.to_json()))
    return comparison
