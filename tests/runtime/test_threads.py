"""Torch's number of threads is set for a block and one thread of Python; the environment is the user's."""

import os
import subprocess
import sys
import threading

import pytest
import torch

from sensorium.runtime import thread_environment, threads
from sensorium.runtime.thread_environment import PASSIVE, SINGLE, choose_variables
from sensorium.runtime.threads import Threads, threads_outside, torch_threads


@pytest.fixture
def two(monkeypatch):
    """Two CPUs, and a torch that uses two threads."""
    for name in thread_environment.SHOWN:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(threads, "usable_cpus", lambda: 2)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def in_thread(function):
    found = []
    thread = threading.Thread(target=lambda: found.append(function()))
    thread.start()
    thread.join()
    return found[0]


@pytest.mark.unit
def test_number_is_restored_in_nested_blocks_and_after_errors(two):
    def fail():
        with torch_threads(1):
            with torch_threads(3):
                assert (torch.get_num_threads(), threads_outside()) == (3, 2)
            assert (torch.get_num_threads(), threads_outside()) == (1, 2)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert torch.get_num_threads() == threads_outside() == 2


@pytest.mark.unit
@pytest.mark.parametrize("number", [1, 2])
def test_number_that_code_within_a_block_sets_does_not_outlast_it(two, number):
    with torch_threads(number):
        torch.set_num_threads(3)
    assert torch.get_num_threads() == in_thread(torch.get_num_threads) == threads_outside() == 2


@pytest.mark.unit
def test_blocks_that_generators_close_in_another_order_restore_the_number(two):
    def block(number):
        with torch_threads(number):
            yield torch.get_num_threads()

    blocks = [block(1), block(3), block(2), block(4)]
    assert [next(each) for each in blocks] == [1, 3, 2, 4]
    for place, outside in zip((0, 2, 3, 1), (2, 2, 2, 2), strict=True):
        assert threads_outside() == outside
        blocks[place].close()
    assert torch.get_num_threads() == in_thread(torch.get_num_threads) == threads_outside() == 2


@pytest.mark.unit
def test_other_threads_of_python_keep_their_number(two):
    """One that computes for the first time while another is in a block takes torch's number for good."""
    with torch_threads(1):
        assert in_thread(torch.get_num_threads) == 2
        assert in_thread(threads_outside) == 2
    assert in_thread(torch.get_num_threads) == 2


@pytest.mark.unit
def test_blocks_of_several_threads_may_overlap(two):
    entered, leave, found = threading.Barrier(3, timeout=10), threading.Event(), {}

    def work(number, first):
        with torch_threads(number):
            entered.wait()
            if not first:
                leave.wait(10)
            found[number, "inside"] = torch.get_num_threads()
        found[number, "after"] = torch.get_num_threads()
        if first:
            leave.set()

    both = [threading.Thread(target=work, args=(number, number == 1)) for number in (1, 3)]
    for thread in both:
        thread.start()
    entered.wait()
    for thread in both:
        thread.join()
    assert found == {(1, "inside"): 1, (1, "after"): 2, (3, "inside"): 3, (3, "after"): 2}
    assert torch.get_num_threads() == in_thread(torch.get_num_threads) == 2


@pytest.mark.unit
def test_auto_is_the_least_of_what_is_usable_and_what_torch_uses(two, monkeypatch):
    assert Threads.choose("auto") == Threads(2)
    monkeypatch.setattr(threads, "usable_cpus", lambda: 1)
    assert Threads.choose("auto") == Threads(1)
    monkeypatch.setattr(threads, "usable_cpus", lambda: 64)
    assert Threads.choose("auto") == Threads(2)
    with torch_threads(1):
        assert Threads.choose("auto") == Threads(2)
    assert Threads.choose(7) == Threads(7, exact=True)


@pytest.mark.unit
@pytest.mark.parametrize("name", ["OMP_NUM_THREADS", "MKL_NUM_THREADS"])
def test_number_that_the_user_sets_is_used_as_it_is(two, monkeypatch, name):
    """Torch has read the variable when it was loaded: here, it uses two threads."""
    monkeypatch.setattr(threads, "usable_cpus", lambda: 1)
    monkeypatch.setenv(name, "2")
    assert Threads.choose("auto") == Threads(2, exact=True)


@pytest.mark.unit
def test_small_work_gets_fewer_threads():
    most = Threads(4)
    assert [most.for_work(work * threads.PER_THREAD) for work in (0, 1, 2, 3, 4, 400)] == [1, 1, 2, 3, 4, 4]
    assert Threads(4, exact=True).for_work(0) == 4
    assert Threads.from_json(most.to_json()) == most


@pytest.mark.unit
def test_variables_of_the_user_win(two, monkeypatch):
    assert choose_variables(PASSIVE) == PASSIVE and choose_variables(SINGLE) == SINGLE
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert set(choose_variables(SINGLE)) == {"OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"}
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")  # says how threads wait, in any library
    assert choose_variables(PASSIVE) == {}


@pytest.mark.unit
@pytest.mark.parametrize(
    ("value", "counts"),
    [("2", True), (" 4,2", True), ("nonsense", False), ("", False), ("0", False), ("-1", False), ("1e3", False)],
)
def test_numbers_that_libraries_ignore_count_as_unset(two, monkeypatch, value, counts):
    """Torch takes as many threads as there are cores then, whatever the quota of the container."""
    monkeypatch.setattr(threads, "usable_cpus", lambda: 1)
    monkeypatch.setenv("OMP_NUM_THREADS", value)
    assert Threads.choose("auto") == (Threads(2, exact=True) if counts else Threads(1))
    assert ("OMP_NUM_THREADS" in choose_variables(SINGLE)) != counts  # of worker processes


@pytest.mark.slow
def test_library_changes_no_environment():
    code = "\n".join([
        "import os, sys",
        "before = dict(os.environ)",
        "import sensorium",
        "assert 'torch' not in sys.modules and dict(os.environ) == before",
        "sensorium.fit",
        "assert 'torch' in sys.modules and dict(os.environ) == before",
    ])  # fmt: skip
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


PROBE = """
import os, sys
from sensorium import __main__
from sensorium.cli import _main
def show():
    assert "torch" not in sys.modules
    print(os.environ.get("GOMP_SPINCOUNT"), os.environ.get("OMP_NUM_THREADS"))
    from sensorium.runtime.thread_environment import PASSIVE, choose_variables
    print(choose_variables(PASSIVE).get("GOMP_SPINCOUNT"))
_main.main = show
__main__.main()
"""


@pytest.mark.parametrize(
    ("given", "seen"),
    [({}, "1000 None 0"), ({"GOMP_SPINCOUNT": "5"}, "5 None None"), ({"OMP_WAIT_POLICY": "ACTIVE"}, "None None None")],
)
def test_command_line_sets_how_threads_wait_before_torch_is_loaded(given, seen):
    """Worker processes override what the command line set, but not what the user set."""
    clean = {name: value for name, value in os.environ.items() if name not in thread_environment.SHOWN}
    done = subprocess.run(
        [sys.executable, "-c", PROBE], env=clean | given, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == seen.split()
