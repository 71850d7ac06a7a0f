"""Environment variables of libraries that compute in threads, which they read when they are loaded.

Threads that wait for each other spin: on a shared machine, they keep the CPU from the thread that they wait for. The
variables shorten the spinning. A variable that the user sets always wins.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager

from sensorium.runtime.cpus import find_cpus

# How long a thread spins before it sleeps. GOMP is the OpenMP of GCC, in torch and scikit-learn: turns of a loop,
# 300,000 by default. KMP is that of Intel and LLVM: milliseconds, 200 by default.
WAITING = {"GOMP_SPINCOUNT": "1000", "KMP_BLOCKTIME": "1"}
# Several processes share the CPUs: threads that wait sleep at once.
PASSIVE = {"GOMP_SPINCOUNT": "0", "KMP_BLOCKTIME": "0"}
# Each CPU has a process of its own: further threads would only wait.
SINGLE = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
POLICIES = {"GOMP_SPINCOUNT", "KMP_BLOCKTIME", "OMP_WAIT_POLICY"}  # a user who sets one of them has chosen how to wait
NUMBERS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")  # each sets the number of threads of torch
USABLE = re.compile(r"\s*\+?0*[1-9]\d*\s*(,.*)?")  # a number, or one per nested level; libraries ignore anything else
SHOWN = (*NUMBERS, "OPENBLAS_NUM_THREADS", *sorted(POLICIES))

_own = set[str]()  # variables that this process set itself


def set_environment() -> None:
    """Set the variables of this process before libraries are loaded: for the command line.

    OpenBLAS follows the affinity of the process, but not the quota of the container.
    """
    cpus = find_cpus()
    limits = {"OPENBLAS_NUM_THREADS": str(cpus.usable)} if cpus.quota is not None else {}
    added = choose_variables({**WAITING, **limits})
    os.environ.update(added)
    _own.update(added)


@contextmanager
def while_loading(library: str) -> Iterator[None]:
    """Set the variables within this block, which loads a library. If it is loaded already, change nothing."""
    added = {} if library in sys.modules else choose_variables(WAITING)
    added = {name: value for name, value in added.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)


def choose_variables(values: Mapping[str, str]) -> dict[str, str]:
    """Return those of the variables that do not contradict what the user set."""
    decided = user_sets(POLICIES)
    return {
        name: value for name, value in values.items() if not user_sets([name]) and not (decided and name in POLICIES)
    }


def user_sets(names: Collection[str]) -> bool:
    """Return whether the user set one of these variables, to a value that libraries do not ignore."""
    return any(name in os.environ and name not in _own and not is_ignored(name) for name in names)


def is_ignored(name: str) -> bool:
    """Return whether a variable is set to something else than a number of threads, which libraries ignore."""
    return name in SINGLE and name in os.environ and not USABLE.fullmatch(os.environ[name])


def set_by_sensorium(name: str) -> bool:
    """Return whether Sensorium set this variable of the process, not the user."""
    return name in _own


def shown_variables() -> dict[str, str]:
    """Return the variables of threads that this process has, for people."""
    return {name: os.environ[name] for name in SHOWN if name in os.environ}
