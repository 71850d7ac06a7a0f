"""Each fusion against its published formula, written out in NumPy on the module's own weights."""

import math

import numpy as np
import pytest
import torch

from sensorium.batch import Tokens
from sensorium.errors import ConfigError
from sensorium.registry import fusions

pytestmark = pytest.mark.unit

B, M, D = 6, 3, 8
PRESENT = np.array([[1, 1, 1], [1, 0, 0], [0, 1, 1], [1, 0, 1], [0, 0, 1], [1, 1, 0]], bool)


def build(name, count=M, **options):
    """A fusion with random weights, in double precision."""
    torch.manual_seed(0)
    module = fusions.load(name)([D] * count, D, **options).double().eval()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_(0, 0.5)
    return module


def vectors(seed=0, count=M):
    return np.random.default_rng(seed).normal(size=(B, count, D))


def fuse(module, x, present=PRESENT):
    """One token a modality; absent ones hold nonsense."""
    tokens = [Tokens.of_vector(torch.from_numpy(x[:, i])) for i in range(x.shape[1])]
    with torch.no_grad():
        return module(tokens, torch.from_numpy(present)).numpy()


def weights(module):
    return {name: value.detach().numpy() for name, value in module.state_dict().items()}


def softmax(logits, present, axis=1):
    raised = np.where(present, np.exp(logits), 0)
    return raised / raised.sum(axis, keepdims=True)


def test_fixed_alpha_is_the_founding_formula():
    x = vectors(count=2)
    found = fuse(build("weighted_sum", 2, alpha=0.3), x, np.ones((B, 2), bool))
    assert found == pytest.approx(0.3 * x[:, 0] + 0.7 * x[:, 1], abs=1e-6)


def test_fixed_weights_are_scaled_up_where_a_modality_is_absent():
    x, alpha = vectors(), np.array([0.5, 0.3, 0.2])
    a = PRESENT * alpha
    expected = ((a / a.sum(1, keepdims=True))[..., None] * x).sum(1)
    assert fuse(build("weighted_sum", alpha=[0.5, 0.3, 0.2]), x) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("alpha", ["learned", "per_feature"])
def test_learned_alpha_is_a_softmax_over_what_is_present(alpha):
    module, x = build("weighted_sum", alpha=alpha), vectors()
    a = softmax(weights(module)["logits"][None], PRESENT[..., None])
    assert a.shape[2] == (D if alpha == "per_feature" else 1)
    assert fuse(module, x) == pytest.approx((a * x).sum(1), abs=1e-6)


@pytest.mark.parametrize("alpha", [1.5, -0.1, [0.5, 0.6, 0.1], [0.5, 0.5], [float("nan"), 0.5, 0.5]])
def test_alpha_that_is_no_share_is_refused(alpha):
    with pytest.raises(ConfigError, match="adding up to 1"):
        build("weighted_sum", alpha=alpha)


def test_alpha_of_zero_still_answers_where_only_that_modality_is_there():
    x, only_second = vectors(count=2), np.tile([False, True], (B, 1))
    assert fuse(build("weighted_sum", 2, alpha=1.0), x, only_second) == pytest.approx(x[:, 1], abs=1e-6)


def test_concat_puts_a_learned_vector_where_a_modality_is_absent():
    module, x = build("concat"), vectors()
    w = weights(module)
    filled = [np.where(PRESENT[:, i, None], x[:, i], w[f"missing.{i}"]) for i in range(M)]
    hidden = np.concatenate(filled, 1) @ w["layers.0.weight"].T + w["layers.0.bias"]
    assert fuse(module, x) == pytest.approx(np.maximum(hidden, 0), abs=1e-6)


def test_concat_without_layers_is_the_concatenation():
    x = vectors()
    found = fuse(build("concat", layers=0), x, np.ones_like(PRESENT))
    assert (found == x.reshape(B, M * D)).all()


@pytest.mark.parametrize("per_feature", [True, False])
def test_gated_is_the_gated_multimodal_unit(per_feature):
    module, x = build("gated", per_feature=per_feature), vectors()
    w = weights(module)
    hidden = np.stack([np.tanh(x[:, i] @ w[f"project.{i}.weight"].T + w[f"project.{i}.bias"]) for i in range(M)], 1)
    seen = np.concatenate([(x * PRESENT[..., None]).reshape(B, -1), PRESENT], 1)
    logits = (seen @ w["gate.weight"].T + w["gate.bias"]).reshape(B, M, -1)
    assert fuse(module, x) == pytest.approx((softmax(logits, PRESENT[..., None]) * hidden).sum(1), abs=1e-6)


def test_late_multiplies_what_the_experts_say():
    module, x = build("late", weights="product"), vectors()
    assert fuse(module, x) == pytest.approx((PRESENT[..., None] * x).sum(1), abs=1e-6)


def test_late_listens_less_to_a_modality_that_is_unsure_of_a_row():
    module, x = build("late", weights="energy"), vectors()
    share = softmax(np.log(np.exp(x).sum(2)), PRESENT)
    assert fuse(module, x) == pytest.approx((share[..., None] * x).sum(1), abs=1e-6)


def test_the_energy_of_one_logit_does_not_depend_on_its_sign():
    module = fusions.load("late")([1, 1], 1, weights="energy")
    tokens = [Tokens.of_vector(torch.tensor([[4.0], [-4.0]])), Tokens.of_vector(torch.tensor([[0.5], [0.5]]))]
    share = module.modality_weights(tokens, torch.ones(2, 2, dtype=torch.bool))
    assert share[0].tolist() == share[1].tolist()
    assert share[0, 0] > 0.7


def test_film_scales_and_shifts_by_what_the_others_say():
    module, x = build("film"), vectors()
    w, expected = weights(module), np.zeros((B, D))
    for row in range(B):
        there = [m for m in range(M) if PRESENT[row, m]]
        for m in there:
            others = [x[row, j] for j in there if j != m]
            scale, shift = np.split(w[f"modulate.{m}.weight"] @ (np.mean(others, 0) if others else np.zeros(D)), 2)
            expected[row] += ((1 + scale) * x[row, m] + shift) / len(there)
    assert fuse(module, x) == pytest.approx(expected, abs=1e-6)


def test_multiplicative_is_a_bilinear_form_of_every_pair():
    module, x = build("multiplicative"), vectors()
    w, expected = weights(module), np.zeros((B, D))
    for row in range(B):
        there = [m for m in range(M) if PRESENT[row, m]]
        factors = {m: w[f"factor.{m}.weight"] @ x[row, m] for m in there}
        pairs = sum((factors[i] * factors[j] for i in there for j in there if i < j), np.zeros(D))
        linear = sum(w[f"linear.{m}.weight"] @ x[row, m] for m in there)
        expected[row] = linear + w["out.weight"] @ pairs + w["out.bias"]
    assert fuse(module, x) == pytest.approx(expected, abs=1e-6)


def test_low_rank_is_the_sum_over_ranks_of_products_of_factors():
    module, x = build("low_rank", rank=3), vectors()
    w, expected = weights(module), np.zeros((B, D))
    for row in range(B):
        for rank in range(3):
            product = np.ones(D)
            for m in np.flatnonzero(PRESENT[row]):
                part = slice(rank * D, (rank + 1) * D)
                product *= w[f"factor.{m}.weight"][part] @ x[row, m] + w[f"factor.{m}.bias"][part]
            expected[row] += w["weights"][rank] * product
    assert fuse(module, x) == pytest.approx(expected + w["bias"], abs=1e-6)


def test_tensor_holds_every_product_of_features():
    module, x = build("tensor", size=3), vectors()
    w = weights(module)
    z = [np.maximum(x[:, m] @ w[f"project.{m}.weight"].T + w[f"project.{m}.bias"], 0) for m in range(M)]
    a, b, c = (np.concatenate([part * PRESENT[:, m, None], np.ones((B, 1))], 1) for m, part in enumerate(z))
    products = np.stack([np.multiply.outer(np.multiply.outer(a[r], b[r]), c[r]).ravel() for r in range(B)])
    assert fuse(module, x) == pytest.approx(np.maximum(products @ w["out.weight"].T + w["out.bias"], 0), abs=1e-6)


def test_a_tensor_too_large_is_refused_and_the_default_never_is():
    with pytest.raises(ConfigError, match="4,084,101 entries") as caught:
        build("tensor", count=5, size=20)
    assert "low_rank" in caught.value.cure
    for count in (1, 2, 5, 12, 16):
        assert fuse(build("tensor", count), vectors(count=count), np.ones((B, count), bool)).shape == (B, D)


def perceptron(x, w, name, last=2):
    hidden = np.maximum(x @ w[f"{name}.0.weight"].T + w[f"{name}.0.bias"], 0)
    return hidden if last == 0 else hidden @ w[f"{name}.{last}.weight"].T + w[f"{name}.{last}.bias"]


def test_mixture_asks_the_experts_whose_scores_are_highest():
    module, x = build("mixture_of_experts", experts=4, active=2), vectors()
    module.bias.copy_(torch.tensor([0.0, 5.0, 0.0, 0.0]))
    w = weights(module)
    seen = np.concatenate([(x * PRESENT[..., None]).reshape(B, -1), PRESENT], 1)
    scores = seen @ w["router.weight"].T + w["router.bias"]
    expected = np.zeros((B, D))
    for row in range(B):
        best = np.argsort(-(scores[row] + w["bias"]))[:2]
        share = np.exp(scores[row, best]) / np.exp(scores[row, best]).sum()
        expected[row] = sum(s * perceptron(seen[row], w, f"experts.{e}") for s, e in zip(share, best, strict=True))
    assert fuse(module, x) == pytest.approx(expected, abs=1e-6)


def test_a_mixture_leaves_no_expert_idle_for_long():
    module = fusions.load("mixture_of_experts")([D], D, experts=4, active=1).train()
    module.router.bias.data = torch.tensor([1.0, 0.0, 0.0, 0.0])  # the first is everyone's choice
    module.router.weight.data.zero_()
    tokens = [Tokens.of_vector(torch.randn(16, D))]
    chosen = set()
    for _ in range(100):
        chosen.add(int((module.router.bias + module.bias).topk(1).indices))
        module(tokens, torch.ones(16, 1, dtype=torch.bool))
    assert chosen == {0, 1, 2, 3}
    with pytest.raises(ConfigError, match=r"active \(5\) must not exceed experts \(4\)"):
        build("mixture_of_experts", experts=4, active=5)


def test_dynamic_weighs_the_paths_that_a_row_can_take():
    module, x = build("dynamic_routing"), vectors()
    w = weights(module)
    there = x * PRESENT[..., None]
    seen = np.concatenate([there.reshape(B, -1), PRESENT], 1)
    open_paths = np.concatenate([PRESENT, np.ones((B, 1), bool)], 1)
    gates = softmax(seen @ w["gate.weight"].T + w["gate.bias"], open_paths)
    paths = [perceptron(there[:, m], w, f"alone.{m}", 0) for m in range(M)] + [perceptron(seen, w, "joint", 0)]
    assert fuse(module, x) == pytest.approx((gates[..., None] * np.stack(paths, 1)).sum(1), abs=1e-6)


@pytest.mark.parametrize("how", ["mean", "learned"])
def test_late_averages_the_decisions_of_those_present(how):
    module, x = build("late", weights=how), vectors()
    logits = weights(module)["logits"]
    if how == "mean":
        module.logits.data.zero_()
        logits = np.zeros(M)
    share = softmax(logits[None], PRESENT)
    assert fuse(module, x) == pytest.approx((share[..., None] * x).sum(1), abs=1e-6)


def test_heads_that_cannot_share_the_width_are_refused_with_those_that_can():
    with pytest.raises(ConfigError, match=r"width \(8\) must be divisible by heads \(3\)") as caught:
        build("attention", heads=3)
    assert caught.value.cure == "heads: one of 1, 2, 4, 8"


def layer_norm(x, w, name):
    normal = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)
    return normal * w[f"{name}.weight"] + w[f"{name}.bias"]


def gelu(x):
    return x * 0.5 * (1 + np.vectorize(math.erf)(x / np.sqrt(2)))


def test_attention_pools_the_real_tokens_of_those_present():
    heads, queries, lengths = 2, 3, (4, 1, 2)
    module = build("attention", heads=heads, queries=queries)
    w, random = weights(module), np.random.default_rng(1)
    values = [random.normal(size=(B, t, D)) for t in lengths]
    masks = [random.random((B, t)) < 0.7 for t in lengths]
    for mask in masks:
        mask[:, 0] = True
    tokens = [Tokens(torch.from_numpy(v), torch.from_numpy(m)) for v, m in zip(values, masks, strict=True)]
    with torch.no_grad():
        found = module(tokens, torch.from_numpy(PRESENT)).numpy()
    for row in range(B):
        kept = [
            layer_norm(values[i][row, t], w, "norm") + w["whose"][i]
            for i in range(M) for t in range(lengths[i]) if PRESENT[row, i] and masks[i][row, t]
        ]  # fmt: skip
        # Of each head the first half of its features are keys, the second values.
        both = (np.stack(kept) @ w["key_value.weight"].T + w["key_value.bias"]).reshape(len(kept), heads, 2, -1)
        answers = np.zeros((queries, heads, D // heads))
        for h in range(heads):
            q = w["query"].reshape(queries, heads, -1)[:, h]
            scores = q @ both[:, h, 0].T / np.sqrt(D // heads)
            answers[:, h] = softmax(scores, np.ones_like(scores, bool)) @ both[:, h, 1]
        flat = answers.reshape(queries, D)
        hidden = gelu(layer_norm(flat, w, "perceptron.0") @ w["perceptron.1.weight"].T + w["perceptron.1.bias"])
        flat = flat + hidden @ w["perceptron.4.weight"].T + w["perceptron.4.bias"]
        expected = flat.reshape(-1) @ w["out.weight"].T + w["out.bias"]
        assert found[row] == pytest.approx(expected, abs=1e-6)
