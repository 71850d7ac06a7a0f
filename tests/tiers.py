"""Which cases of a test are run every day: one per branch. The others are slow."""

import pytest


def tiered(everyday, others):
    """Return the cases of both lists for `parametrize`; the others are marked `slow`. A tuple is one case."""
    slow = (case if isinstance(case, tuple) else (case,) for case in others)
    return [*everyday, *(pytest.param(*case, marks=pytest.mark.slow) for case in slow)]


def spread(cases, everyday):
    """Return `tiered` cases, where `everyday` names some of the cases."""
    cases = [*cases]
    assert all(case in cases for case in everyday)
    return tiered(everyday, [case for case in cases if case not in everyday])
