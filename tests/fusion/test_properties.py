"""What holds for every registered fusion, whatever the rows."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sensorium.batch import Tokens
from sensorium.registry import fusions

D = 8


@st.composite
def cases(draw):
    """Tokens of some modalities and who is present; every row has one or more."""
    rows, count = draw(st.integers(1, 5)), draw(st.integers(1, 4))
    lengths = [draw(st.integers(1, 3)) for _ in range(count)]
    present = torch.tensor(
        [draw(st.lists(st.booleans(), min_size=count, max_size=count).filter(any)) for _ in range(rows)]
    )
    torch.manual_seed(draw(st.integers(0, 1000)))
    return [torch.randn(rows, t, D) for t in lengths], present


def run(name, values, present, seed=0):
    torch.manual_seed(seed)
    module = fusions.load(name)([D] * len(values), D).eval()
    at_token = module.level == "token"
    tokens = [Tokens(v, present[:, i, None].expand(v.shape[:2])) for i, v in enumerate(values)]
    tokens = tokens if at_token else [Tokens.of_vector(t.values.mean(1)) for t in tokens]
    with torch.no_grad():
        return module(tokens, present), module.modality_weights(tokens, present)


@pytest.mark.parametrize("name", fusions.names())
@settings(max_examples=12)
@given(case=cases())
def test_absent_modalities_do_not_matter_and_every_subset_answers(name, case):
    values, present = case
    nonsense = [torch.where(present[:, i, None, None], v, torch.full_like(v, 1e6)) for i, v in enumerate(values)]
    found, shares = run(name, values, present)
    assert found.isfinite().all()
    assert torch.equal(found, run(name, nonsense, present)[0])
    if shares is not None:
        assert torch.allclose(shares.sum(1), torch.ones(len(shares)), atol=1e-5)
        assert (shares[~present] == 0).all()


@pytest.mark.parametrize("name", ["attention", "dynamic_routing", "gated", "late", "weighted_sum"])
def test_weights_are_reported_where_a_fusion_has_them(name):
    values, present = [torch.randn(4, 2, D) for _ in range(3)], torch.ones(4, 3, dtype=torch.bool)
    assert run(name, values, present)[1].shape == (4, 3)


@pytest.mark.parametrize("name", fusions.names())
@settings(max_examples=8)
@given(case=cases())
def test_rows_do_not_see_each_other(name, case):
    values, present = case
    together = run(name, values, present)[0]
    for row in range(len(present)):
        alone = run(name, [v[row : row + 1] for v in values], present[row : row + 1])[0]
        assert torch.allclose(alone[0], together[row], atol=1e-5)
