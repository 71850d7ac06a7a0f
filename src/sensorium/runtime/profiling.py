"""Measure wall time, peak memory and energy of a block of code, as far as the platform reports them."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    import torch

EVERY = 0.01  # seconds between two readings of the memory
STATM = Path("/proc/self/statm")  # pages of this process: all, resident, resident and shared with files …
POWERCAP = Path("/sys/class/powercap")
PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


@dataclass
class ResourceMeter:
    """Context manager that measures a block: `with ResourceMeter(device) as meter: …`.

    Attributes:
        device: device of the computation.
        seconds: wall time.
        memory: peak memory in MB, minus the memory before the block. On an accelerator, the memory that torch
            allocated; on a CPU, the resident memory of this process without mapped files, read every 10 ms (free memory
            is returned to the system first). None if the platform does not report it.
        energy: joules. On an accelerator, its own (NVML, if `pynvml` is installed); on a CPU, that of all packages
            (RAPL), including other processes. None if it cannot be read.
    """

    device: torch.device
    seconds: float = 0.0
    memory: float | None = None
    energy: float | None = None

    def __enter__(self) -> Self:
        self._cuda = self.device.type == "cuda"
        self._before = self._accelerator_memory() if self._cuda else _own_memory_trimmed()
        self._joules = self._energy()
        self._watch = _Watch() if not self._cuda and self._before is not None else None
        self._start = time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.perf_counter() - self._start
        peak = self._watch.stop() if self._watch else None
        if self._cuda:
            import torch

            peak = torch.cuda.max_memory_allocated(self.device)
        if peak is not None and self._before is not None:
            self.memory = max(0, peak - self._before) / 1e6
        now = self._energy()
        self.energy = None if now is None or self._joules is None else _used(self._joules, now)

    def _accelerator_memory(self) -> int:
        import torch

        torch.cuda.synchronize(self.device)
        torch.cuda.reset_peak_memory_stats(self.device)
        return torch.cuda.memory_allocated(self.device)

    def _energy(self) -> list[tuple[float, float]] | None:
        """Return, per package, the joules so far and the value at which the counter wraps around."""
        return _accelerator_energy(self.device) if self._cuda else _package_energy()


class _Watch:
    """Sampler of memory, in a thread."""

    def __init__(self) -> None:
        self._peak, self._over = own_memory() or 0, threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._over.wait(EVERY):
            self._peak = max(self._peak, own_memory() or 0)

    def stop(self) -> int:
        self._over.set()
        self._thread.join()
        return max(self._peak, own_memory() or 0)


def own_memory() -> int | None:
    """Return resident memory in bytes, without mapped files; None if the platform does not report it."""
    try:
        _, resident, shared = map(int, STATM.read_text().split()[:3])
    except (OSError, ValueError):
        return None
    return (resident - shared) * PAGE


def _own_memory_trimmed() -> int | None:
    """Return resident memory after free memory is returned to the system, so that reused memory is counted."""
    gc.collect()
    arrow = sys.modules.get("pyarrow")
    if arrow:  # its allocator keeps freed memory for some time
        arrow.default_memory_pool().release_unused()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if STATM.exists() else None
    if trim:
        trim(0)
    return own_memory()


def _package_energy() -> list[tuple[float, float]] | None:
    found = []
    for zone in sorted(POWERCAP.glob("intel-rapl:?")):
        try:
            if (zone / "name").read_text().startswith("package"):
                found.append(
                    tuple(int((zone / name).read_text()) / 1e6 for name in ("energy_uj", "max_energy_range_uj"))
                )
        except (OSError, ValueError):
            return None
    return [(now, most) for now, most in found] or None


def _accelerator_energy(device: torch.device) -> list[tuple[float, float]] | None:
    try:
        import pynvml
    except ImportError:
        return None
    import torch

    nvml: Any = pynvml
    try:
        nvml.nvmlInit()
        handle = nvml.nvmlDeviceGetHandleByUUID(f"GPU-{torch.cuda.get_device_properties(device).uuid}")
        return [(nvml.nvmlDeviceGetTotalEnergyConsumption(handle) / 1e3, 0.0)]
    except nvml.NVMLError:
        return None


def _used(before: list[tuple[float, float]], now: list[tuple[float, float]]) -> float:
    spans = [(after - first, most) for (first, most), (after, _) in zip(before, now, strict=True)]
    return sum(span if span >= 0 else span + most for span, most in spans)
