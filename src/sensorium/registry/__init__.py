"""Find members by scanning folders: the stem of a file is the name of the member that it defines.

A file `fusion/weighted_sum.py` defines the fusion `weighted_sum`: the class or function whose name equals the stem,
ignoring case and underscores (`WeightedSum`). No other list is needed. Other packages add members through an entry
point whose group is the package's name and whose value is a package to scan:

    [project.entry-points."sensorium.fusion"]
    mine = "my_package.fusions"

The entries of a listing (summary, options, literals such as `ACCEPTS`) are read from the source, without importing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import cached_property
from typing import Any

from sensorium.errors import ConfigError, SensoriumError, UnknownNameError, did_you_mean, raise_together
from sensorium.registry._contract import LITERALS, Contract
from sensorium.registry._contract import check_member as check_member
from sensorium.registry._entries import Entry as Entry
from sensorium.registry._entries import Option, scan, scan_plugin
from sensorium.registry.defaults import AUTO_PRESET
from sensorium.registry.renames import find_rename
from sensorium.registry.weights import PACKAGED


class Registry:
    """Registry of the members of one kind.

    Args:
        kind: the kind in messages ("fusion").
        package: the dotted package whose folder is scanned; also the entry-point group for other packages.
        plugins: whether other packages may add members.
        taker: the method that receives the options of a member.
        contract: what members must define; members of other packages are checked when they are loaded.
        short_names: other names that settings take for a member with options; messages suggest them.
    """

    def __init__(
        self,
        kind: str,
        package: str,
        plugins: bool = True,
        *,
        taker: str = "__init__",
        contract: Contract | None = None,
        short_names: Collection[str] = (),
    ) -> None:
        self.kind, self.package, self._plugins, self._taker = kind, package, plugins, taker
        self.contract, self._checked, self.short_names = contract, set[str](), short_names

    @cached_property
    def entries(self) -> dict[str, Entry]:
        """Name → file, Sensorium's own first, then those of other packages."""
        found = {entry.name: entry for entry in scan(self.package)}
        for package in _plugin_packages(self.package) if self._plugins else ():
            for entry in scan_plugin(package, self.package):
                found.setdefault(entry.name, entry)
        return dict(sorted(found.items()))

    def is_builtin(self, name: str) -> bool:
        """Return whether a member is Sensorium's, not that of another package."""
        return self.entry(name).module.startswith(f"{self.package}.")

    def names(self) -> list[str]:
        return list(self.entries)

    def entry(self, name: str) -> Entry:
        """Return an entry, or raise an UnknownNameError with similar names."""
        if name not in self.entries:
            raise self._unknown(name)
        return self.entries[name]

    def _unknown(self, name: str) -> UnknownNameError:
        found = find_rename(self.kind, name)
        if found is None:
            return UnknownNameError(f"there is no {self.kind} {name!r}", cure=did_you_mean(name, self._spellings()))
        finding, cure = f"the {self.kind} {name!r} was renamed {found.new!r}", f"write {found.new!r}"
        return UnknownNameError(finding, place=f"{self.kind} {name}", rule=found.rule, cure=cure)

    def _spellings(self) -> list[str]:
        return [*self.entries, *self.short_names]

    def load(self, name: str) -> Any:
        """Import a member, and check one of another package against the contract of its kind.

        Raises:
            UnknownNameError: there is no such member.
            ConfigError: its file cannot be imported, or it lacks something. The error lists all that it lacks.
        """
        member = self.entry(name).load()
        if name not in self._checked and self.contract is not None:
            if not self.is_builtin(name):
                self._check(name, member, self.contract)
            self._checked.add(name)
        return member

    def _check(self, name: str, member: Any, contract: Contract) -> None:
        faults = list[SensoriumError](self._lacking_literals(name, contract))
        try:
            place = str(self.entry(name).path)
            check_member(member, contract, package=self.package, kind=self.kind, name=name, place=place)
        except SensoriumError as error:
            faults = [*(error.faults or [error]), *faults]
        raise_together(faults)

    def _lacking_literals(self, name: str, contract: Contract) -> Iterator[ConfigError]:
        entry = self.entry(name)
        for literal in contract.literals:
            if not entry.literal(literal):
                yield ConfigError(
                    f"the {self.kind} {name!r} lacks the literal {literal}",
                    place=str(entry.path),
                    rule=f"{literal} = (…,) lists {LITERALS[literal]}",
                    cure=contract.advice(self.package, self.kind, name),
                )

    def options(self, name: str) -> list[Option]:
        """Return the options of a member, without importing it."""
        return self.entry(name).options(self._taker)

    def taker(self, name: str) -> Any:
        """Return the class, function or method that receives the options of a member."""
        member = self.load(name)
        return member if self._taker == "__init__" else getattr(member, self._taker)


def _plugin_packages(group: str) -> list[str]:
    from importlib import metadata  # a tenth of what `sensorium --help` takes, which needs no plug-ins

    return [point.value for point in metadata.entry_points(group=group)]


sources = Registry(
    "table source",
    "sensorium.table",
    contract=Contract(takes=("path", "settings")),
)
modalities = Registry(
    "modality",
    "sensorium.modalities",
    taker="learn",
    contract=Contract("Modality", check="check_modality", maker="learn"),
)
augmentations = Registry(
    "augmentation",
    "sensorium.augment",
    contract=Contract("Augmentation", check="check_augmentation", of_spec=True, literals=("ACCEPTS",)),
)
encoders = Registry(
    "encoder",
    "sensorium.encoders",
    contract=Contract("Encoder", check="check_encoder", of_spec=True, literals=("ACCEPTS",)),
    short_names=tuple(weights.name for weights in PACKAGED),
)
fusions = Registry("fusion", "sensorium.fusion", contract=Contract("Fusion", "BaseFusion", check="check_fusion"))
heads = Registry("head", "sensorium.heads", contract=Contract("Head", check="check_head"))
techniques = Registry("technique", "sensorium.techniques", contract=Contract("Technique", check="check_technique"))
adaptations = Registry("adaptation", "sensorium.adaptation", contract=Contract("Adaptation", check="check_adaptation"))
tasks = Registry("task", "sensorium.tasks", contract=Contract("Task", check="check_task", maker="learn"))
metrics = Registry(
    "metric",
    "sensorium.metrics",
    contract=Contract(takes=("outcome", "weights"), check="check_metric", literals=("TASKS",)),
)
baselines = Registry(
    "baseline", "sensorium.baselines", contract=Contract("Baseline", maker="path", literals=("TASKS",))
)
strategies = Registry("strategy", "sensorium.strategies", contract=Contract("Strategy"))
presets = Registry("preset", "sensorium.presets", contract=Contract("Preset"), short_names=(AUTO_PRESET,))
trackers = Registry("tracker", "sensorium.runtime.trackers", contract=Contract("Tracker"))
commands = Registry("command", "sensorium.cli", plugins=False)
REGISTRIES = (
    modalities, augmentations, encoders, fusions, heads, techniques, adaptations, tasks, metrics, baselines, strategies,
    presets, sources, trackers, commands,
)  # fmt: skip
KINDS = {registry.kind: registry for registry in REGISTRIES}
