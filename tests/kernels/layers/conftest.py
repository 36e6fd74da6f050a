"""A layer beside its counterpart of torch.nn with the same weights, and what it means that they agree."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence

import rnnlab_kernels

CLASSES = {"LSTM": (rnnlab_kernels.LSTM, nn.LSTM), "RNN": (rnnlab_kernels.RNN, nn.RNN)}


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


@pytest.fixture(params=list(CLASSES))
def kind(request):
    """Each test that names it runs for the LSTM and for the RNN."""
    return request.param


@pytest.fixture
def pair(device):
    """`pair(kind, I, H, **options)`: our layer and torch's with the same weights.

    Ours is on the device under test, in `dtype`, with `extra` for the options that only it has; torch's is
    on the CPU in float64.
    """

    def make(kind, *sizes, dtype=torch.float64, extra=None, **options):
        ours, theirs = CLASSES[kind]
        reference = theirs(*sizes, **options, dtype=torch.float64)
        layer = ours(*sizes, **options, **(extra or {}), device=device, dtype=dtype)
        layer.load_state_dict(reference.state_dict())
        return layer, reference

    return make


@pytest.fixture
def agree(assert_close):
    """`agree(layer, reference, x, hx)`: outputs, final states, gradients of input, weights, initial states.

    x is a tensor or a PackedSequence on the CPU in float64, hx a tuple of tensors or None. Gradients collect
    in the layers, so start with fresh ones.
    """

    def compare(layer, reference, x, hx=None):
        precision = next(layer.parameters()).dtype
        given, expected_given = _leaf(layer, x), _leaf(reference, x)
        states, expected_states = ([_leaf(each, s) for s in hx or ()] for each in (layer, reference))
        results = _flat(layer(given, _hx(states)))
        expected = _flat(reference(expected_given, _hx(expected_states)))
        cotangents = [torch.randn_like(value) for value in expected]
        for index, (value, wanted) in enumerate(zip(results, expected, strict=True)):
            assert_close(value, wanted, precision, f"result {index}")
        torch.autograd.backward([value.to("cpu", torch.float64) for value in results], cotangents)
        torch.autograd.backward(expected, cotangents)
        assert_close(_data(given).grad, _data(expected_given).grad, precision, "gradient of the input")
        for index, (state, wanted) in enumerate(zip(states, expected_states, strict=True)):
            assert_close(state.grad, wanted.grad, precision, f"gradient of initial state {index}")
        wanted = dict(reference.named_parameters())
        for name, parameter in layer.named_parameters():
            assert_close(parameter.grad, wanted[name].grad, precision, f"gradient of {name}")

    return compare


def _leaf(layer, value):
    """A copy on the layer's device, in its dtype, that collects a gradient."""
    weight = next(layer.parameters())
    if isinstance(value, PackedSequence):
        data = value.data.detach().to(weight).clone().requires_grad_()
        orders = (
            order if order is None else order.to(weight.device)
            for order in (value.sorted_indices, value.unsorted_indices)
        )
        return PackedSequence(data, value.batch_sizes, *orders)
    return value.detach().to(weight).clone().requires_grad_()


def _data(value):
    return value.data if isinstance(value, PackedSequence) else value


def _hx(states):
    if not states:
        return None
    return tuple(states) if len(states) == 2 else states[0]


def _flat(result):
    output, final = result
    return [_data(output), *(final if isinstance(final, tuple) else (final,))]
