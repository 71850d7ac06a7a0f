"""How many CPUs may be used: those of the affinity and of the quota of every control group on the way up."""

import os
from pathlib import Path

import pytest

import sensorium
from sensorium.runtime import cgroups
from sensorium.runtime.cpus import Cpus, find_cpus, usable_cpus
from sensorium.runtime.memory import usable_memory

pytestmark = pytest.mark.unit


@pytest.fixture
def groups(tmp_path, monkeypatch):
    """groups(version, root, path, {"folder/file": "content"}): a mounted tree of control groups."""

    def make(version, root, path, files):
        mount = tmp_path / "mounted groups"
        kind, options = ("cgroup2", "rw") if version == 2 else ("cgroup", "rw,cpu,cpuacct")
        spelt = str(mount).replace(" ", "\\040")
        (tmp_path / "mountinfo").write_text(
            "21 1 8:1 / / rw - ext4 /dev/vda rw\n"
            f"32 31 0:29 {root} {spelt} rw,relatime shared:9 - {kind} {kind} {options}\n"
        )
        (tmp_path / "cgroup").write_text(f"0::{path}\n" if version == 2 else f"9:memory:/other\n1:cpu,cpuacct:{path}\n")
        for name, content in files.items():
            (mount / name).parent.mkdir(parents=True, exist_ok=True)
            (mount / name).write_text(content)
        monkeypatch.setattr(cgroups, "PROCESS", tmp_path)

    return make


V1 = {"cpu.cfs_quota_us": "150000\n", "cpu.cfs_period_us": "100000\n"}


@pytest.mark.parametrize(
    ("version", "root", "path", "files", "quota"),
    [
        (2, "/", "/", {"cpu.max": "max 100000\n"}, None),
        (2, "/", "/job", {"cpu.max": "max 100000\n", "job/cpu.max": "50000 100000\n"}, 0.5),
        (2, "/", "/a/b", {"cpu.max": "300000 100000", "a/cpu.max": "50000 20000", "a/b/cpu.max": "max 100000"}, 2.5),
        (2, "/docker/a", "/docker/a", {"cpu.max": "120000 100000\n"}, 1.2),
        (2, "/docker/a", "/elsewhere", {"cpu.max": "120000 100000\n"}, 1.2),
        (2, "/", "/../../outside", {"cpu.max": "120000 100000\n"}, 1.2),
        (1, "/", "/", {"cpu.cfs_quota_us": "-1\n", "cpu.cfs_period_us": "100000\n"}, None),
        (1, "/", "/job", {f"job/{name}": content for name, content in V1.items()}, 1.5),
        (1, "/", "/a/b", V1 | {"a/b/cpu.cfs_quota_us": "400000", "a/b/cpu.cfs_period_us": "100000"}, 1.5),
        (1, "/", "/job", {"job/cpu.cfs_quota_us": "0\n", "job/cpu.cfs_period_us": "0\n"}, None),
    ],
)  # fmt: skip
def test_smallest_quota_on_the_way_up_counts(groups, version, root, path, files, quota):
    groups(version, root, path, files)
    assert find_cpus().quota == quota


def test_no_control_groups_mean_no_quota(monkeypatch, tmp_path):
    monkeypatch.setattr(cgroups, "PROCESS", tmp_path)
    assert find_cpus().quota is None and usable_cpus() >= 1


@pytest.mark.parametrize(
    ("machine", "affinity", "quota", "usable"),
    [(8, 8, None, 8), (8, 3, None, 3), (8, None, None, 8), (8, 8, 2.9, 2), (8, 1, 2, 1), (8, 8, 0.2, 1)],
)
def test_usable_cpus_are_whole_ones(machine, affinity, quota, usable):
    assert Cpus(machine, affinity, quota).usable == usable


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the platform has no affinity")
def test_affinity_of_the_process_counts():
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert find_cpus().affinity == usable_cpus() == 1
    finally:
        os.sched_setaffinity(0, before)


def test_memory_limit_of_an_outer_group_counts(groups):
    groups(2, "/", "/job/step", {"job/memory.max": "50000000\n", "job/step/memory.max": "max\n"})
    assert usable_memory() == 50_000_000


def test_only_one_module_asks_the_platform_for_cpus():
    """`os.cpu_count` knows neither the affinity nor the quota."""
    sources = Path(sensorium.__file__).parent.rglob("*.py")
    assert [path.name for path in sources if "cpu_count()" in path.read_text()] == ["cpus.py"]
