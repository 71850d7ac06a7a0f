"""Find members by scanning folders: the stem of a file is the name of the member that it defines.

A file `fusion/weighted_sum.py` defines the fusion `weighted_sum`: the class or function whose name equals the stem,
ignoring case and underscores (`WeightedSum`). No other list is needed. Other packages add members through an entry
point whose group is the package's name and whose value is a package to scan:

    [project.entry-points."sensorium.fusion"]
    mine = "my_package.fusions"

The entries of a listing (summary, options, literals such as `ACCEPTS`) are read from the source, without importing.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

from sensorium.errors import UnknownNameError, did_you_mean
from sensorium.registry._entries import Entry as Entry
from sensorium.registry._entries import Option, scan
from sensorium.registry.renames import find_rename


class Registry:
    """Registry of the members of one kind.

    Args:
        kind: the kind in messages ("fusion").
        package: the dotted package whose folder is scanned; also the entry-point group for other packages.
        plugins: whether other packages may add members.
        taker: the method that receives the options of a member.
    """

    def __init__(self, kind: str, package: str, plugins: bool = True, *, taker: str = "__init__") -> None:
        self.kind, self.package, self._plugins, self._taker = kind, package, plugins, taker

    @cached_property
    def entries(self) -> dict[str, Entry]:
        """Name → file, Sensorium's own first, then those of other packages."""
        found = {entry.name: entry for entry in scan(self.package)}
        for package in _plugin_packages(self.package) if self._plugins else ():
            for entry in scan(package):
                found.setdefault(entry.name, entry)
        return dict(sorted(found.items()))

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
            return UnknownNameError(f"there is no {self.kind} {name!r}", cure=did_you_mean(name, self.entries))
        finding, cure = f"the {self.kind} {name!r} was renamed {found.new!r}", f"write {found.new!r}"
        return UnknownNameError(finding, place=f"{self.kind} {name}", rule=found.rule, cure=cure)

    def load(self, name: str) -> Any:
        return self.entry(name).load()

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


sources = Registry("table source", "sensorium.table")
modalities = Registry("modality", "sensorium.modalities", taker="learn")
augmentations = Registry("augmentation", "sensorium.augment")
encoders = Registry("encoder", "sensorium.encoders")
fusions = Registry("fusion", "sensorium.fusion")
heads = Registry("head", "sensorium.heads")
techniques = Registry("technique", "sensorium.techniques")
adaptations = Registry("adaptation", "sensorium.adaptation")
tasks = Registry("task", "sensorium.tasks")
metrics = Registry("metric", "sensorium.metrics")
baselines = Registry("baseline", "sensorium.baselines")
strategies = Registry("strategy", "sensorium.strategies")
trackers = Registry("tracker", "sensorium.runtime.trackers")
commands = Registry("command", "sensorium.cli", plugins=False)
REGISTRIES = (
    modalities, augmentations, encoders, fusions, heads, techniques, adaptations, tasks, metrics, baselines, strategies,
    sources, trackers, commands,
)  # fmt: skip
KINDS = {registry.kind: registry for registry in REGISTRIES}
