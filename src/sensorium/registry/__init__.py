"""Find members by scanning folders: the stem of a file is the name of the member that it defines.

A file `fusion/weighted_sum.py` defines the fusion `weighted_sum`: the class or function whose name equals the stem,
ignoring case and underscores (`WeightedSum`). No other list is needed. Other packages add members through an entry
point whose group is the package's name and whose value is a package to scan:

    [project.entry-points."sensorium.fusion"]
    mine = "my_package.fusions"

The entries of a listing (summary, options, literals such as `ACCEPTS`) are read from the source, without importing.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from sensorium.errors import ConfigError, UnknownNameError, did_you_mean
from sensorium.registry.renames import find_rename


@dataclass(frozen=True)
class Option:
    """Option of a member: a keyword-only parameter."""

    name: str
    annotation: str
    default: str


@dataclass(frozen=True)
class Entry:
    """File of a registry's folder, parsed but not imported."""

    name: str
    module: str
    path: Path

    @cached_property
    def _tree(self) -> ast.Module:
        return ast.parse(self.path.read_text(encoding="utf-8"), str(self.path))

    @cached_property
    def summary(self) -> str:
        """Return the first line of the file's docstring."""
        return (ast.get_docstring(self._tree) or "").partition("\n")[0]

    def literal(self, key: str, default: Any = None) -> Any:
        """Return the value of a module-level literal such as `ACCEPTS = ("text",)`."""
        for node in self._tree.body:
            if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == key for t in node.targets):
                return ast.literal_eval(node.value)
        return default

    def options(self, function: str = "__init__") -> list[Option]:
        """Return the member's options: keyword-only parameters of `function`, or of the member if it is a function.

        A class without this function inherits that of its first base, which may be defined in a file beside it.
        """
        node = next((n for n in self._tree.body if _names_member(n, self.name)), None)
        if isinstance(node, ast.ClassDef):
            found = next((n for n in node.body if isinstance(n, ast.FunctionDef) and n.name == function), None)
            base = self._base(node) if found is None else None
            return base.options(function) if base else list(_keyword_options(found)) if found else []
        return list(_keyword_options(node)) if isinstance(node, ast.FunctionDef) else []

    def _base(self, member: ast.ClassDef) -> Entry | None:
        """Return the entry of the file beside this one that defines the first base of a class."""
        name = member.bases[0].id if member.bases and isinstance(member.bases[0], ast.Name) else ""
        package = self.module.rpartition(".")[0]
        for node in self._tree.body:
            if isinstance(node, ast.ImportFrom) and any(alias.name == name for alias in node.names):
                parent, _, stem = (node.module or "").rpartition(".")
                path = self.path.with_name(f"{stem}.py")
                if parent == package and path.is_file():
                    return Entry(name, f"{package}.{stem}", path)
        return None

    def load(self) -> Any:
        """Import the file and return the class or function of its name."""
        return self._member

    @cached_property
    def _member(self) -> Any:
        module = importlib.import_module(self.module)
        for name, value in vars(module).items():
            if _fold(name) == _fold(self.name) and getattr(value, "__module__", None) == self.module:
                return value
        raise ConfigError(
            f"{self.path.name} defines nothing called {self.name!r}",
            place=str(self.path),
            rule="a registered file defines one class or function named like the file",
            cure=f"name it {''.join(part.title() for part in self.name.split('_'))}",
        )


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
        found = {entry.name: entry for entry in _scan(self.package)}
        for package in _plugin_packages(self.package) if self._plugins else ():
            for entry in _scan(package):
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


def _scan(package: str) -> Iterator[Entry]:
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for path in sorted(Path(folder).glob("*.py")):
            if not path.stem.startswith("_"):
                yield Entry(path.stem, f"{package}.{path.stem}", path)


def _fold(name: str) -> str:
    return name.replace("_", "").casefold()


def _names_member(node: ast.stmt, name: str) -> bool:
    return isinstance(node, ast.ClassDef | ast.FunctionDef) and _fold(node.name) == _fold(name)


def _keyword_options(node: ast.FunctionDef) -> Iterator[Option]:
    for argument, default in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True):
        annotation = ast.unparse(argument.annotation) if argument.annotation else ""
        yield Option(argument.arg, annotation, ast.unparse(default) if default else "")


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
