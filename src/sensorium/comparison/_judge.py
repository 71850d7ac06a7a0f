"""Does fusing help? Chosen on the validation rows, judged on the test rows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sensorium.comparison._result import Judgement, Kind, Result
from sensorium.evaluate import Difference, against, compare_runs, holm, over, verdict
from sensorium.metrics import Outcome, lower_is_better

QUICKER = 3.0  # times: what is worth a word; less than that the machine's noise could make


def judge(
    results: Sequence[Result], test: Mapping[str, Sequence[Outcome]], metric: str, seeds: int
) -> tuple[list[Result], Judgement]:
    """The results with their gains over the best single modality, and the judgement.

    Args:
        results: of all models.
        test: name → truth and answers of the test rows, run by run.
        metric: watched.
        seeds: each network was trained from so many.
    """
    court = _Court(results, test, metric)
    single, fused, baseline = court.best("single"), court.best("fusion"), court.best("baseline")
    assert single
    assert fused
    gains = {r.name: court.difference(r, single) for r in results if r.kind != "single"}
    corrected = dict(zip(gains, holm([gain.p for gain in gains.values()]), strict=True))
    told = [replace(r, gain=gains.get(r.name), p=corrected.get(r.name)) for r in results]
    unbeaten = court.unbeaten(fused) if gains[fused.name].helps else []
    helps = gains[fused.name].helps and not unbeaten
    chosen = fused if helps else max(unbeaten, key=court.worth, default=single)
    sentence = court.sentence(fused, single, unbeaten)
    better = baseline if baseline and court.difference(baseline, chosen).helps else None
    sentence += court.said_of_quicker(fused) if helps else ""
    if baseline:
        sentence += court.said_of(baseline, fused, chosen)
    if not helps and not gains[fused.name].undefined:
        sentence += f"; use {(better or chosen).title}"
    if seeds > 1:
        sentence += f" (means of {seeds} seeds)"
    judgement = Judgement(
        best_single=single.name,
        best_fused=fused.name,
        best_baseline=baseline.name if baseline else None,
        difference=gains[fused.name],
        baseline_difference=court.difference(baseline, fused) if baseline else None,
        helps=helps,
        recommended=(better or chosen).name,
        verdict=sentence,
    )
    return told, judgement


@dataclass(frozen=True)
class _Court:
    results: Sequence[Result]
    test: Mapping[str, Sequence[Outcome]]
    metric: str
    known: dict[tuple[str, str], Difference] = field(default_factory=dict)

    def best(self, kind: Kind) -> Result | None:
        """By the validation rows."""
        return max((r for r in self.results if r.kind == kind), key=self.worth, default=None)

    def worth(self, result: Result) -> float:
        """The metric of the validation rows, the larger the better; the least where it is not defined."""
        sign = -1 if lower_is_better(self.metric) else 1
        return -math.inf if math.isnan(result.validation) else sign * result.validation

    def difference(self, first: Result, second: Result) -> Difference:
        """On the test rows; each pair is compared once."""
        pair = first.name, second.name
        if pair not in self.known:
            self.known[pair] = compare_runs(self.test[first.name], self.test[second.name], self.metric)
        return self.known[pair]

    def unbeaten(self, fused: Result) -> list[Result]:
        """Single modalities that it is not shown to be better than, the least beaten first.

        To claim that it beats each of them, each has to be beaten: that keeps the chance of a false claim where it is
        for one (intersection-union, Berger 1982), whichever of them the validation rows took for the best.
        """
        found = [(self.difference(fused, r), r) for r in self.results if r.kind == "single"]
        return [r for gain, r in sorted(found, key=lambda pair: pair[0].value) if not gain.helps]

    def sentence(self, fused: Result, single: Result, unbeaten: Sequence[Result]) -> str:
        slower = fused.cost.seconds / single.cost.seconds
        sentence = verdict(self.difference(fused, single), fused.title, single.title, slower)
        if not unbeaten:
            return sentence
        other = self.difference(fused, unbeaten[0])
        return f"fusion does not help here: {sentence}, but {over(other, unbeaten[0].title)}"

    def said_of_quicker(self, fused: Result) -> str:
        """The best of the fusions that are trained much faster, if it is not shown to be worse."""
        quick = [r for r in self.results if r.kind == "fusion" and QUICKER * r.cost.seconds <= fused.cost.seconds]
        other = max(quick, key=self.worth, default=None)
        if other is None or self.difference(fused, other).helps:
            return ""
        faster = f"{fused.cost.seconds / other.cost.seconds:.1f}× faster"
        loss = against(self.difference(other, fused), fused.title)
        return f"; {other.title}, {faster}, is not shown to be worse: {loss}"

    def said_of(self, baseline: Result, fused: Result, chosen: Result) -> str:
        """A baseline that is shown to be better than the fused model, or than what would be recommended."""
        for other in (fused, chosen):
            gain = self.difference(baseline, other)
            if gain.helps:
                return f"; {baseline.title} does better: {against(gain, other.title)}"
        return ""
