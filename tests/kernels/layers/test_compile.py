"""The layers under torch.compile, torch.export and autocast."""

import pytest
import torch
from torch import nn
from torch._dynamo.testing import CompileCounterWithBackend
from torch.nn.utils.rnn import pack_sequence

import rnnlab_kernels
from rnnlab_kernels.layers import recurrent


@pytest.fixture(autouse=True)
def _fresh_dynamo():
    torch._dynamo.reset()


@pytest.fixture
def layer(kind, device):
    made = getattr(rnnlab_kernels, kind)
    return made(3, 5, 2, bidirectional=True, device=device, dtype=torch.float64)


def tensors(result):
    output, final = result
    return [output, *(final if isinstance(final, tuple) else (final,))]


def test_compiles_as_one_graph_for_every_length_and_batch(layer, device, assert_close, recwarn, monkeypatch):
    monkeypatch.setattr(recurrent, "_told", set())
    counter = CompileCounterWithBackend("aot_eager")
    compiled = torch.compile(layer, fullgraph=True, backend=counter, dynamic=True)
    graphs = []
    for T, B in [(4, 6), (7, 2), (9, 7)]:  # sizes that no other dimension has: equal ones share a symbol
        x = torch.randn(T, B, 3, device=device, dtype=torch.float64)
        lengths = torch.arange(B, device=device) % (T + 1)
        gradients = []
        for run in (layer, compiled):
            given = x.clone().requires_grad_()
            results = tensors(run(given, lengths=lengths))
            total = sum(
                (value * torch.arange(value.numel(), device=device).view_as(value)).sum() for value in results
            )
            gradients.append((*results, *torch.autograd.grad(total, [given, *layer.parameters()])))
        for value, expected in zip(*reversed(gradients), strict=True):
            assert_close(value, expected, torch.float64)
        graphs.append(counter.frame_count)
    assert graphs[0] == graphs[-1]
    # Only the uncompiled calls said that no kernel runs.
    assert len([w for w in recwarn.list if "ground truth" in str(w.message)]) == 1


def test_compiling_first_says_nothing(layer, device, monkeypatch, recwarn):
    monkeypatch.setattr(recurrent, "_told", set())
    torch.compile(layer, fullgraph=True, backend="aot_eager")(
        torch.zeros(4, 2, 3, device=device, dtype=torch.float64)
    )
    assert not [w for w in recwarn.list if "ground truth" in str(w.message)]


def test_compiles_with_an_initial_state_and_batch_first(kind, device, assert_close):
    made = getattr(rnnlab_kernels, kind)
    layer = made(3, 5, batch_first=True, dropout=0.5, num_layers=2, device=device, dtype=torch.float64).eval()
    x = torch.randn(2, 4, 3, device=device, dtype=torch.float64)
    h = torch.randn(2, 2, 5, device=device, dtype=torch.float64)
    hx = (h, h.clone()) if kind == "LSTM" else h
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    for value, expected in zip(tensors(compiled(x, hx)), tensors(layer(x, hx)), strict=True):
        assert_close(value, expected, torch.float64)


def test_packed_sequences_work_under_compile_with_a_graph_break(layer, device, assert_close):
    packed = pack_sequence(
        [torch.randn(n, 3, device=device, dtype=torch.float64) for n in (2, 4, 3)], enforce_sorted=False
    )
    output, _ = torch.compile(layer, backend="aot_eager")(packed)
    assert_close(output.data, layer(packed)[0].data, torch.float64)


@pytest.mark.parametrize("strict", [False, True])
def test_exports_with_dynamic_time_and_batch(layer, strict, device, assert_close):
    T, B = torch.export.Dim("T", min=2, max=512), torch.export.Dim("B", min=2, max=64)
    x = torch.randn(4, 3, 3, device=device, dtype=torch.float64)
    lengths = torch.tensor([4, 0, 2], device=device)
    program = torch.export.export(
        layer,
        (x,),
        {"hx": None, "lengths": lengths},
        dynamic_shapes={"input": {0: T, 1: B}, "hx": None, "lengths": {0: B}},
        strict=strict,
    )
    for seq_len, rows in [(4, 3), (11, 6), (2, 2)]:
        x = torch.randn(seq_len, rows, 3, device=device, dtype=torch.float64)
        lengths = torch.arange(rows, device=device) % (seq_len + 1)
        result = program.module()(x, hx=None, lengths=lengths)
        for value, expected in zip(tensors(result), tensors(layer(x, lengths=lengths)), strict=True):
            assert_close(value, expected, torch.float64)


@pytest.mark.parametrize("compiled", [False, True])
def test_autocast_is_close_to_torchs(kind, compiled, device):
    torch.manual_seed(3)
    layer = getattr(rnnlab_kernels, kind)(3, 5, 2, bidirectional=True, device=device)
    reference = getattr(nn, kind)(3, 5, 2, bidirectional=True)
    reference.load_state_dict(layer.state_dict())
    x = torch.randn(4, 2, 3)
    run = torch.compile(layer, fullgraph=True, backend="aot_eager") if compiled else layer
    with torch.autocast(device.type, dtype=torch.bfloat16):
        output, final = run(x.to(device))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        expected, expected_final = reference(x)
    h_n, expected_h_n = (f[0] if kind == "LSTM" else f for f in (final, expected_final))
    assert output.dtype == h_n.dtype == expected.dtype == torch.bfloat16
    exact, _ = reference(x)
    torch.testing.assert_close(output.cpu(), expected, rtol=0, atol=0.03)
    torch.testing.assert_close(h_n.cpu(), expected_h_n, rtol=0, atol=0.03)
    torch.testing.assert_close(output.cpu().float(), exact, rtol=0, atol=0.03)
    output.float().sum().backward()
    assert all(parameter.grad.dtype == torch.float32 for parameter in layer.parameters())
