"""Find how many CPUs this process may use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from sensorium.runtime.cgroups import group_folders


@dataclass(frozen=True)
class Cpus:
    """CPUs of the machine, and the limits of this process.

    Attributes:
        machine: number of CPUs of the machine.
        affinity: number of CPUs that this process may run on; None if the platform does not report it.
        quota: CPU time per second of wall time that the container may use, in CPUs; None without a limit.
    """

    machine: int
    affinity: int | None = None
    quota: float | None = None

    @property
    def usable(self) -> int:
        """Return the number of CPUs that can be busy all the time; at least 1.

        A part of a CPU is not counted: threads that wait for each other would all wait for the one that is paused.
        """
        found = self.machine if self.affinity is None else min(self.machine, self.affinity)
        return max(1, found if self.quota is None else min(found, int(self.quota)))

    @property
    def reason(self) -> str:
        """Return what limits the number of CPUs, for people."""
        limits = [f"the machine has {self.machine}"]
        if self.affinity is not None and self.affinity < self.machine:
            limits.append(f"the affinity of the process allows {self.affinity}")
        if self.quota is not None:
            limits.append(f"the quota of the container allows {self.quota:g}")
        return ", ".join(limits)


def find_cpus() -> Cpus:
    """Return the CPUs of the machine and the limits of this process: its affinity and the quota of its cgroups."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    return Cpus(os.cpu_count() or 1, affinity, min(_quotas(), default=None))


def usable_cpus() -> int:
    """Return the number of CPUs that this process may use."""
    return find_cpus().usable


def _quotas() -> Iterator[float]:
    """Yield the quota of each control group that has one, in CPUs."""
    for folder in group_folders("cpu"):
        try:
            if (folder / "cpu.max").is_file():  # version 2
                quota, period = (folder / "cpu.max").read_text().split()
            else:
                quota, period = ((folder / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
            found = float(quota) / float(period)
        except (OSError, ValueError, ZeroDivisionError):  # no such file, or "max"
            continue
        if found > 0:  # -1 means no limit
            yield found
