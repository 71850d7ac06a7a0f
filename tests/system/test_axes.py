"""Tests check the axes that annotations name: wrong shapes are errors in every test."""

import jaxtyping
import pytest
import torch
from beartype.roar import BeartypeCallHintViolation

from sensorium.augment._base import spans
from sensorium.batch import Tokens

pytestmark = pytest.mark.unit


def tokens(rows=2):
    return Tokens(torch.zeros(rows, 3, 4), torch.ones(rows, 3, dtype=torch.bool))


def test_axes_of_one_name_have_one_length():
    assert tokens().pooled().shape == (2, 4)
    with pytest.raises(BeartypeCallHintViolation):
        Tokens(torch.zeros(2, 3, 4), torch.ones(3, 2, dtype=torch.bool))


def test_numbers_of_axes_and_types_of_numbers_are_checked():
    with pytest.raises(BeartypeCallHintViolation):
        Tokens.of_vector(torch.zeros(2, 3, 4))
    with pytest.raises(BeartypeCallHintViolation):
        tokens().only(torch.ones(2))


def test_results_are_checked():
    broken = tokens()
    object.__setattr__(broken, "summary", torch.zeros(2, 3, 4))
    with pytest.raises(BeartypeCallHintViolation):
        broken.pooled()


def test_results_of_calls_with_sizes_that_were_checked_before_are_checked():
    for rows in (2, 2, 3):
        whole = Tokens(torch.zeros(rows, 3, 4), torch.ones(rows, 3, dtype=torch.bool))
        assert whole.pooled().shape == (rows, 4)
    object.__setattr__(whole, "summary", torch.zeros(3, 3, 4))
    for _ in range(2):
        with pytest.raises(BeartypeCallHintViolation):
            whole.pooled()
    with pytest.raises(BeartypeCallHintViolation):
        whole.only(torch.ones(3, dtype=torch.int64))


def test_an_axis_may_be_as_long_as_an_argument_says():
    lengths = torch.full((2,), 5.0)
    assert spans(lengths, lengths, 6, torch.Generator()).shape == (2, 6)
    with pytest.raises(BeartypeCallHintViolation):
        spans(lengths, torch.full((3,), 5.0), 6, torch.Generator())


def test_checks_can_be_switched_off_for_graphs():
    jaxtyping.config.update("jaxtyping_disable", True)
    try:
        Tokens(torch.zeros(2, 3, 4), torch.ones(3, 2, dtype=torch.bool))
    finally:
        jaxtyping.config.update("jaxtyping_disable", False)
