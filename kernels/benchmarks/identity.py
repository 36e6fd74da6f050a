"""On what, and of what, the numbers are."""

from __future__ import annotations

import importlib.metadata
import platform
import shutil
import subprocess
from pathlib import Path
from typing import Any

import torch
from cases import Case
from rivals import TORCH_DTYPES

from rnnlab_kernels.device import device_of, refusal
from rnnlab_kernels.measured import device_class
from rnnlab_kernels.plan import Shape, choose

ROOT = Path(__file__).parents[2]


def describe_device(device: torch.device) -> dict[str, Any]:
    """name, class, and for a GPU capability, multiprocessors, l2_bytes, memory_bytes and driver."""
    if device.type != "cuda":
        return {"name": platform.processor() or platform.machine(), "class": "cpu"}
    found = torch.cuda.get_device_properties(device)
    return {
        "name": found.name,
        "class": device_class(found.name),
        "capability": f"{found.major}.{found.minor}",
        "multiprocessors": found.multi_processor_count,
        "l2_bytes": found.L2_cache_size,
        "memory_bytes": found.total_memory,
        "driver": _said_by("nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"),
    }


def describe_versions() -> dict[str, str]:
    """Versions of what computes, as text; what is not there is left out."""
    versions = {"python": platform.python_version(), "torch": torch.__version__}
    if torch.version.cuda:
        versions["cuda"] = torch.version.cuda
    if torch.version.hip:
        versions["hip"] = torch.version.hip
    if torch.backends.cudnn.is_available():
        versions["cudnn"] = str(torch.backends.cudnn.version())
    for package in ("triton", "flashrnn"):
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    revision = _said_by("git", "-C", str(ROOT), "describe", "--always", "--dirty")
    return versions | ({"rnnlab": revision} if revision else {})


def _said_by(program: str, *arguments: str) -> str:
    """The first line that a program prints; empty where there is no such program, or it fails."""
    if shutil.which(program) is None:
        return ""
    try:
        done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return (done.stdout.strip().splitlines() or [""])[0]


def plan_of(case: Case, device: torch.device) -> list[str]:
    """Which kernels the package chooses for a case, forward and backward, each with its reasons."""
    dtype = TORCH_DTYPES[case.dtype]
    reason = refusal(device, dtype)
    if reason is not None:
        return [f"no kernel: {reason}"]
    lines = []
    for backward in (False, True):
        shape = Shape(
            case.gates,
            case.batch_size,
            case.directions,
            case.hidden_size,
            case.head_size,
            dtype,
            "tf32" if case.dtype == "tf32" else "tf32x3",
            backward,
        )
        try:
            plan = choose(shape, device_of(device))
        except Exception as error:
            plan = f"{type(error).__name__}: {error}"
        told = plan if isinstance(plan, str) else f"{plan.kernel} {plan.blocks}; {'; '.join(plan.reasons)}"
        lines.append(f"{'backward' if backward else 'forward'}: {told}")
    return lines
