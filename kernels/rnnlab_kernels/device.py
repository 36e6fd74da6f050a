"""What runs kernels on this machine, and what it offers."""

from __future__ import annotations

import importlib.util
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cache

import torch

from rnnlab_kernels import interpreter

DTYPES = (torch.float32, torch.float16, torch.bfloat16)


@dataclass(frozen=True)
class Device:
    """A processor that runs kernels.

    Attributes:
        kind: "cuda", "hip", or "interpreter": Triton's own, which runs kernels on a CPU, slowly.
        name: what its maker calls it.
        arch: compute capability times ten (90), or the name of AMD's instruction set ("gfx942").
        multiprocessors: how many programs of a cooperative launch can surely run at the same time.
        shared_memory: bytes that one program may use.
    """

    kind: str
    name: str
    arch: int | str
    multiprocessors: int
    shared_memory: int

    def dot_precision(self, precision: str) -> str:
        """What `tl.dot` is asked for, for float32 operands, where the user asked for `precision`."""
        return precision if self.kind == "cuda" else "ieee"


INTERPRETER = Device("interpreter", "Triton's interpreter", 90, 132, 227 * 1024)


def refusal(device: torch.device, dtype: torch.dtype) -> str | None:
    """Return None if kernels run on `device` in `dtype`, else the reason, in words for the user."""
    if importlib.util.find_spec("triton") is None:
        return "triton is not installed (pip install triton)"
    if dtype not in DTYPES:
        return f"kernels take float32, float16 and bfloat16, got {str(dtype).removeprefix('torch.')}"
    if device.type == "cpu" and not interpreter.interpreting():
        return "kernels need a GPU, got cpu (TRITON_INTERPRET=1 runs them on a CPU, slowly)"
    if device.type not in ("cpu", "cuda"):
        return f"kernels need an NVIDIA or AMD GPU, got {device.type}"
    if device.type == "cuda" and torch.version.hip is None:
        major, minor = torch.cuda.get_device_capability(device)
        if major < 8:
            return f"kernels need compute capability 8.0 or later, got {major}.{minor}"
    return None


def device_of(device: torch.device) -> Device:
    """The processor behind a torch device for which `refusal` gave None."""
    if device.type == "cpu":
        interpreter.install()
        return INTERPRETER
    return _gpu(torch.cuda.current_device() if device.index is None else device.index)


def made_current(device: torch.device) -> AbstractContextManager[object]:
    """Inside, `device` is the GPU that Triton launches on, which is the current one, not the tensors'."""
    return torch.cuda.device(device) if device.type == "cuda" else nullcontext()


def approximate(like: torch.Tensor) -> bool:
    """Whether tanh and sigmoid may be the GPU's own: for results of 16 bits, where the GPU has them."""
    return like.dtype != torch.float32 and device_of(like.device).kind == "cuda"


@cache
def _gpu(index: int) -> Device:
    properties = torch.cuda.get_device_properties(index)
    if torch.version.hip is not None:
        arch = properties.gcnArchName.split(":")[0]
        return Device("hip", properties.name, arch, properties.multi_processor_count, 64 * 1024)
    return Device(
        "cuda",
        properties.name,
        properties.major * 10 + properties.minor,
        properties.multi_processor_count,
        properties.shared_memory_per_block_optin,
    )
