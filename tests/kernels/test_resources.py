"""No kernel that a launcher may choose spills registers or outgrows a GPU; for GPUs that need not be here."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOL = ROOT / "kernels" / "benchmarks" / "resources.py"
TARGETS = ("sm_80", "sm_90", "gfx942")

# A module of compile cases: `sum` is sound; the others are added by the tests.
CASES = '''
from dataclasses import dataclass

import triton
import triton.language as tl


@dataclass
class Case:
    name: str
    kernel: object
    signature: dict
    constexprs: dict
    num_warps: int
    num_stages: int = 1
    cooperative: bool = False
    dtype: str = "float32"


@triton.jit
def softmax_kernel(x_ptr, BLOCK: tl.constexpr):
    """Each thread holds its share of the elements in registers until the sum of all is known."""
    place = tl.arange(0, BLOCK)
    x = tl.exp(tl.load(x_ptr + place))
    tl.store(x_ptr + place, x / tl.sum(x))


@triton.jit
def product_kernel(x_ptr, y_ptr, n, N: tl.constexpr):
    """num_stages - 1 pairs of operands, each N x N, are on their way in shared memory."""
    place = tl.arange(0, N)[:, None] * N + tl.arange(0, N)[None, :]
    total = tl.zeros([N, N], tl.float32)
    for step in range(n):
        x = tl.load(x_ptr + step * N * N + place)
        y = tl.load(y_ptr + step * N * N + place)
        total += tl.dot(x, y)
    tl.store(x_ptr + place, total.to(tl.float16))


def softmax(name, block, num_warps=1):
    return Case(name, softmax_kernel, {"x_ptr": "*fp32"}, {"BLOCK": block}, num_warps)


def product(name, n, num_stages):
    signature = {"x_ptr": "*fp16", "y_ptr": "*fp16", "n": "i32"}
    return Case(name, product_kernel, signature, {"N": n}, 8, num_stages)


def compile_cases(target):
'''
SOUND = '    yield softmax("sum", 1024)\n'


def tool(*arguments, cases=None):
    """Run the tool, in a process in which Triton compiles; returns exit status, stdout and stderr."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    environment.pop("TRITON_INTERPRET", None)
    path = [str(ROOT / "kernels"), os.environ.get("PYTHONPATH", "")]
    command = [sys.executable, str(TOOL), "--jobs", "2", *map(str, arguments)]
    if cases is not None:
        path.insert(0, str(cases.parent))
        command += ["--cases", cases.stem, "--table", str(cases.with_name("table.json"))]
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, path))
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def cases(tmp_path):
    """A module with one sound case, and its table beside it."""
    module = tmp_path / "some_cases.py"
    module.write_text(CASES + SOUND)
    code, _, errors = tool("--target", "sm_90", cases=module)
    assert code == 0, errors
    return module


def test_the_table_has_every_configuration_and_no_other():
    code, _, errors = tool("--check", "--tightest", "0")
    assert code == 0, errors


def test_no_row_of_the_table_spills_or_outgrows_its_target():
    limits = {"sm_80": 163, "sm_90": 227, "gfx942": 64}  # KiB
    rows = json.loads((TOOL.parent / "results" / "resources.json").read_text())["rows"]
    assert set(rows) == set(TARGETS)
    for target, cases in rows.items():
        assert cases
        for name, row in cases.items():
            assert row["spilled"] == 0, (target, name)
            assert row["shared"] <= limits[target] * 1024, (target, name)
            assert 0 < row["registers"] <= (512 if target == "gfx942" else 255), (target, name)


@pytest.mark.parametrize("target", TARGETS)
def test_what_comes_nearest_to_a_limit_compiles_to_what_the_table_says(target):
    code, _, errors = tool("--check", "--target", target, "--tightest", "1")
    assert code == 0, errors


def test_a_sound_kernel_passes(cases):
    (row,) = json.loads(cases.with_name("table.json").read_text())["rows"]["sm_90"].values()
    assert row["kernel"] == "softmax_kernel"
    assert row["spilled"] == 0
    assert 32 < row["registers"] < 255  # 1024 elements in 32 threads
    code, table, errors = tool("--check", "--target", "sm_90", "--kernel", "sum", cases=cases)
    assert code == 0, errors
    assert f"| sm_90 | sum | float32 | 1 | {row['registers']} | 0 | 0 |" in table


def test_a_kernel_that_spills_is_reported(cases):
    cases.write_text(cases.read_text() + '    yield softmax("large", 131072, num_warps=32)\n')
    before = cases.with_name("table.json").read_text()
    code, _, errors = tool("--target", "sm_90", cases=cases)
    assert code == 1
    assert "sm_90 large: spills" in errors
    assert "sum: " not in errors.splitlines()[-1]
    assert cases.with_name("table.json").read_text() == before


def test_a_kernel_that_outgrows_shared_memory_is_reported(cases):
    cases.write_text(cases.read_text() + '    yield product("deep", 128, num_stages=8)\n')
    code, _, errors = tool("--target", "sm_90", "--target", "sm_80", "--kernel", "deep", cases=cases)
    assert code == 1
    faults = errors.splitlines()[-2:]
    assert re.fullmatch(r"sm_90 deep: needs \d{6} bytes of shared memory, has 232448", faults[0])
    assert re.fullmatch(r"sm_80 deep: needs \d{6} bytes of shared memory, has 166912", faults[1])


def test_an_amd_kernel_that_spills_is_reported(cases):
    cases.write_text(cases.read_text() + '    yield softmax("large", 262144, num_warps=16)\n')
    code, _, errors = tool("--target", "gfx942", cases=cases)
    assert code == 1
    assert "gfx942 large: spills" in errors


def test_a_configuration_without_a_row_is_a_difference(cases):
    cases.write_text(cases.read_text() + '    yield softmax("added", 512)\n')
    code, _, errors = tool("--check", "--target", "sm_90", "--tightest", "0", cases=cases)
    assert code == 1
    assert "sm_90 added: not in the table" in errors


def test_a_row_without_a_configuration_is_a_difference(cases):
    cases.write_text(CASES + '    yield softmax("renamed", 1024)\n')
    code, _, errors = tool("--check", "--target", "sm_90", "--tightest", "0", cases=cases)
    assert code == 1
    assert "sm_90 sum: in the table only" in errors


def test_more_registers_than_the_table_says_are_a_difference(cases):
    path = cases.with_name("table.json")
    table = json.loads(path.read_text())
    row = table["rows"]["sm_90"]["sum"]
    row["registers"] -= 20
    path.write_text(json.dumps(table))
    code, _, errors = tool("--check", "--target", "sm_90", cases=cases)
    assert code == 1
    assert f"sm_90 sum: {row['registers'] + 20} registers, were {row['registers']}" in errors


def test_a_kernel_that_does_not_compile_is_reported(cases):
    cases.write_text(cases.read_text() + '    yield softmax("odd", 1000)\n')
    code, _, errors = tool("--target", "sm_90", cases=cases)
    assert code == 1
    assert "sm_90 odd: " in errors
    assert "power of 2" in errors


def test_the_interpreter_is_refused():
    command = [sys.executable, str(TOOL)]
    environment = {**os.environ, "TRITON_INTERPRET": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "unset it" in done.stderr
