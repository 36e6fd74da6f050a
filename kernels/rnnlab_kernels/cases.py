"""Every kernel in every configuration that `plan.choose` may give it, to be compiled ahead of time.

The shapes reach every entry of the tables in `blocks`, at sizes that fill a block and sizes that do not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from rnnlab_kernels.blocks import constants
from rnnlab_kernels.device import Device
from rnnlab_kernels.plan import Shape, choose

DEVICES = {
    "sm_80": Device("cuda", "A100", 80, 108, 163 * 1024),
    "sm_90": Device("cuda", "H100", 90, 132, 227 * 1024),
    "gfx942": Device("hip", "MI300X", "gfx942", 304, 64 * 1024),
}

HEAD_SIZES = (16, 32, 64, 100, 128, 256, 512, 768, 1024, 2048)
BATCH_SIZES = (1, 16, 64, 256)
ARITHMETIC = (
    (torch.bfloat16, "ieee"),
    (torch.float16, "ieee"),
    (torch.float32, "tf32x3"),
    (torch.float32, "tf32"),
)
TYPES = {torch.bfloat16: "bf16", torch.float16: "fp16", torch.float32: "fp32"}

# Launch options that CompileCase has attributes for.
OPTIONS = ("num_warps", "num_stages", "launch_cooperative_grid")
SWITCHES = {"lengths_ptr": "VARLEN", "gates_ptr": "SAVE_GATES", "cells_ptr": "SAVE_CELLS"}
DEFAULTS = {"BARRIER": True}
LABELS = {"HEAD": "P", "HIDDEN": "H", "BLOCK_U": "u", "BLOCK_B": "b", "VARLEN": "varlen", "num_warps": "w"}


@dataclass(frozen=True)
class CompileCase:
    """A kernel with all that its compilation depends on.

    Attributes:
        name: unlike any other case's of the same target.
        kernel: the function decorated by `triton.jit`.
        signature: the type of each argument that is not a constant.
        constexprs: the value of each argument that is.
        num_warps: warps of a program.
        num_stages: depth of Triton's software pipeline.
        cooperative: whether all programs must run at once.
        dtype: of inputs and weights.
        options: other options of the launch.
    """

    name: str
    kernel: Any
    signature: dict[str, str]
    constexprs: dict[str, Any]
    num_warps: int
    num_stages: int
    cooperative: bool
    dtype: torch.dtype
    options: dict[str, Any] = field(default_factory=dict)


def compile_cases(target: str) -> Iterator[CompileCase]:
    """All cases for a target of DEVICES: "sm_80", "sm_90" or "gfx942"."""
    from rnnlab_kernels.lstm_sequence import cases as lstm
    from rnnlab_kernels.rnn_sequence import cases as rnn

    device, seen = DEVICES[target], set()
    for module in (lstm, rnn):
        for shape in _shapes(module.GATES):
            blocks = choose(shape, device).blocks
            settings = {} if blocks is None else constants(blocks, shape, device)
            for kernel, own, float32 in module.launches(blocks, shape, device):
                case = _case(kernel, {**settings, **own}, float32, shape.dtype)
                if case.name not in seen:
                    seen.add(case.name)
                    yield case


def _shapes(gates: int) -> Iterator[Shape]:
    for dtype, precision in ARITHMETIC:
        for head_size in HEAD_SIZES:
            for batch_size in BATCH_SIZES:
                forward = Shape(gates, batch_size, 1, head_size, head_size, dtype, precision, backward=False)
                yield forward
                yield replace(forward, backward=True)


def _case(kernel: Any, settings: dict[str, Any], float32: set[str], dtype: torch.dtype) -> CompileCase:
    """A case from the keyword arguments of a launch; pointers in `float32` are that whatever the dtype."""
    arguments = kernel.arg_names
    constexprs = {name: value for name, value in settings.items() if name in arguments}
    # What is not written is no pointer.
    for pointer, switch in SWITCHES.items():
        if pointer in arguments and constexprs.get(switch) is False:
            constexprs[pointer] = None
    signature = {
        name: _type(name, "fp32" if name in float32 else TYPES[dtype])
        for name in arguments
        if name not in constexprs and name not in DEFAULTS
    }
    options = {
        name: value for name, value in settings.items() if name not in arguments and name not in OPTIONS
    }
    label = " ".join(f"{LABELS[name]}{value:d}" for name, value in settings.items() if name in LABELS)
    precision = settings.get("PRECISION", "ieee") if dtype == torch.float32 else ""
    extra = settings.get("NONLINEARITY", "")
    return CompileCase(
        " ".join(filter(None, (kernel.__name__.strip("_"), TYPES[dtype], precision, extra, label))),
        kernel,
        signature,
        {**constexprs, **{name: value for name, value in DEFAULTS.items() if name in arguments}},
        settings["num_warps"],
        settings.get("num_stages", 3),
        bool(settings.get("launch_cooperative_grid")),
        dtype,
        options,
    )


def _type(name: str, pointed: str) -> str:
    if name in ("counters_ptr", "position_ptr"):
        return "*i32"
    if name == "lengths_ptr":
        return "*i64"
    return f"*{pointed}" if name.endswith("_ptr") else "i32"
