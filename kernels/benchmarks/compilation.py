"""Compile kernels ahead of time, for GPUs that need not be here, and read what they take of one."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource, make_backend

NVIDIA_TOOLS = Path(triton.__file__).parent / "backends" / "nvidia" / "bin"


class Case(Protocol):
    """One kernel in one configuration that a launcher may choose.

    Attributes:
        name: unlike any other case's of the same target.
        signature: the type of each argument that is not constexpr: {"x_ptr": "*bf16", "seq_len": "i32"}.
        constexprs: the value of each argument that is; None for a pointer that is left out.
        cooperative: whether it is launched with `launch_cooperative_grid=True`.

    `options`, where a case has it, holds the other options of its launch, such as `debug`.
    """

    @property
    def name(self) -> str: ...
    @property
    def kernel(self) -> Any: ...
    @property
    def signature(self) -> Mapping[str, str]: ...
    @property
    def constexprs(self) -> Mapping[str, Any]: ...
    @property
    def num_warps(self) -> int: ...
    @property
    def num_stages(self) -> int: ...
    @property
    def cooperative(self) -> bool: ...
    @property
    def dtype(self) -> Any: ...


@dataclass(frozen=True)
class Target:
    """A kind of GPU.

    Attributes:
        gpu: what Triton calls it.
        shared_memory: bytes that one program may have (CUDA C++ Programming Guide, technical specifications
            by compute capability; the LDS of a work-group on AMD's CDNA 3).
    """

    gpu: GPUTarget
    shared_memory: int


TARGETS = {
    "sm_80": Target(GPUTarget("cuda", 80, 32), 163 * 1024),
    "sm_90": Target(GPUTarget("cuda", 90, 32), 227 * 1024),
    "gfx942": Target(GPUTarget("hip", "gfx942", 64), 64 * 1024),
}


@dataclass(frozen=True)
class Resources:
    """What a compiled kernel takes.

    Attributes:
        registers: vector registers of each thread.
        spilled: bytes of each thread that are stored to memory for want of registers.
        stack: bytes of memory of each thread, for spills and for calls.
        shared: bytes of shared memory (LDS) of each program.
    """

    registers: int
    spilled: int
    stack: int
    shared: int

    def faults(self, target: Target) -> list[str]:
        """Why a kernel that takes this must not be launched on `target`; empty if it may be."""
        faults = []
        if self.spilled:
            faults.append(f"spills {self.spilled} bytes of registers a thread")
        if self.shared > target.shared_memory:
            faults.append(f"needs {self.shared} bytes of shared memory, has {target.shared_memory}")
        return faults


def resources(case: Case, target: Target) -> Resources:
    """Compile `case` for `target` as its first launch would, and read what it takes.

    Pointers are taken to be aligned to 16 bytes, as those of tensors are, and integers to be of no special
    value. The compiler's own errors pass through.
    """
    names = case.kernel.arg_names
    backend = make_backend(target.gpu)
    source = ASTSource(
        case.kernel,
        {name: "constexpr" if name in case.constexprs else case.signature[name] for name in names},
        {(names.index(name),): value for name, value in case.constexprs.items()},
        {
            (place,): backend.parse_attr("DS")  # Divisible by 16 and, which matters to AMD, under 2 GiB.
            for place, name in enumerate(names)
            if name not in case.constexprs and case.signature[name].startswith("*")
        },
    )
    options = {
        "num_warps": case.num_warps,
        "num_stages": case.num_stages,
        "launch_cooperative_grid": case.cooperative,
        **getattr(case, "options", {}),
    }
    compiled = triton.compile(source, target=target.gpu, options=options)
    read = _read_cubin if target.gpu.backend == "cuda" else _read_amdgcn
    return read(compiled)


def _read_cubin(compiled: Any) -> Resources:
    with tempfile.TemporaryDirectory() as folder:
        cubin, ptx = Path(folder, "kernel.cubin"), Path(folder, "kernel.ptx")
        cubin.write_bytes(compiled.asm["cubin"])
        usage = _run("cuobjdump", "--dump-resource-usage", cubin)
        stack = _number(r"STACK:(\d+)", usage)
        spilled = 0
        if stack:
            # Only the assembler says how much of the stack is spilled registers.
            ptx.write_text(compiled.asm["ptx"])
            (arch,) = re.findall(r"\.target (\w+)", compiled.asm["ptx"])
            log = _run("ptxas", "-v", f"--gpu-name={arch}", ptx, "-o", Path(folder, "again.cubin"))
            spilled = _number(r"(\d+) bytes spill stores", log)
    return Resources(_number(r"REG:(\d+)", usage), spilled, stack, compiled.metadata.shared)


def _read_amdgcn(compiled: Any) -> Resources:
    text = compiled.asm["amdgcn"]
    return Resources(
        registers=_number(r"\.vgpr_count:\s+(\d+)", text),
        spilled=4 * _number(r"\.vgpr_spill_count:\s+(\d+)", text),
        stack=_number(r"\.private_segment_fixed_size:\s+(\d+)", text),
        shared=max(compiled.metadata.shared, _number(r"\.group_segment_fixed_size:\s+(\d+)", text)),
    )


def _number(pattern: str, text: str) -> int:
    """The number that `pattern` finds: the largest, if `text` tells of several functions."""
    return max(int(found) for found in re.findall(pattern, text))


def _run(tool: str, *arguments: str | Path) -> str:
    done = subprocess.run([NVIDIA_TOOLS / tool, *arguments], capture_output=True, text=True, check=True)
    return done.stdout + done.stderr
