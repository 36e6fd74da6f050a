"""Where kernels run in these tests, and how close to a float64 reference they must come."""

import pytest
import torch

from rnnlab_kernels import interpreter
from rnnlab_kernels.blocks import Grid, Tile, power_of_two
from rnnlab_kernels.plan import Plan

interpreter.install()

# Largest error against a reference in float64, as a share of the reference's largest magnitude (at least 1,
# so that values near zero are held to the absolute error): the unit roundoff of the dtype, 2**-24, 2**-11,
# 2**-8, with room for some ten steps of recurrence and for sums in another order. "tf32" is float32 whose
# products round their operands to 11 bits. The interpreter computes float32 products exactly and, after
# `interpreter.install()`, rounds to bfloat16 as a GPU does (stock Triton truncates): one table serves both.
TOLERANCE = {
    torch.float64: 1e-10,
    torch.float32: 2e-5,
    "tf32": 4e-3,
    torch.float16: 4e-3,
    torch.bfloat16: 3e-2,
}


@pytest.fixture(scope="session")
def device():
    """The GPU if there is one, else the CPU, where Triton's interpreter runs the kernels."""
    return torch.device("cpu" if interpreting() else "cuda")


@pytest.fixture(scope="session")
def interpreted():
    """Skips what can only be tested in the interpreter."""
    if not interpreting():
        pytest.skip("tests Triton's interpreter; kernels run on the GPU here")


@pytest.fixture(scope="session")
def assert_close():
    """A function that compares with a reference: `assert_close(actual, expected, precision, name="")`.

    `precision` is a key of TOLERANCE: the dtype that the kernel computed in, or "tf32". NaN equals nothing.
    """

    def compare(actual, expected, precision, name="value"):
        assert actual.shape == expected.shape, f"{name}: shape {actual.shape}, expected {expected.shape}"
        if actual.numel() == 0:
            return
        actual, expected = (tensor.detach().to("cpu", torch.float64) for tensor in (actual, expected))
        allowed = TOLERANCE[precision] * max(1.0, expected.abs().max().item())
        torch.testing.assert_close(actual, expected, rtol=0, atol=allowed, msg=lambda text: f"{name}: {text}")

    return compare


def interpreting():
    """Without a GPU there is nothing but the interpreter."""
    return interpreter.interpreting() or not torch.cuda.is_available()


@pytest.fixture
def force(monkeypatch):
    """A function: after `force(launch, kernel)` that module runs "tile", "grid" or "step", whatever fits.

    `split` is how many parts a grid cuts its sums into.
    """

    def blocks(kernel, shape, split):
        if kernel == "tile":
            block_p = max(16, power_of_two(shape.head_size))
            return Tile(block_p, 16, 4) if block_p <= 32 else Tile(block_p, 8, 8)
        return Grid(shape.head_size, 16, 8, split, num_warps=4) if kernel == "grid" else None

    def patch(launch, kernel, split=2):
        def choose(shape, device):
            return Plan(kernel, blocks(kernel, shape, split), ())

        monkeypatch.setattr(launch, "choose", choose)

    return patch


@pytest.fixture
def poisoned():
    """New memory holds NaN until it is written, which is a documented part of torch's deterministic mode."""
    torch.use_deterministic_algorithms(True, warn_only=True)
    assert torch.empty(3).isnan().all()
    yield
    torch.use_deterministic_algorithms(False)
