"""Traits of tasks, by which other members name the tasks that they suit: a new task needs no change in their files.

The file of a task states its traits as a literal, `TRAITS = ("class probabilities", "one class")`. The literal `TASKS`
of a metric, technique, head … lists names of tasks or traits: `TASKS = ("binary", "an amount")` is for `binary` and for
each task with the trait "an amount". Every trait contains a blank, so that it cannot be the
name of a task.
"""

from __future__ import annotations

from collections.abc import Sequence

from sensorium.registry import tasks

TRAITS = {
    "class probabilities": "scores (n, k) are probabilities of classes or labels",
    "one class": "each row has one of several classes; its probabilities sum to 1",
    "class logits": "the network has one logit per class or label, or one for two classes: a softmax or a sigmoid",
    "ordered classes": "the classes have an order, the lowest first",
    "an amount": "scores (n,) are numbers on the scale of the target",
}


def suits(declared: Sequence[str] | None, task: str) -> bool:
    """Return whether a literal `TASKS` includes a task, by name or trait; without a literal, every task is included.

    Args:
        declared: the literal; None or empty for all tasks.
        task: registered name.
    """
    return not declared or task in declared or not traits_of(task).isdisjoint(declared)


def suited_tasks(declared: Sequence[str] | None) -> list[str]:
    """Return the names of the registered tasks that a literal `TASKS` includes, in alphabetical order."""
    return [name for name in tasks.names() if suits(declared, name)]


def traits_of(task: str) -> frozenset[str]:
    """Return the traits of a task; none for a task that is not registered."""
    return frozenset(tasks.entries[task].literal("TRAITS", ())) if task in tasks.entries else frozenset()
