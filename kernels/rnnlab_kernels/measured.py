"""Where the kernels were measured to be faster than PyTorch's own, and what to choose by that.

`measured_speed/<device class>.json` holds what was measured on one class of device; `publish` writes it:

    {"device": "NVIDIA H100 80GB HBM3",
     "command": "python kernels/benchmarks/bench_lstm.py --full --publish",
     "versions": {"torch": "2.13.0", "triton": "3.7.1", "cudnn": "91002"},
     "measurements": [
       {"cell": "lstm", "dtype": "bfloat16", "hidden_size": 512, "batch_size": 16, "ratio": 1.7}, ...]}

`ratio` is the time of PyTorch's fastest (nn.LSTM, nn.RNN) over the time of ours, forward and backward
together, at that hidden size and batch size: above 1 ours is faster.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    import torch

FOLDER = Path(__file__).parent / "measured_speed"
REMEDY = "measure with: python kernels/benchmarks/bench_lstm.py --full"
_VARIANT = re.compile(r"\d+g[bi]?b?|sxm\d*|pcie|hbm\d\w*|nvl|oam")
"""Words of a device's name that tell memory and form, not what the device computes with."""


class Measurement(TypedDict):
    """One shape, timed: `cell` "lstm" or "rnn", `dtype` as torch writes it without "torch."."""

    cell: str
    dtype: str
    hidden_size: int
    batch_size: int
    ratio: float


def device_class(name: str) -> str:
    """Devices of one speed under one name: "NVIDIA H100 80GB HBM3" and "NVIDIA H100 PCIe" are nvidia-h100."""
    words = re.split(r"[^a-z0-9.]+", name.lower())
    return "-".join(word for word in words if word and not _VARIANT.fullmatch(word))


def advice(cell_kind: str, hidden_size: int, dtype: torch.dtype, device: torch.device) -> str | None:
    """Return None where the kernels were measured to be no slower than PyTorch, else why to take PyTorch.

    They are preferred only if the ratio is 1 or more at every batch size measured at the hidden sizes nearest
    to `hidden_size`, below and above it (at it alone if it was measured).

    Args:
        cell_kind: "lstm" or "rnn".
        hidden_size: H.
        dtype: of inputs and parameters.
        device: for which `rnnlab_kernels.device.refusal` gave None.
    """
    if device.type == "cpu":
        return "Triton's interpreter checks kernels, it does not make them fast"
    import torch

    return advice_for(torch.cuda.get_device_name(device), cell_kind, hidden_size, dtype)


def advice_for(device_name: str, cell_kind: str, hidden_size: int, dtype: torch.dtype) -> str | None:
    """As `advice`, for a device by its name."""
    dtype_name = str(dtype).removeprefix("torch.")
    path = FOLDER / f"{device_class(device_name)}.json"
    if not path.exists():
        return f"no benchmark of {device_name} is committed; {REMEDY}"
    measurements: list[Measurement] = json.loads(path.read_text())["measurements"]
    of_kind = [each for each in measurements if (each["cell"], each["dtype"]) == (cell_kind, dtype_name)]
    what = f"{cell_kind} in {dtype_name}"
    sizes = sorted({each["hidden_size"] for each in of_kind})
    if not sizes:
        return f"the benchmark of {device_name} has no {what}; {REMEDY}"
    if not sizes[0] <= hidden_size <= sizes[-1]:
        return (
            f"the benchmark of {device_name} has {what} with H of {sizes[0]} to {sizes[-1]}, "
            f"not {hidden_size}"
        )
    below, above = max(h for h in sizes if h <= hidden_size), min(h for h in sizes if h >= hidden_size)
    near = [each for each in of_kind if each["hidden_size"] in (below, above)]
    worst = min(near, key=lambda each: each["ratio"])
    if worst["ratio"] >= 1:
        return None
    return (
        f"on {device_name} it had {worst['ratio']:.2f} times PyTorch's speed for {what} with "
        f"H={worst['hidden_size']}, B={worst['batch_size']}"
    )


def publish(
    device_name: str, command: str, versions: Mapping[str, str], measurements: Iterable[Measurement]
) -> Path:
    """Write what was measured on the device of that name, over what its class had; returns the file."""
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{device_class(device_name)}.json"
    found = {
        "device": device_name,
        "command": command,
        "versions": dict(versions),
        "measurements": list(measurements),
    }
    path.write_text(json.dumps(found, indent=1) + "\n")
    return path
