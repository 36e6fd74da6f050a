"""What the LSTM's operator refuses, and how; what importing the package costs."""

import subprocess
import sys

import pytest
import torch

from rnnlab_kernels import lstm_sequence


def wrong(**changes):
    """Arguments of a valid call, some of them changed."""
    arguments = {
        "x": torch.randn(5, 3, 4),
        "weight_ih": torch.randn(2, 24, 4),
        "weight_hh": torch.randn(2, 24, 6),
        "bias": torch.randn(2, 24),
        "h_0": torch.randn(2, 3, 6),
        "c_0": torch.randn(2, 3, 6),
        "lengths": torch.tensor([5, 0, 2]),
    }
    return arguments | changes


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x": torch.randn(5, 4)}, r"x must be \[T, B, I\], time first, got \[5, 4\]; .*unsqueeze"),
        ({"x": torch.randn(5, 0, 4)}, r"x must have a step, a row .* got \[5, 0, 4\]; leave"),
        ({"x": torch.ones(5, 3, 4).long()}, r"x must be float16, .* got int64; cast it"),
        ({"x": torch.randn(5, 3, 7)}, r"weight_ih must be \[2, 24, 7\], got \[2, 24, 4\]; it is \[D"),
        ({"weight_hh": torch.randn(3, 24, 6)}, r"weight_hh must be \[D, 4H, P\] .* got \[3, 24, 6\]; stack"),
        (
            {"weight_hh": torch.randn(2, 24, 5)},
            r"weight_hh must have 4H rows .* got 24 rows of 5; for nn.LSTM",
        ),
        ({"weight_hh": torch.randn(2, 22, 6)}, r"weight_hh must have 4H rows .* got 22 rows of 6"),
        (
            {"weight_hh": torch.randn(2, 24, 6).double()},
            r"weight_hh must be float32 .* got float64; use weight",
        ),
        ({"weight_ih": None}, r"x without weight_ih must hold 48 projected values a step, got 4; project x"),
        ({"bias": torch.randn(24)}, r"bias must be \[2, 24\], got \[24\]; it is"),
        ({"bias": torch.randn(2, 24).half()}, r"bias must be float32 as x is, got float16; use bias.to"),
        ({"h_0": torch.randn(1, 3, 6)}, r"h_0 must be \[2, 3, 6\], got \[1, 3, 6\]; it is \[D, B, H\]"),
        ({"c_0": torch.randn(2, 3, 6).double()}, r"c_0 must be float32 as x is, got float64; use c_0.to"),
        ({"h_0": torch.randn(2, 3, 6, device="meta")}, r"h_0 must be on cpu as x is, got meta; use h_0.to"),
        ({"lengths": torch.tensor([5, 0])}, r"lengths must be \[3\], got \[2\]; it is \[B\]"),
        ({"lengths": torch.ones(3)}, r"lengths must be integers, got float32; use lengths.long\(\)"),
        ({"lengths": torch.tensor([5, 0, 6])}, r"lengths must be 0..5, got 0..6; count"),
        ({"lengths": torch.tensor([5, -1, 4])}, r"lengths must be 0..5, got -1..5; count"),
        ({"lengths": torch.tensor([5, 0, 2], device="meta")}, r"lengths must be on cpu .* got meta; use"),
        ({"reverse": True}, r"reverse must be False with two directions, got True; the second"),
        ({"precision": "fp8"}, r"precision must be one of ieee, tf32x3, tf32, got 'fp8'; choose"),
        ({"weight_ih": None, "lean": True}, r"lean must be False without weight_ih, got True; give"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(changes, message):
    with pytest.raises(ValueError, match=message) as raised:
        lstm_sequence(**wrong(**changes))
    assert "\n" not in str(raised.value)


def test_importing_the_package_is_light_and_folders_do_not_hide_functions():
    code = (
        "import sys, rnnlab_kernels\n"
        "assert not {'torch', 'triton', 'numpy'} & set(sys.modules)\n"
        "from rnnlab_kernels.lstm_sequence import reference\n"
        "import rnnlab_kernels.rnn_sequence.op\n"
        "from rnnlab_kernels import lstm_sequence, rnn_sequence\n"
        "assert lstm_sequence.__module__ == 'rnnlab_kernels.lstm_sequence.op'\n"
        "assert rnn_sequence.__module__ == 'rnnlab_kernels.rnn_sequence.op'\n"
        "assert callable(reference.forward)\n"
        "assert set(rnnlab_kernels.__all__) <= set(dir(rnnlab_kernels))\n"
        "assert 'rnnlab' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with pytest.raises(AttributeError, match="has no attribute 'GRU'; it has LSTM, RNN"):
        sys.modules["rnnlab_kernels"].GRU  # noqa: B018
