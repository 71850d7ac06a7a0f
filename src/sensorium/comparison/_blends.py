"""Train the blends of a comparison: what the preset `good` of `fit` trains, as a row beside the other models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import torch

from sensorium.blending import TimeLimit, Train, blend, check_blend, network_spec, too_slow
from sensorium.comparison._plan import Candidate
from sensorium.errors import ConfigError, SensoriumError, TrainingError
from sensorium.planning import Plan, PreparedTable
from sensorium.registry.failures import explain_member_errors
from sensorium.runtime.profiling import ResourceMeter
from sensorium.runtime.progress import Reporter
from sensorium.trials import Control, Cost, Ledger, Runner, TrialResult, TrialSpec

PRESET, PATIENCE = "good", 1.0  # the preset of `fit` that trains such a blend, and the factor of its time limits
PLACE, CURE = "blend", "leave the blend out: --no-blend (Python: blend=False)"


def check_blends(plans: Sequence[Plan]) -> None:
    """Check that a table supports a blend, before any file is decoded.

    Args:
        plans: the plan, or those of all folds.

    Raises:
        ConfigError: a setting or the target conflicts with a blend, or the rows of a plan cannot be cut into folds.
    """
    for plan in plans:
        check_blend(plan, place=PLACE, cure=CURE)


def leave_out_blend(plans: Sequence[Plan], candidates: Mapping[str, Candidate], report: Reporter) -> dict[str, str]:
    """Return the blend with the reason, and log it, if it is among the candidates and a plan does not support it."""
    blends = [name for name, candidate in candidates.items() if candidate.kind == "blend"]
    try:
        check_blends(plans if blends else [])
    except ConfigError as error:
        for name in blends:
            report.log(f"? {name} is left out: {error.finding}")
        return dict.fromkeys(blends, error.finding)
    return {}


def modalities_used(candidate: Candidate, trials: Sequence[TrialResult]) -> list[str]:
    """Return the modalities that a model uses: those of its members for a blend."""
    records = [trial.blend for trial in trials if trial.blend]
    used = {name for each in records for member in each.candidates if member.weight for name in member.modalities}
    return [name for name in candidate.modalities if name in used] if records else candidate.modalities


@dataclass(frozen=True, eq=False)
class Blends:
    """Blends of a table, one per random seed of the network.

    Networks that an interrupted comparison finished are not trained again.

    Args:
        data: the table.
        ledger: records finished networks.
        runner: trains the networks.
        report: logs progress.
    """

    data: PreparedTable
    ledger: Ledger
    runner: Runner
    report: Reporter
    _parts: dict[int | None, list[TrialSpec]] = field(default_factory=dict, init=False)

    def run(self, spec: TrialSpec) -> TrialResult:
        """Train the networks of a blend, and blend them with classical models.

        Returns:
            The result. If no member could be trained, or the library of a classical model fails, its `error` is set.
        """
        main = self._train_main(self._main(spec))
        networks, rest = [main], _PausableMeter()

        def train(specs: Sequence[TrialSpec]) -> Sequence[TrialResult]:
            found = list[TrialResult]()
            with rest.paused():
                for result in self._train(specs):
                    found.append(result)
                    if result.error is not None:  # the blend does without this network
                        break
            networks.extend(found)
            return found

        try:
            with rest.measured():
                result = self._blended(main, train)
        except TrainingError as error:
            return TrialResult(spec, error=error)
        cost = _cost(self.data, result, [*(network.cost for network in networks if network.cost), *rest.costs])
        return replace(result, spec=spec, seconds=cost.seconds, cost=cost)

    def forget(self, spec: TrialSpec) -> None:
        """Remove the records of the networks of a blend, once it is recorded itself."""
        for part in self._parts.pop(spec.seed, [self._main(spec)]):
            self.ledger.forget(part)

    @property
    def _limit(self) -> TimeLimit:
        """The time limit of the preset, whose name reports show."""
        return replace(TimeLimit.of(self.data.plan, PATIENCE), preset=PRESET)

    def _main(self, spec: TrialSpec) -> TrialSpec:
        return network_spec(self.data.plan, seed=spec.seed)

    def _blended(self, main: TrialResult, train: Train) -> TrialResult:
        """Blend a network with classical models.

        Raises:
            TrainingError: there is no member, or a library fails.
        """
        try:
            with explain_member_errors():
                return blend(self.data, [main], train, self.report, limit=self._limit)
        except SensoriumError:
            raise
        except Exception as error:  # of whatever kind a library raises: the other models are kept
            raise TrainingError(f"{type(error).__name__}: {error}") from error

    def _train_main(self, spec: TrialSpec) -> TrialResult:
        """Train the network, unless that would take too long."""
        error = too_slow(self.data, spec, self._limit)
        return TrialResult(spec, error=error) if error else next(self._train([spec], is_main=True))

    def _train(self, specs: Sequence[TrialSpec], *, is_main: bool = False) -> Iterator[TrialResult]:
        """Train networks, or load the results of those that are finished; the main one with its model."""
        known = {spec.name: found for spec in specs if (found := self._find(spec, is_main=is_main))}
        control = Control(self.report, measure=True, restarts=is_main)
        fresh = self.runner.run(
            [spec for spec in specs if spec.name not in known], control, lambda spec: self.report.step(spec.name)
        )
        for spec in specs:
            self._parts.setdefault(spec.seed, []).append(spec)
            result = known.get(spec.name)
            if result is None:
                result = next(fresh)
                if result.error is None:
                    self.ledger.record(result, self.ledger.save_model(result) if is_main else None)
            yield result

    def _find(self, spec: TrialSpec, *, is_main: bool) -> TrialResult | None:
        known = self.ledger.find(spec, with_model=is_main)
        if known and is_main:
            fitted = self.ledger.load_model(spec)
            return replace(known, fitted=fitted) if fitted else None
        return known


@dataclass
class _PausableMeter:
    """Meter of a block whose pauses do not count: networks of a blend are measured by themselves.

    Attributes:
        costs: of each part between pauses.
    """

    costs: list[Cost] = field(default_factory=list)

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Measure a block, without what is done while the measurement is paused."""
        self._start()
        try:
            yield
        finally:
            self._stop()

    @contextmanager
    def paused(self) -> Iterator[None]:
        self._stop()
        try:
            yield
        finally:
            self._start()

    def _start(self) -> None:
        self._meter = ResourceMeter(torch.device("cpu"))
        self._meter.__enter__()

    def _stop(self) -> None:
        self._meter.__exit__()
        self.costs.append(Cost(self._meter.seconds, None, self._meter.memory, self._meter.energy, 0.0))


def _cost(data: PreparedTable, blend: TrialResult, parts: Sequence[Cost]) -> Cost:
    """Return the cost of a blend: the time and energy of all parts together, and the memory of the largest one."""
    memory = [part.memory for part in parts if part.memory is not None]
    energy = [part.energy for part in parts if part.energy is not None]
    return Cost(
        seconds=sum(part.seconds for part in parts),
        parameters=sum(member.parameters for member in blend.model.members),
        memory=max(memory) if len(memory) == len(parts) else None,
        energy=sum(energy) if len(energy) == len(parts) else None,
        rows_per_second=len(data.rows("test")) / blend.predict_seconds,
    )
