"""Judge whether fusing helps: models are chosen on the validation rows and compared on the test rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sensorium.comparison._result import Judgement, Kind, Result
from sensorium.evaluate import (
    Better,
    BlendComparison,
    CrossValidation,
    Difference,
    Quicker,
    Unbeaten,
    Verdict,
    compare_folds,
    compare_runs,
    holm,
    verdict_kind,
)
from sensorium.evaluate.verdict import SIGNIFICANT
from sensorium.metrics import Outcome, rank_value

QUICKER = 3.0  # times faster that is worth mentioning; less could be noise of the machine


def judge(
    results: Sequence[Result],
    test: Mapping[str, Sequence[Outcome]],
    metric: str,
    seeds: int,
    *,
    folds: CrossValidation | None = None,
) -> tuple[list[Result], Judgement]:
    """Compare all models with the best single modality.

    Args:
        results: of all models.
        test: name → truth and scores of the test rows, one outcome per seed; not used with folds.
        metric: the watched metric.
        seeds: number of random seeds of each network.
        folds: the cross-validation whose folds the results are means of; None for a single split.

    Returns:
        The results with their gains over the best single modality, and the judgement.
    """
    judges = _Judge(results, test, metric, folds)
    single, fused = judges.best("single"), judges.best("fusion")
    baseline, blend = judges.best("baseline"), judges.best("blend")
    assert single
    assert fused
    gains = {r.name: judges.difference(r, single) for r in results if r.kind != "single"}
    corrected = dict(zip(gains, holm([gain.p for gain in gains.values()]), strict=True))
    gained = [replace(r, gain=gains.get(r.name), p=corrected.get(r.name)) for r in results]
    gain = gains[fused.name]
    unbeaten = judges.unbeaten(fused) if gain.helps else []
    p_corrected = corrected[fused.name]
    kind = verdict_kind(gain, beats_every_modality=not unbeaten, p_corrected=p_corrected)
    helps = kind == "helps"
    chosen = fused if helps else max(unbeaten, key=judges.worth, default=single)
    plain = baseline if baseline and judges.shows(judges.difference(baseline, chosen)) else chosen
    beside = judges.beside(blend, plain) if blend else None
    recommended = blend if blend and beside and beside.recommended else plain
    finding = Verdict(
        kind=kind,
        fused=fused.model,
        single=single.model,
        difference=gain,
        slowdown=fused.cost.seconds / single.cost.seconds,
        recommended=recommended.model,
        unbeaten=Unbeaten(unbeaten[0].model, judges.difference(fused, unbeaten[0])) if unbeaten else None,
        quicker=judges.quicker(fused) if helps else None,
        better=judges.better(baseline, [fused, chosen]) if baseline else None,
        blend=beside,
        seeds=seeds,
        p_corrected=p_corrected,
        folds=folds.folds if folds else 0,
        repeats=folds.repeats if folds else 1,
        choices=judges.choices,
    )
    return gained, Judgement(
        best_single=single.name,
        best_fused=fused.name,
        best_baseline=baseline.name if baseline else None,
        difference=gain,
        baseline_difference=judges.difference(baseline, fused) if baseline else None,
        helps=helps,
        recommended=recommended.name,
        finding=finding,
    )


@dataclass(frozen=True)
class _Judge:
    results: Sequence[Result]
    test: Mapping[str, Sequence[Outcome]]
    metric: str
    folds: CrossValidation | None = None
    known: dict[tuple[str, str], Difference] = field(default_factory=dict)

    def best(self, kind: Kind) -> Result | None:
        """Choose the best model of a kind on the validation rows."""
        return max((r for r in self.results if r.kind == kind), key=self.worth, default=None)

    def worth(self, result: Result) -> float:
        """Return the metric on the validation rows, as a sort key."""
        return rank_value(self.metric, result.validation)

    def difference(self, first: Result, second: Result) -> Difference:
        """Compare two models on the test rows, or on all folds; each pair is compared once."""
        pair = first.name, second.name
        if pair not in self.known:
            if self.folds:
                self.known[pair] = compare_folds(first.runs, second.runs, self.metric, self.folds.sizes)
            else:
                self.known[pair] = compare_runs(self.test[first.name], self.test[second.name], self.metric)
        return self.known[pair]

    @property
    def choices(self) -> int:
        """Return how many gains a p-value must be corrected for before a claim.

        In a single split, the validation rows that choose a model are no test rows, and no correction is needed. In a
        cross-validation, they are test rows of other folds: a model that was chosen for its luck is lucky there, too.
        No blend is chosen from several.
        """
        return max(1, sum(result.kind in ("fusion", "baseline") for result in self.results)) if self.folds else 1

    def shows(self, gain: Difference) -> bool:
        """Return whether a gain of a chosen model is shown to be above 0 (Bonferroni's correction for the choice)."""
        return gain.helps and (self.choices == 1 or gain.p * self.choices < SIGNIFICANT)

    def unbeaten(self, fused: Result) -> list[Result]:
        """List the single modalities that the fused model is not shown to beat, smallest gain first.

        Claiming that it beats all of them requires each comparison to be significant. The rate of false claims is
        therefore that of one comparison (intersection-union test, Berger 1982), whichever modality was selected.
        """
        gains = [(self.difference(fused, r), r) for r in self.results if r.kind == "single"]
        return [r for gain, r in sorted(gains, key=lambda pair: pair[0].value) if not self.shows(gain)]

    def quicker(self, fused: Result) -> Quicker | None:
        """Return the best fusion that trains much faster and is not shown to be worse."""
        quick = [r for r in self.results if r.kind == "fusion" and QUICKER * r.cost.seconds <= fused.cost.seconds]
        other = max(quick, key=self.worth, default=None)
        if other is None or self.difference(fused, other).helps:
            return None
        return Quicker(other.model, fused.cost.seconds / other.cost.seconds, self.difference(other, fused))

    def beside(self, blend: Result, other: Result) -> BlendComparison:
        """Compare the blend with the model that is recommended without it.

        It is better on validation rows by its out-of-fold predictions. Those of the other model are of the same rows,
        which chose its epoch or strength: that favours the other model, so the blend is not chosen for the way it is
        judged.
        """
        worths = [rank_value(self.metric, result.shared_validation) for result in (blend, other)]
        difference = self.difference(blend, other)
        worse = not difference.undefined and difference.interval[1] < 0
        return BlendComparison(blend.model, other.model, difference, better=worths[0] > worths[1], worse=worse)

    def better(self, baseline: Result, others: Sequence[Result]) -> Better | None:
        """Return the gain of a baseline over the first model that it is shown to beat."""
        for other in others:
            gain = self.difference(baseline, other)
            if self.shows(gain):
                return Better(baseline.model, other.model, gain)
        return None
