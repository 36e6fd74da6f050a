"""A step cut into stages gives what PyTorch's own gradients of the step give, and computes nothing twice."""

from __future__ import annotations

from itertools import compress

import pytest
import torch
import torch.nn.functional as F
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils._pytree import tree_flatten, tree_unflatten

from rnnlab_plugins.backends.stages import Stages

ROWS, UNITS = 3, 4


def tanh(projected, state, tensors):
    (h,), (weight, bias) = state, tensors
    return (torch.tanh(projected + F.linear(h, weight, bias)),)


def gated(projected, state, tensors):
    """Two products one after the other, and a state that is not all its own."""
    (h, m), (weight, scale) = state, tensors
    u = torch.sigmoid(projected + F.linear(h, weight))
    n = torch.tanh(projected + F.linear(u * h, torch.exp(weight)))
    return (1 - u) * h + u * n, scale * m + n[:, :2]


def normalised(projected, state, tensors):
    (h,), (weight, gain) = state, tensors
    return (F.layer_norm(F.linear(h, weight), (UNITS,), gain) * projected,)


def headed(projected, state, tensors):
    """A product of heads, whose rows stand on its second axis."""
    (h,), (blocks,) = state, tensors
    heads = torch.einsum("bij,ijk->bik", h.reshape(-1, 2, 2), blocks)
    return (torch.tanh(projected + heads.flatten(1)) * h,)


def clipped(projected, state, tensors):
    (h,), (weight,) = state, tensors
    h = F.linear(h, weight).clamp(max=0.5)
    return (torch.where(projected > 0, h, torch.maximum(projected, h)),)


def routed(projected, state, tensors):
    """Positions and what is true beside numbers."""
    (h,), (keep, weight, turn) = state, tensors
    return (torch.where(keep, torch.tanh(projected + F.linear(h[:, turn], weight)), h),)


def bare(projected, state, tensors):
    return (projected.sin() + state[0],)


STEPS = {
    tanh: ((UNITS,), ((UNITS, UNITS), (UNITS,))),
    gated: ((UNITS, 2), ((UNITS, UNITS), ())),
    normalised: ((UNITS,), ((UNITS, UNITS), (UNITS,))),
    headed: ((UNITS,), ((2, 2, 2),)),
    clipped: ((UNITS,), ((UNITS, UNITS),)),
    routed: (
        (UNITS,),
        (torch.tensor([True, False, True, True]), (UNITS, UNITS), torch.tensor([2, 0, 0, 1])),
    ),
    bare: ((UNITS,), ()),
}


def drawn(*shape):
    return torch.randn(shape, dtype=torch.float64)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__)
def test_values_and_gradients_of_two_steps(step):
    """The steps are not one sequence: their rows stand below one another where the weights are asked."""
    torch.manual_seed(0)
    sizes, shapes = STEPS[step]
    tensors = [each if isinstance(each, torch.Tensor) else drawn(*each) for each in shapes]
    numeric = [each.is_floating_point() for each in tensors]
    cut = Stages(step, drawn(7, UNITS), tuple(drawn(7, size) for size in sizes), tensors)
    given, expected = [], [torch.zeros_like(each) for each in compress(tensors, numeric)]
    for _ in range(2):
        projected, state, upstream = (
            drawn(ROWS, UNITS),
            *(tuple(drawn(ROWS, size) for size in sizes) for _ in range(2)),
        )
        numbers = compress(tensors, numeric)
        leaves = [each.clone().requires_grad_() for each in (projected, *state, *numbers)]
        rest = iter(leaves[1 + len(sizes) :])
        used = [next(rest) if number else each for each, number in zip(tensors, numeric, strict=True)]
        new = step(leaves[0], tuple(leaves[1 : 1 + len(sizes)]), used)
        right = torch.autograd.grad(new, leaves, upstream)
        got, passing, lasting = cut.forward(projected, state, tensors)
        torch.testing.assert_close(tuple(got), new)
        assert all(each.is_floating_point() and len(each) == ROWS for each in (*passing, *lasting))
        found, by_state = cut.backward(passing, lasting, upstream, tensors)
        torch.testing.assert_close((found[0], *by_state), right[: 1 + len(sizes)])
        given.append([*found, *lasting])
        expected = [a + b for a, b in zip(expected, right[1 + len(sizes) :], strict=True)]
    rows = [torch.cat(each) for each in zip(*given, strict=True)]
    torch.testing.assert_close(cut.weights(rows, tensors), expected)


def products_and_activations(function, *arguments):
    """Those that are left of a function once all that its results do not need is dropped."""
    leaves, form = tree_flatten(arguments)
    traced = make_fx(lambda *leaves: tree_flatten(function(*tree_unflatten(leaves, form)))[0])(*leaves)
    traced.graph.eliminate_dead_code()
    names = [node.name.rstrip("_0123456789") for node in traced.graph.nodes if node.op == "call_function"]
    return [name for name in names if name in ("mm", "tanh", "sigmoid", "tanh_backward")]


def test_no_product_and_no_activation_is_computed_twice():
    sizes, shapes = STEPS[gated]
    projected, state = drawn(7, UNITS), tuple(drawn(7, size) for size in sizes)
    tensors = [drawn(*shape) for shape in shapes]
    cut = Stages(gated, projected, state, tensors)
    _, passing, lasting = cut.forward(projected, state, tensors)
    found, _ = cut.backward(passing, lasting, state, tensors)
    forwards = products_and_activations(cut.forward, projected, state, tensors)
    backwards = products_and_activations(cut.backward, passing, lasting, state, tensors)
    of_weights = products_and_activations(cut.weights, [*found, *lasting], tensors)
    assert forwards == ["mm", "sigmoid", "mm", "tanh"]
    assert backwards == ["tanh_backward", "mm", "mm"]
    assert of_weights == ["mm", "mm"]
