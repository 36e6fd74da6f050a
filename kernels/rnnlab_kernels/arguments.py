"""Checks of what the ops are given; an error is one line: what was expected, what came, and the remedy."""

from __future__ import annotations

import torch
from torch import Tensor

PRECISIONS = ("ieee", "tf32x3", "tf32")
DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


def check_input(x: Tensor, precision: str) -> None:
    """Raise ValueError unless x is [T, B, I], none of them 0, and floating, and precision is a known one."""
    if precision not in PRECISIONS:
        raise ValueError(
            f"precision must be one of {', '.join(PRECISIONS)}, got {precision!r}; choose one of them"
        )
    if x.dim() != 3:
        raise ValueError(
            f"x must be [T, B, I], time first, got {list(x.shape)}; add what is missing, as in x.unsqueeze(1)"
        )
    if x.shape[0] < 1 or x.shape[1] < 1 or x.shape[2] < 1:
        raise ValueError(
            f"x must have a step, a row and an input at least, got {list(x.shape)}; leave empty batches out"
        )
    if x.dtype not in DTYPES:
        raise ValueError(
            f"x must be {', '.join(map(_name, DTYPES[:3]))} or float64, got {_name(x.dtype)}; cast it"
        )


def check_weights(
    x: Tensor, weight_ih: Tensor | None, weight_hh: Tensor, bias: Tensor | None, gates: int, reverse: bool
) -> int:
    """Raise ValueError unless the weights fit x and one another; return the hidden size H.

    Args:
        x: [T, B, I], or [T, B, D*gates*H] without weight_ih.
        weight_ih, weight_hh, bias: [D, gates*H, I], [D, gates*H, P], [D, gates*H], D 1 or 2, H a multiple of
            P.
        gates: blocks of rows, 4 for an LSTM, 1 for an RNN.
        reverse: must be False with D = 2.
    """
    if weight_hh.dim() != 3 or not 1 <= weight_hh.shape[0] <= 2:
        raise ValueError(
            f"weight_hh must be [D, {_rows(gates)}, P] with D 1 or 2, or [{_rows(gates)}, P], "
            f"got {list(weight_hh.shape)}; stack the two directions"
        )
    directions, rows, head_size = weight_hh.shape
    if rows < 1 or rows % gates or head_size < 1 or rows // gates % head_size:
        raise ValueError(
            f"weight_hh must have {_rows(gates)} rows of P weights, H a multiple of P, "
            f"got {rows} rows of {head_size}; for nn.{'LSTM' if gates == 4 else 'RNN'}'s weights P is H"
        )
    if reverse and directions == 2:
        raise ValueError(
            "reverse must be False with two directions, got True; the second is read backwards already"
        )
    check_kind("weight_hh", weight_hh, x)
    if weight_ih is not None:
        check_shape("weight_ih", weight_ih, (directions, rows, x.shape[2]), "[D, rows of weight_hh, I]")
        check_kind("weight_ih", weight_ih, x)
    elif x.shape[2] != directions * rows:
        raise ValueError(
            f"x without weight_ih must hold {directions * rows} projected values a step, got {x.shape[2]}; "
            "project x first, or give weight_ih"
        )
    if bias is not None:
        check_shape("bias", bias, (directions, rows), "[D, rows of weight_hh]")
        check_kind("bias", bias, x)
    return rows // gates


def check_state(name: str, state: Tensor, x: Tensor, weight_hh: Tensor, hidden_size: int) -> None:
    """Raise ValueError unless state is [D, B, H], on x's device, in x's dtype (c_0 also in float32)."""
    check_shape(name, state, (weight_hh.shape[0], x.shape[1], hidden_size), "[D, B, H]")
    exempt = name == "c_0" and state.dtype == torch.float32 and x.dtype in (torch.float16, torch.bfloat16)
    if exempt:
        _check_device(name, state, x)
    else:
        check_kind(name, state, x)


def check_lengths(lengths: Tensor, x: Tensor) -> None:
    """Raise ValueError unless lengths is [B] of integers on x's device; its values are not looked at here."""
    check_shape("lengths", lengths, (x.shape[1],), "[B]")
    if lengths.dtype == torch.bool or lengths.is_floating_point() or lengths.is_complex():
        raise ValueError(f"lengths must be integers, got {_name(lengths.dtype)}; use lengths.long()")
    _check_device("lengths", lengths, x)


def check_range_of_lengths(lengths: Tensor | None, seq_len: int) -> None:
    """Raise ValueError if a length is outside 0..T. On a GPU nothing is: the host would have to wait."""
    if lengths is None or lengths.device.type != "cpu":
        return
    low, high = int(lengths.min()), int(lengths.max())
    if low < 0 or high > seq_len:
        raise ValueError(
            f"lengths must be 0..{seq_len}, got {low}..{high}; count the steps of x, its dimension 0"
        )


def check_shape(name: str, tensor: Tensor, expected: tuple[int, ...], meaning: str) -> None:
    if tuple(tensor.shape) != expected:
        raise ValueError(f"{name} must be {list(expected)}, got {list(tensor.shape)}; it is {meaning}")


def check_kind(name: str, tensor: Tensor, x: Tensor) -> None:
    """Raise ValueError unless tensor has x's dtype and device."""
    if tensor.dtype != x.dtype:
        raise ValueError(
            f"{name} must be {_name(x.dtype)} as x is, got {_name(tensor.dtype)}; use {name}.to(x.dtype)"
        )
    _check_device(name, tensor, x)


def _check_device(name: str, tensor: Tensor, x: Tensor) -> None:
    if tensor.device != x.device:
        raise ValueError(
            f"{name} must be on {x.device} as x is, got {tensor.device}; use {name}.to(x.device)"
        )


def _rows(gates: int) -> str:
    return "H" if gates == 1 else f"{gates}H"


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
