"""Steps in captured chunks: what a CUDA graph replays is tried here without capturing it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from rnnlab_kernels import stepping
from rnnlab_kernels.lstm_sequence import launch as lstm
from rnnlab_kernels.lstm_sequence import reference as lstm_reference
from rnnlab_kernels.plan import Plan
from rnnlab_kernels.rnn_sequence import launch as rnn
from rnnlab_kernels.rnn_sequence import reference as rnn_reference
from rnnlab_kernels.stepping import Steps, arranged, chunks, kept, matmul_precision

SEQ_LEN, BATCH_SIZE, HIDDEN_SIZE = 7, 3, 6
"""Two chunks of 3 steps and a rest of 1."""


@pytest.fixture
def chunked(monkeypatch: pytest.MonkeyPatch, interpreted: None) -> None:
    """Plan steps for everything, in chunks of 3 that keep their buffers from one sequence to the next."""
    kept: dict[Any, Any] = {}

    def keep(key: Any, device: torch.device, make: Callable[[], Any]) -> Any:
        return kept.setdefault(key, make()) if key not in kept else kept[key]

    for module in (lstm, rnn):
        monkeypatch.setattr(module, "choose", lambda shape, device: Plan("step", None, ()))
    monkeypatch.setattr(stepping, "CHUNK", 3)
    monkeypatch.setattr(stepping, "graphs_help", lambda device, seq_len: True)
    monkeypatch.setattr(stepping, "kept", keep)


def _draw(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)))


LENGTHS = [None, torch.tensor([7, 0, 4])]


@pytest.mark.parametrize("directions", [1, 2])
@pytest.mark.parametrize("lengths", LENGTHS, ids=["whole", "lengths"])
def test_an_lstm_in_chunks_is_the_loop(
    chunked: None, assert_close: Any, directions: int, lengths: torch.Tensor | None
) -> None:
    x = _draw(SEQ_LEN, BATCH_SIZE, directions * 4 * HIDDEN_SIZE)
    weight = _draw(directions, 4 * HIDDEN_SIZE, HIDDEN_SIZE) / 3
    h_0, c_0 = _draw(directions, BATCH_SIZE, HIDDEN_SIZE), _draw(directions, BATCH_SIZE, HIDDEN_SIZE) / 2
    d_output = _draw(SEQ_LEN, BATCH_SIZE, directions * HIDDEN_SIZE)

    # Twice: the second sequence finds the buffers as the first one left them.
    for scale in (2.0, 1.0):
        forward = (scale * x, weight, h_0, c_0, lengths, False)
        got = lstm.forward(*forward, "tf32x3", True, True)
        expected = lstm_reference.forward(*forward, "ieee", True, True)
        backward = (d_output, h_0, c_0, weight, c_0, lengths, expected[3], expected[4], False)
        gradients = lstm.backward(*backward, "tf32x3")
        pairs = zip((*got, *gradients), (*expected, *lstm_reference.backward(*backward, "ieee")), strict=True)
        for actual, wanted in pairs:
            assert_close(actual, wanted, torch.float32)


@pytest.mark.parametrize("directions", [1, 2])
@pytest.mark.parametrize("lengths", LENGTHS, ids=["whole", "lengths"])
def test_an_rnn_in_chunks_is_the_loop(
    chunked: None, assert_close: Any, directions: int, lengths: torch.Tensor | None
) -> None:
    x = _draw(SEQ_LEN, BATCH_SIZE, directions * HIDDEN_SIZE)
    weight = _draw(directions, HIDDEN_SIZE, HIDDEN_SIZE) / 3
    h_0 = _draw(directions, BATCH_SIZE, HIDDEN_SIZE)

    for scale in (2.0, 1.0):
        forward = (scale * x, weight, h_0, lengths, "tanh", False)
        got, expected = rnn.forward(*forward, "tf32x3"), rnn_reference.forward(*forward, "ieee")
        backward = (x, h_0, weight, lengths, expected[0], "tanh", False)
        gradients = rnn.backward(*backward, "tf32x3")
        pairs = zip((*got, *gradients), (*expected, *rnn_reference.backward(*backward, "ieee")), strict=True)
        for actual, wanted in pairs:
            assert_close(actual, wanted, torch.float32)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="captures CUDA graphs: needs a GPU")
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("seq_len", [16, 17, 37])
def test_captured_steps_are_the_loop(
    monkeypatch: pytest.MonkeyPatch, assert_close: Any, dtype: torch.dtype, seq_len: int
) -> None:
    monkeypatch.setattr(lstm, "choose", lambda shape, device: Plan("step", None, ()))
    x = _draw(seq_len, BATCH_SIZE, 4 * HIDDEN_SIZE).to(dtype)
    weight = (_draw(1, 4 * HIDDEN_SIZE, HIDDEN_SIZE) / 3).to(dtype)
    h_0, c_0 = _draw(1, BATCH_SIZE, HIDDEN_SIZE).to(dtype), _draw(1, BATCH_SIZE, HIDDEN_SIZE)
    for lengths in (None, torch.tensor([seq_len, 0, 5])):
        forward = (x, weight, h_0, c_0, lengths, False)
        exact = [
            each.double() if isinstance(each, torch.Tensor) and each is not lengths else each
            for each in forward
        ]
        expected = lstm_reference.forward(*exact, "ieee", True, True)
        on_gpu = [each.cuda() if isinstance(each, torch.Tensor) else each for each in forward]
        for _ in range(2):
            got = lstm.forward(*on_gpu, "tf32x3", True, True)
            backward = (got[0], on_gpu[2], on_gpu[3], on_gpu[1], on_gpu[3], on_gpu[4], got[3], got[4], False)
            gradients = lstm.backward(*backward, "tf32x3")
            kept_values = [each.cpu().double() for each in backward[:5]]
            wanted = lstm_reference.backward(
                *kept_values, lengths, *(t.cpu().double() for t in got[3:]), False, "ieee"
            )
            for actual, value in zip((*got, *gradients), (*expected, *wanted), strict=True):
                assert_close(actual, value, dtype)


def test_steps_are_kept_by_key_the_latest_used_and_fit_for_training(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Buffers(Steps):
        def __init__(self) -> None:
            super().__init__(3, torch.device("cpu"))

        def take(self, k: int) -> None:
            raise AssertionError("nothing is run here")

    monkeypatch.setattr(Buffers, "capture", lambda self: None)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: SimpleNamespace(stream_id=0))
    monkeypatch.setattr(stepping, "_kept", OrderedDict())
    monkeypatch.setattr(stepping, "KEPT_GRAPHS", 2)

    with torch.inference_mode():
        first = kept("first", torch.device("cpu"), Buffers)
    second = kept("second", torch.device("cpu"), Buffers)

    assert not first.position.is_inference()
    assert kept("first", torch.device("cpu"), Buffers) is first
    third = kept("third", torch.device("cpu"), Buffers)
    assert kept("first", torch.device("cpu"), Buffers) is first
    assert kept("third", torch.device("cpu"), Buffers) is third
    assert kept("second", torch.device("cpu"), Buffers) is not second


def test_chunks_cover_a_sequence_and_leave_a_rest() -> None:
    assert list(chunks(7, 3)) == [
        (0, slice(0, 3), slice(0, 3)),
        (3, slice(3, 6), slice(0, 3)),
        (6, slice(6, 7), slice(0, 1)),
    ]


def test_turning_round_a_direction_twice_gives_it_back() -> None:
    steps = _draw(4, 2, 6)

    turned = arranged(steps, [False, True])

    torch.testing.assert_close(turned[..., :3], steps[..., :3])
    torch.testing.assert_close(turned[..., 3:], steps.flip(0)[..., 3:])
    torch.testing.assert_close(arranged(turned, [False, True]), steps)


def test_the_precision_of_products_is_given_back() -> None:
    before = torch.backends.cuda.matmul.fp32_precision
    with matmul_precision("tf32"):
        assert torch.backends.cuda.matmul.fp32_precision == "tf32"
    assert torch.backends.cuda.matmul.fp32_precision == before
