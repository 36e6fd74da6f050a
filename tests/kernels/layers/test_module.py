"""The layers as modules: parameters, copies, conversions, options, errors."""

import copy
import io
import os
import pickle
import subprocess
import sys

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_sequence

import rnnlab_kernels

OPTIONS = [
    {},
    {"num_layers": 3, "bias": False},
    {"num_layers": 2, "bidirectional": True, "batch_first": True},
    {"num_layers": 2, "dropout": 0.5},
]


def both(kind):
    return getattr(rnnlab_kernels, kind), getattr(nn, kind)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_starts_from_torchs_weights_under_the_same_seed(kind, options):
    made = []
    for each in both(kind):
        torch.manual_seed(7)
        made.append(each(3, 5, **options))
    layer, reference = made
    assert list(layer.state_dict()) == list(reference.state_dict())
    for name, parameter in reference.named_parameters():
        assert torch.equal(layer.get_parameter(name), parameter), name
    assert repr(layer) == repr(reference)
    assert [[w.shape for w in row] for row in layer.all_weights] == [
        [w.shape for w in row] for row in reference.all_weights
    ]
    assert torch.equal(
        torch.stack([w.sum() for w in layer.all_weights[-1]]),
        torch.stack([w.sum() for w in reference.all_weights[-1]]),
    )


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_state_dict_moves_both_ways(kind, options):
    ours, theirs = both(kind)
    layer, reference = ours(3, 5, **options), theirs(3, 5, **options)
    layer.load_state_dict(reference.state_dict())
    again = theirs(3, 5, **options)
    again.load_state_dict(layer.state_dict())
    for name, parameter in reference.named_parameters():
        assert torch.equal(layer.get_parameter(name), parameter), name
        assert torch.equal(again.get_parameter(name), parameter), name


def through_a_file(layer):
    file = io.BytesIO()
    torch.save(layer, file)
    return torch.load(io.BytesIO(file.getvalue()), weights_only=False)


@pytest.mark.parametrize(
    "copied", [copy.deepcopy, lambda layer: pickle.loads(pickle.dumps(layer)), through_a_file]
)
def test_copies_are_equal_and_apart(kind, copied, device):
    extra = {"lean": True} if kind == "LSTM" else {"nonlinearity": "sigmoid"}
    ours, _ = both(kind)
    layer = ours(3, 4, 2, dropout=0.1, heads=2, device=device, dtype=torch.float64, **extra).eval()
    other = copied(layer)
    assert repr(other) == repr(layer)
    x = torch.randn(4, 2, 3, device=device, dtype=torch.float64)
    expected = layer(x)[0]
    assert torch.equal(other(x)[0], expected)
    with torch.no_grad():
        other.weight_hh_l1.zero_()
    assert torch.equal(layer(x)[0], expected)


def test_conversions(kind):
    ours, _ = both(kind)
    layer = ours(3, 5)
    layer.flatten_parameters()
    for convert, dtype in [
        (layer.half, torch.float16),
        (layer.bfloat16, torch.bfloat16),
        (lambda: layer.to(torch.float64), torch.float64),
    ]:
        assert {parameter.dtype for parameter in convert().parameters()} == {dtype}
    assert torch.isfinite(layer(torch.randn(4, 2, 3, dtype=torch.float64))[0]).all()


def test_constructor_takes_torchs_arguments_by_position():
    layer = rnnlab_kernels.LSTM(3, 5, 2, False, True, 0.5, True, 0, "cpu", torch.float64)
    assert repr(layer) == repr(nn.LSTM(3, 5, 2, False, True, 0.5, True, 0, "cpu", torch.float64))
    assert layer.weight_ih_l0.dtype == torch.float64
    rnn = rnnlab_kernels.RNN(3, 5, 2, "relu", False, True, 0.5, True)
    assert repr(rnn) == repr(nn.RNN(3, 5, 2, "relu", False, True, 0.5, True))[:-1] + ", nonlinearity=relu)"


def test_repr_shows_what_torch_has_not():
    layer = rnnlab_kernels.LSTM(3, 6, heads=2, precision="ieee", lean=True)
    assert repr(layer) == "LSTM(3, 6, heads=2, precision=ieee, lean=True)"


def test_dropout_of_one_layer_is_warned_of(kind):
    ours, _ = both(kind)
    with pytest.warns(UserWarning, match="dropout=0.5 does nothing with num_layers=1") as caught:
        ours(3, 5, dropout=0.5)
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"input_size": 0}, "input_size must be a positive integer, got 0"),
        ({"hidden_size": 2.5}, "hidden_size must be a positive integer, got 2.5"),
        ({"num_layers": 0}, "num_layers must be a positive integer, got 0"),
        ({"bias": 0.5}, "bias must be True or False, got 0.5; pass the options after num_layers by name"),
        ({"dropout": 1.5}, "dropout must be a number from 0 to 1, got 1.5"),
        ({"dropout": True}, "dropout must be a number from 0 to 1, got True"),
        ({"precision": "fp8"}, "precision must be one of ieee, tf32x3, tf32, got 'fp8'"),
        ({"hidden_size": 12, "heads": 5}, "heads must divide hidden_size=12, got 5; the nearest is 4"),
        ({"heads": 0}, "heads must be a positive integer, got 0"),
    ],
)
def test_options_are_refused(kind, options, message):
    ours, _ = both(kind)
    one_line(message, lambda: ours(**{"input_size": 3, "hidden_size": 5} | options))


def test_options_of_one_kind_are_refused():
    one_line("proj_size must be 0, got 2; use nn.LSTM", lambda: rnnlab_kernels.LSTM(3, 5, proj_size=2))
    one_line(
        "nonlinearity must be one of tanh, sigmoid, relu, got 'gelu'",
        lambda: rnnlab_kernels.RNN(3, 5, nonlinearity="gelu"),
    )


@pytest.mark.parametrize(
    ("shape", "call", "message"),
    [
        ((4, 2, 7), {}, "input must have input_size=3 features in its last dimension, got [4, 2, 7]"),
        ((3,), {}, "input must have 2 or 3 dimensions, got [3]"),
        (
            (4, 2, 3),
            {"dtype": torch.float64},
            "input must be torch.float32 as the layer is, got torch.float64",
        ),
        (
            (4, 2, 3),
            {"hx": (1, 2, 5)},
            "h_0 must be [num_layers * directions, batch, hidden_size] = [2, 2, 5]",
        ),
        (
            (4, 3),
            {"hx": (2, 1, 5)},
            "h_0 must be [num_layers * directions, hidden_size] = [2, 5], got [2, 1, 5]",
        ),
        ((4, 3), {"lengths": [4]}, "lengths must be None with input [4, 3], one sequence"),
        ((4, 2, 3), {"lengths": [4]}, "lengths must be [2], got [1]"),
        ((4, 2, 3), {"lengths": [4.0, 1.0]}, "lengths must be integers, got float32"),
        ((0, 2, 3), {}, "got [0, 2, 3]"),
    ],
    ids=str,
)
def test_calls_are_refused(kind, shape, call, message):
    ours, _ = both(kind)
    layer = ours(3, 5, 2)
    x = torch.zeros(shape, dtype=call.get("dtype"))
    hx = torch.zeros(call["hx"]) if "hx" in call else None
    if kind == "LSTM" and hx is not None:
        hx = (hx, hx)
    lengths = torch.tensor(call["lengths"]) if "lengths" in call else None
    one_line(message, lambda: layer(x, hx, lengths=lengths))


def test_states_are_refused():
    lstm, rnn = rnnlab_kernels.LSTM(3, 5), rnnlab_kernels.RNN(3, 5)
    x, h, wrong = torch.zeros(4, 2, 3), torch.zeros(1, 2, 5), torch.zeros(1, 2, 6)
    one_line("hx must be a pair (h_0, c_0), got Tensor", lambda: lstm(x, h))
    one_line("hx must be a pair (h_0, c_0), got 1 tensors", lambda: lstm(x, (h,)))
    one_line("hx must be the tensor h_0, got tuple", lambda: rnn(x, (h, h)))
    one_line(
        "c_0 must be [num_layers * directions, batch, hidden_size] = [1, 2, 5]", lambda: lstm(x, (h, wrong))
    )
    one_line("h_0 must be torch.float32 as input is, got torch.float64", lambda: lstm(x, (h.double(), h)))
    half = rnnlab_kernels.LSTM(3, 5).bfloat16()
    one_line("h_0 must be torch.bfloat16 as input is, got torch.float32", lambda: half(x.bfloat16(), (h, h)))


def test_lengths_beside_a_packed_sequence_are_refused(kind):
    ours, _ = both(kind)
    packed = pack_sequence([torch.zeros(4, 3), torch.zeros(2, 3)])
    one_line(
        "lengths must be None with a PackedSequence",
        lambda: ours(3, 5)(packed, lengths=torch.tensor([4, 2])),
    )


def test_lengths_on_another_device_are_refused(kind):
    layer = both(kind)[0](3, 5, device="meta")
    one_line("input must be on meta as the layer is, got cpu", lambda: layer(torch.zeros(4, 2, 3)))


def test_cell_state_may_be_wider_than_the_input(device):
    layer = rnnlab_kernels.LSTM(3, 5, device=device).bfloat16()
    x, h, c = (torch.randn(shape, device=device) for shape in ((4, 2, 3), (1, 2, 5), (1, 2, 5)))
    output, (h_n, c_n) = layer(x.bfloat16(), (h.bfloat16(), c))
    assert (output.dtype, h_n.dtype, c_n.dtype) == (torch.bfloat16, torch.bfloat16, torch.float32)


def test_a_cpu_runs_the_ground_truth_and_says_so_once():
    code = (
        "import torch, rnnlab_kernels\n"
        "for kind in (rnnlab_kernels.LSTM, rnnlab_kernels.RNN):\n"
        "    layer = kind(3, 5)\n"
        "    layer(torch.zeros(4, 2, 3)); layer(torch.zeros(4, 2, 3))\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "always", "-c", code],
        env=os.environ | {"TRITON_INTERPRET": "0", "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (line,) = (line for line in done.stderr.splitlines() if "UserWarning" in line)
    assert "LSTM runs its ground truth, a slow loop over time: kernels need a GPU, got cpu" in line


def one_line(message, call):
    """The call raises a ValueError of one line that holds the message and, after a semicolon, a remedy."""
    with pytest.raises(ValueError) as caught:
        call()
    text = str(caught.value)
    assert message in text
    assert "\n" not in text
    assert "; " in text
