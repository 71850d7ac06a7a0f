"""Files of a registry: parsed for their listing, imported when they are used."""

from __future__ import annotations

import ast
import importlib
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from sensorium.errors import ConfigError, SensoriumError

BUILTIN = f"{__name__.partition('.')[0]}."  # the packages of Sensorium


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
        try:
            return ast.parse(self.path.read_text(encoding="utf-8"), str(self.path))
        except (SyntaxError, UnicodeDecodeError) as error:
            raise _unusable(self.path, error) from error

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
        try:
            module = importlib.import_module(self.module)
        except (SensoriumError, MemoryError):
            raise
        except Exception as error:
            if self.module.startswith(BUILTIN):
                raise
            raise _unusable(self.path, error) from error
        for name, value in vars(module).items():
            if fold(name) == fold(self.name) and getattr(value, "__module__", None) == self.module:
                return value
        raise ConfigError(
            f"{self.path.name} defines nothing called {self.name!r}",
            place=str(self.path),
            rule="a registered file defines one class or function named like the file",
            cure=f"name it {''.join(part.title() for part in self.name.split('_'))}",
        )


def scan(package: str) -> Iterator[Entry]:
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for path in sorted(Path(folder).glob("*.py")):
            if not path.stem.startswith("_"):
                yield Entry(path.stem, f"{package}.{path.stem}", path)


def scan_plugin(package: str, group: str) -> Iterator[Entry]:
    """Scan the folder that an entry point of another package names.

    Raises:
        ConfigError: there is no such package.
    """
    try:
        spec = importlib.util.find_spec(package)
    except ImportError:
        spec = None
    if spec is None:
        raise ConfigError(
            f"there is no package {package!r}, which an entry point names",
            place=f"entry point of the group {group!r}",
            rule="an entry point names an installed package, whose folder is scanned",
            cure="correct the entry point, or install the distribution that has it again",
        )
    yield from scan(package)


def _unusable(path: Path, error: Exception) -> ConfigError:
    line = f", line {error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
    return ConfigError(
        f"a member's file cannot be imported: {type(error).__name__}: {error}",
        place=f"{path}{line}",
        rule="each file of a registered folder is a member",
        cure="correct the file, or uninstall its package",
    )


def fold(name: str) -> str:
    return name.replace("_", "").casefold()


def _names_member(node: ast.stmt, name: str) -> bool:
    return isinstance(node, ast.ClassDef | ast.FunctionDef) and fold(node.name) == fold(name)


def _keyword_options(node: ast.FunctionDef) -> Iterator[Option]:
    for argument, default in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True):
        annotation = ast.unparse(argument.annotation) if argument.annotation else ""
        yield Option(argument.arg, annotation, ast.unparse(default) if default else "")
