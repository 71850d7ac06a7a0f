"""The shape of the house: imports go one way, the door is exact and light."""

import json
import subprocess
import sys
import time

import pytest
from importlinter.cli import lint_imports

import sensorium

HEAVY = ["torch", "pandas", "pyarrow", "sklearn", "transformers", "rich", "PIL", "numpy"]


def test_a_module_imports_only_what_stands_before_it():
    assert lint_imports(config_filename="pyproject.toml", no_cache=True) == 0


def test_the_door_is_exact():
    for name in sensorium.__all__:
        assert getattr(sensorium, name) is not None
    assert sorted(sensorium.__all__, key=str.lower) == sorted(
        ["__version__", "Model", "SensoriumError", "compare", "fit", "inspect", "load"], key=str.lower
    )
    with pytest.raises(AttributeError, match="has no attribute 'fti'"):
        sensorium.fti  # noqa: B018


def _modules_after(code: str) -> set[str]:
    script = f"import sys\n{code}\nimport json; print('\\n' + json.dumps(sorted(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(json.loads(result.stdout.splitlines()[-1]))


def test_import_takes_nothing_heavy():
    assert not _modules_after("import sensorium") & set(HEAVY)


def test_help_takes_nothing_heavy():
    help_text = (
        "sys.argv = ['sensorium', '--help']\nfrom sensorium.cli._main import main\ntry: main()\nexcept SystemExit: pass"
    )
    assert not _modules_after(help_text) & set(HEAVY)


def test_inspect_takes_no_torch(tabular):
    assert "torch" not in _modules_after(f"import sensorium; sensorium.inspect({str(tabular)!r}, 'label')")


@pytest.mark.parametrize(
    ("arguments", "limit"), [(["-c", "import sensorium"], 0.15), (["-m", "sensorium", "--help"], 0.2)]
)
def test_start_is_quick(arguments, limit):
    """The best of ten, so that a busy machine does not fail it; the figures are in benchmarks/."""
    spent = []
    for _ in range(10):
        start = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
        spent.append(time.perf_counter() - start)
    assert min(spent) <= limit
