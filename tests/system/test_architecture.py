"""The shape of the house: imports go one way, the door is exact and light."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

import sensorium

SOURCE = Path(sensorium.__file__).parent
HEAVY = ["torch", "pandas", "pyarrow", "sklearn", "transformers", "rich", "PIL", "numpy"]


def test_a_module_imports_only_what_stands_before_it():
    assert lint_imports(config_filename="pyproject.toml", no_cache=True) == 0


def test_the_door_is_exact():
    for name in sensorium.__all__:
        assert getattr(sensorium, name) is not None
    assert dir(sensorium) == sorted(sensorium.__all__)
    errors = {name for name, value in vars(sensorium.errors).items() if isinstance(value, type)}
    errors = {name for name in errors if issubclass(vars(sensorium.errors)[name], sensorium.SensoriumError)}
    results = {"Comparison", "Evaluation", "Inspection", "Interrupted", "Model", "Predictions"}
    events = {"Callback", "EpochEnd", "FitEnd", "FitStart", "StopTraining"}
    assert set(sensorium.__all__) == errors | results | events | {
        "Config",
        "__version__",
        "compare",
        "fit",
        "inspect",
        "load",
    }
    with pytest.raises(AttributeError, match="has no attribute 'fti'"):
        sensorium.fti  # noqa: B018


def _modules_after(code: str) -> set[str]:
    script = f"import sys\n{code}\nimport json; print('\\n' + json.dumps(sorted(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(json.loads(result.stdout.splitlines()[-1]))


def test_import_takes_nothing_heavy():
    assert not _modules_after("import sensorium") & set(HEAVY)


HELP = "sys.argv = ['sensorium', '--help']\nfrom sensorium.cli._main import main\ntry: main()\nexcept SystemExit: pass"


def test_help_takes_nothing_heavy():
    assert not _modules_after(HELP) & set(HEAVY)


def test_inspect_takes_no_torch(tabular):
    assert "torch" not in _modules_after(f"import sensorium; sensorium.inspect({str(tabular)!r}, 'label')")


@pytest.mark.parametrize(("code", "most"), [("import sensorium", 45), (HELP, 330)])
def test_start_takes_few_modules(code, most):
    """How long it takes is measured in benchmarks/."""
    assert len(_modules_after(code) - _modules_after("")) <= most


@pytest.mark.parametrize(("package", "most"), [("planning", 15), ("trials", 16)])
def test_a_package_that_joins_many_imports_few(package, most):
    """Imports that serve type checkers alone are not counted."""
    found = {name for path in (SOURCE / package).rglob("*.py") for name in _imported(ast.parse(path.read_text()))}
    found.discard(package)
    assert 5 < len(found) <= most, sorted(found)


def _imported(tree: ast.AST) -> set[str]:
    """The packages of ours that a module imports, at its top or within a function."""
    if isinstance(tree, ast.If) and ast.unparse(tree.test) == "TYPE_CHECKING":
        return set()
    if isinstance(tree, ast.ImportFrom):
        parts = (tree.module or "").split(".")
        return {parts[1]} if parts[0] == "sensorium" and len(parts) > 1 else set()
    return {name for child in ast.iter_child_nodes(tree) for name in _imported(child)}


def test_tests_stand_where_their_subject_stands():
    """Beside the package's folders: tests of the whole, members that tests add, data that is not made."""
    tests = Path(__file__).parents[1]
    folders = {path.name for path in tests.iterdir() if path.is_dir() and not path.name.startswith(("_", "."))}
    packages = {path.parent.name for path in (tests.parent / "src" / "sensorium").glob("*/__init__.py")}
    assert folders - packages == {"addons", "benchmarks", "real", "system"}
    names = [path.name for path in tests.rglob("test_*.py")]
    assert len(names) == len(set(names)), "two test files have one name, which pytest can't tell apart"
