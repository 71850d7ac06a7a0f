"""Check the installation: versions, devices, CPUs and threads, memory, cache, optional packages."""

from __future__ import annotations

from sensorium.cli import _options as o
from sensorium.cli._show import show, show_json


def doctor(json: o.Json = False, quiet: o.Quiet = False) -> None:
    """Check the installation: what is installed, which devices, CPUs and memory can be used, and what to mend.

    Example: sensorium doctor
    """
    from sensorium.cli._facts import find_facts, find_problems, lines

    facts = find_facts()
    problems = find_problems(facts)
    show("\n".join([*lines(facts), *(f"! {problem}" for problem in problems)]), json, quiet)
    show_json(facts | {"problems": problems}, json)
