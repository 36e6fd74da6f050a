"""Values and gradients of the layers against torch.nn's in float64."""

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pack_sequence, pad_packed_sequence

import rnnlab_kernels
from rnnlab_kernels.layers import recurrent


def states(kind, *shape):
    """An initial state of that shape for each tensor that the layer carries."""
    return tuple(torch.randn(*shape, dtype=torch.float64) for _ in range(2 if kind == "LSTM" else 1))


def sequence(*shape):
    return torch.randn(*shape, dtype=torch.float64)


@pytest.mark.parametrize("num_layers", [1, 2, 3])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("batch_first", [False, True])
def test_equals_torch(kind, num_layers, bidirectional, bias, batch_first, pair, agree):
    layer, reference = pair(
        kind, 3, 5, num_layers, bias=bias, batch_first=batch_first, bidirectional=bidirectional
    )
    D = 2 if bidirectional else 1
    agree(layer, reference, sequence(4, 2, 3))
    layer.zero_grad(), reference.zero_grad()
    B = 4 if batch_first else 2
    agree(layer, reference, sequence(4, 2, 3), states(kind, num_layers * D, B, 5))


@pytest.mark.parametrize("seed", range(12))
def test_equals_torch_at_random_shapes(kind, seed, pair, agree):
    generator = torch.Generator().manual_seed(seed)

    def draw(low, high):
        return int(torch.randint(low, high + 1, (), generator=generator))

    T, B, H, L, D = draw(1, 9), draw(1, 6), draw(1, 9), draw(1, 3), draw(1, 2)
    width = draw(1, 7)
    layer, reference = pair(kind, width, H, L, bidirectional=D == 2, bias=bool(draw(0, 1)))
    hx = states(kind, L * D, B, H) if draw(0, 1) else None
    rows = [sequence(draw(1, T), width) for _ in range(B)]
    agree(layer, reference, pack_sequence(rows, enforce_sorted=False), hx)
    layer.zero_grad(), reference.zero_grad()
    agree(layer, reference, sequence(T, B, width), hx)


def test_relu_equals_torch(pair, agree):
    layer, reference = pair("RNN", 3, 5, 2, "relu", bidirectional=True)
    agree(layer, reference, sequence(6, 2, 3), states("RNN", 4, 2, 5))


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("start", [False, True])
def test_one_sequence_without_a_batch(kind, batch_first, bidirectional, start, pair, agree):
    layer, reference = pair(kind, 3, 5, 2, batch_first=batch_first, bidirectional=bidirectional)
    agree(layer, reference, sequence(6, 3), states(kind, 4 if bidirectional else 2, 5) if start else None)


@pytest.mark.parametrize("lengths", [(5, 3, 1), (2, 5, 3), (4, 4, 4), (1, 1, 7)])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("start", [False, True])
def test_packed(kind, lengths, bidirectional, start, pair, agree):
    layer, reference = pair(kind, 3, 5, 2, bidirectional=bidirectional)
    packed = pack_sequence([sequence(length, 3) for length in lengths], enforce_sorted=False)
    hx = states(kind, 4 if bidirectional else 2, len(lengths), 5) if start else None
    agree(layer, reference, packed, hx)


def test_packed_in_its_own_order_has_no_indices(kind, pair, agree):
    layer, reference = pair(kind, 3, 5)
    packed = pack_sequence([sequence(4, 3), sequence(4, 3), sequence(2, 3)])
    assert packed.sorted_indices is None
    agree(layer, reference, packed, states(kind, 1, 3, 5))


def test_packed_output_unpacks_as_torch_does(kind, pair, device, assert_close):
    layer, reference = pair(kind, 3, 5, batch_first=True)
    rows = [sequence(length, 3) for length in (2, 6, 1)]
    output, _ = layer(pack_sequence([row.to(device) for row in rows], enforce_sorted=False))
    expected, _ = reference(pack_sequence(rows, enforce_sorted=False))
    value, lengths = pad_packed_sequence(output, batch_first=True)
    assert_close(value, pad_packed_sequence(expected, batch_first=True)[0], torch.float64)
    assert lengths.tolist() == [2, 6, 1]


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_lengths_equal_packing(kind, batch_first, bidirectional, pair, device, assert_close):
    options = {"batch_first": batch_first, "bidirectional": bidirectional}
    layer, reference = pair(kind, 3, 5, 2, **options)
    lengths = torch.tensor([3, 6, 1, 4])
    x = sequence(6, 4, 3)
    x[torch.arange(6)[:, None] >= lengths] = torch.nan
    x = x.transpose(0, 1).contiguous() if batch_first else x
    hx = states(kind, 4 if bidirectional else 2, 4, 5)
    moved = [state.clone().to(device).requires_grad_() for state in hx]
    kept = [state.clone().requires_grad_() for state in hx]
    ours, theirs = x.clone().to(device).requires_grad_(), x.nan_to_num().requires_grad_()
    as_hx = (lambda given: tuple(given)) if kind == "LSTM" else (lambda given: given[0])
    output, final = layer(ours, as_hx(moved), lengths=lengths.to(device))
    packed, expected_final = reference(
        pack_padded_sequence(theirs, lengths, batch_first, enforce_sorted=False), as_hx(kept)
    )
    expected, _ = pad_packed_sequence(packed, batch_first)
    final, expected_final = ((s if kind == "LSTM" else (s,)) for s in (final, expected_final))
    cotangents = [torch.randn_like(value) for value in (expected, *expected_final)]
    torch.autograd.backward([output, *final], [each.to(device) for each in cotangents])
    torch.autograd.backward([expected, *expected_final], cotangents)
    for name, value, wanted in [
        ("output", output, expected),
        *(("final state", *each) for each in zip(final, expected_final, strict=True)),
        ("gradient of the input", ours.grad, theirs.grad),
        *(("gradient of hx", a.grad, b.grad) for a, b in zip(moved, kept, strict=True)),
        *(
            (f"gradient of {name}", parameter.grad, dict(reference.named_parameters())[name].grad)
            for name, parameter in layer.named_parameters()
        ),
    ]:
        assert_close(value, wanted, torch.float64, name)


def test_rows_of_length_zero_keep_their_state(kind, pair, device):
    layer, _ = pair(kind, 3, 5, 2, bidirectional=True)
    hx = tuple(state.to(device) for state in states(kind, 4, 2, 5))
    x = sequence(3, 2, 3).to(device)
    x[:, 1] = torch.nan
    output, final = layer(x, hx if kind == "LSTM" else hx[0], lengths=torch.tensor([3, 0], device=device))
    assert not output[:, 1].any()
    assert not output.isnan().any()
    for value, start in zip(final if kind == "LSTM" else (final,), hx, strict=True):
        assert torch.equal(value[:, 1], start[:, 1])
        assert not torch.equal(value[:, 0], start[:, 0])


def test_dropout_draws_as_torch_does(kind, pair, device, assert_close):
    if device.type != "cpu":
        pytest.skip("cuDNN draws its masks otherwise")
    layer, reference = pair(kind, 3, 5, 3, dropout=0.4, bidirectional=True)
    x = sequence(6, 2, 3)
    torch.manual_seed(1)
    output, _ = layer(x)
    torch.manual_seed(1)
    expected, _ = reference(x)
    assert_close(output, expected, torch.float64)


def test_dropout_mask(device):
    """Layers that pass on what they read show the mask: its share of zeros, the scale of the rest."""
    layer = rnnlab_kernels.RNN(1, 50, 2, "relu", bias=False, dropout=0.25, device=device, dtype=torch.float64)
    with torch.no_grad():
        for name, parameter in layer.named_parameters():
            parameter.zero_()
            if name == "weight_ih_l0":
                parameter.fill_(1.0)
            elif name == "weight_ih_l1":
                parameter.copy_(torch.eye(50))
    x = torch.ones(20, 10, 1, dtype=torch.float64, device=device)
    output, _ = layer(x)
    zeros = (output == 0).double().mean().item()
    assert abs(zeros - 0.25) < 0.02  # 10000 draws: five standard deviations
    torch.testing.assert_close(output[output != 0].unique(), output.new_tensor([1 / 0.75]))
    other, _ = layer(x)
    assert not torch.equal(output, other)
    layer.eval()
    assert torch.equal(layer(x)[0], torch.ones_like(output))


def test_evaluation_has_no_dropout(kind, pair, agree):
    layer, reference = pair(kind, 3, 5, 3, dropout=0.5)
    agree(layer.eval(), reference.eval(), sequence(4, 2, 3))


def test_heads_are_a_block_diagonal_torch_layer(kind, pair, device, assert_close):
    N, P = 3, 2
    H, blocks = N * P, 4 if kind == "LSTM" else 1
    ours, theirs = getattr(rnnlab_kernels, kind), getattr(nn, kind)
    layer = ours(3, H, 2, bidirectional=True, heads=N, device=device, dtype=torch.float64)
    reference = theirs(3, H, 2, bidirectional=True, dtype=torch.float64)
    with torch.no_grad():
        for name, parameter in reference.named_parameters():
            weight = layer.get_parameter(name).cpu()
            if "weight_hh" in name:
                assert weight.shape == (blocks * H, P)
                parameter.zero_()
                for row in range(blocks * H):
                    first = row % H // P * P
                    parameter[row, first : first + P] = weight[row]
            else:
                parameter.copy_(weight)
    x = sequence(5, 2, 3)
    output, _ = layer(x.to(device))
    expected, _ = reference(x)
    assert_close(output, expected, torch.float64)
    cotangent = torch.randn_like(expected)
    output.backward(cotangent.to(device))
    expected.backward(cotangent)
    for name, parameter in reference.named_parameters():
        wanted, grad = parameter.grad, layer.get_parameter(name).grad
        if "weight_hh" in name:
            wanted = torch.stack([wanted[row, row % H // P * P :][:P] for row in range(blocks * H)])
        assert_close(grad, wanted, torch.float64, name)


def test_sigmoid_by_hand(device, assert_close):
    layer = rnnlab_kernels.RNN(3, 5, nonlinearity="sigmoid", device=device, dtype=torch.float64)
    x, h = sequence(4, 2, 3), sequence(1, 2, 5)
    output, h_n = layer(x.to(device), h.to(device))
    w_ih, w_hh, b_ih, b_hh = (parameter.detach().cpu() for parameter in layer.parameters())
    state = h[0]
    for t in range(4):
        state = 1 / (1 + torch.exp(-(x[t] @ w_ih.T + b_ih + state @ w_hh.T + b_hh)))
        assert_close(output[t], state, torch.float64)
    assert_close(h_n[0], state, torch.float64)


def test_lean_changes_no_value(pair, agree):
    layer, reference = pair("LSTM", 3, 5, 2, bidirectional=True, extra={"lean": True})
    agree(layer, reference, sequence(4, 2, 3), states("LSTM", 4, 2, 5))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_kernels_under_the_layer(kind, dtype, pair, agree):
    """What runs here when a GPU is there, or Triton's interpreter: two layers, both directions, packed."""
    layer, reference = pair(kind, 3, 5, 2, bidirectional=True, dtype=dtype)
    reference.load_state_dict(layer.state_dict())  # rounded to dtype, so that only the arithmetic differs
    rows = [sequence(length, 3).to(dtype) for length in (2, 4, 3)]
    agree(
        layer,
        reference,
        pack_sequence([row.double() for row in rows], enforce_sorted=False),
        [state.to(dtype).double() for state in states(kind, 4, 3, 5)],
    )


def test_double_backward(kind, pair, device):
    layer, _ = pair(kind, 2, 3)
    x = sequence(3, 2, 2).to(device).requires_grad_()
    lengths = torch.tensor([3, 2], device=device)
    assert torch.autograd.gradgradcheck(lambda value: layer(value, lengths=lengths)[0], x)


def test_functional_call_uses_the_given_weights(kind, pair, device, assert_close):
    layer, reference = pair(kind, 3, 5)
    x = sequence(4, 2, 3)
    halved = {name: parameter.detach() / 2 for name, parameter in layer.named_parameters()}
    output, _ = torch.func.functional_call(layer, halved, (x.to(device),))
    reference.load_state_dict(halved)
    assert_close(output, reference(x)[0], torch.float64)


def test_says_once_that_no_kernel_runs(kind, pair, device, monkeypatch, recwarn):
    monkeypatch.setattr(recurrent, "_told", set())
    layer, _ = pair(kind, 3, 5)  # float64, which no kernel takes
    x = sequence(4, 2, 3).to(device)
    layer(x), layer(x)
    (warning,) = recwarn.list
    assert warning.category is UserWarning
    assert warning.filename == __file__
    assert f"{kind} runs its ground truth" in str(warning.message)
    assert "float64; use a GPU and" in str(warning.message)
