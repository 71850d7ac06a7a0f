"""The surest claim on a column wins; how sure it is decides which doubts the user sees."""

import pytest

from sensorium.findings import UNSURE, Guess
from sensorium.findings.claims import CERTAIN, CLOSE, SURE, best_claim

pytestmark = pytest.mark.unit

BELOW = 1e-9


class Members:
    """Stands for a registry: name → what its member says of every column."""

    def __init__(self, **claims):
        self.claims = claims

    def names(self):
        return list(self.claims)

    def load(self, name):
        claim = self.claims[name]

        class Member:
            looks_like = staticmethod(lambda column: claim)

        return Member


def claim(**claims):
    """Each claim is a confidence, a guess, or None."""
    guesses = {n: Guess(c, f"like {n}") if isinstance(c, float) else c for n, c in claims.items()}
    return best_claim(Members(**guesses), None, lambda name: f"--modality c={name}")


def test_the_surest_claim_wins():
    name, guess = claim(a=0.3, b=0.98, c=0.5, d=None)
    assert (name, guess.confidence, guess.reason, guess.caution) == ("b", 0.98, "like b", "")


def test_what_nothing_claims_has_no_name():
    assert claim(a=None, b=Guess(0.0, "", "looks like b, but is none"))[0] is None


def test_the_threshold_of_doubt():
    """A figure that users know from the docs: from 0.7 a guess stands without a caution."""
    assert UNSURE == 0.7
    assert claim(a=0.7, b=None)[1].caution == ""
    assert claim(a=0.7 - BELOW, b=None)[1].caution == "this is a guess; if it is not a: --modality c=b"
    assert (
        claim(a=0.65, b=None, c=None)[1].caution == "this is a guess; if it is not a: --modality c=b or --modality c=c"
    )


def test_an_unsure_claim_names_all_others_that_claim_it_and_no_more():
    assert claim(a=0.6, b=0.1, c=None)[1].caution == "this is a guess; if it is not a: --modality c=b"


@pytest.mark.parametrize(("other", "told"), [(0.75, True), (0.75 - BELOW, False)])
def test_a_runner_up_is_named_where_it_is_close(other, told):
    assert CLOSE == 0.125
    caution = claim(a=0.875, b=other, c=0.1)[1].caution
    assert caution == ("this is a guess; if it is not a: --modality c=b" if told else "")


@pytest.mark.parametrize(("sure", "told"), [(CERTAIN, False), (CERTAIN - BELOW, True)])
def test_no_runner_up_is_named_beside_a_certain_claim(sure, told):
    assert bool(claim(a=sure, b=0.99)[1].caution) == told


@pytest.mark.parametrize(("sure", "told"), [(SURE, ""), (SURE - BELOW, "why not b; why not c")])
def test_why_others_refuse_is_shown_with_a_claim_that_is_not_sure(sure, told):
    refused = {name: Guess(0.0, "", f"why not {name}") for name in "bc"}
    assert claim(a=sure, **refused)[1].caution == told


def test_a_caution_of_the_claim_itself_is_shown_alone():
    refused = Guess(0.0, "", "why not b")
    assert claim(a=Guess(0.6, "like a", "mind the gap"), b=refused, c=0.59)[1].caution == "mind the gap"
