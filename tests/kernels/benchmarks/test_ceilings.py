import os
import subprocess
import sys

import pytest
import torch
from ceilings import measure_ceilings

# In a process of its own: where the interpreter runs kernels there is nothing to compile.
COMPILE = """
import sys
sys.path[:0] = sys.argv[2:]
import triton
from ceilings import _barrier_kernel
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
types = ["*i32", "*i32", "i32", "i32", "i32"]
source = ASTSource(fn=_barrier_kernel, signature=dict(zip(_barrier_kernel.arg_names, types)), constexprs={})
options = {"num_warps": 8, "launch_cooperative_grid": True}
print(triton.compile(source, target=GPUTarget("cuda", int(sys.argv[1]), 32), options=options).asm["ptx"])
"""


def test_ceilings_of_a_cpu_are_positive() -> None:
    found = measure_ceilings(torch.device("cpu"), lambda name: None)
    assert set(found) == {"copy_bytes_per_second", "matmul_bfloat16_flops", "matmul_float32_flops"}
    assert all(value > 0 for value in found.values())


@pytest.mark.parametrize("capability", ["80", "90"])
def test_the_barrier_compiles_for_gpus(capability: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"}
    done = subprocess.run(
        [sys.executable, "-c", COMPILE, capability, *sys.path],
        capture_output=True,
        text=True,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    assert "gpu.acquire" in done.stdout
    assert "gpu.release" in done.stdout
    assert "bar.sync" in done.stdout
