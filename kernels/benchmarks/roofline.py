"""The least time that a case could take on a device: what must be moved, multiplied and waited for."""

from __future__ import annotations

from dataclasses import dataclass

from cases import Case

BARRIER_SECONDS = 1.0e-6
"""A grid barrier where none was measured: an assumption; 0.8 to 1.3 µs are likely on these devices."""


@dataclass(frozen=True)
class Rates:
    """What a device class does at best, by its maker's documents.

    Attributes:
        multiprocessors: how many.
        flops: dense operations a second by case dtype, of the whole device.
        dram: bytes a second of device memory.
        l2, l2_each: bytes a second that all multiprocessors, and one, read from the L2 cache.
        on_chip: bytes of recurrent weights that a multiprocessor keeps, in registers or shared memory.
    """

    multiprocessors: int
    flops: dict[str, float]
    dram: float
    l2: float
    l2_each: float
    on_chip: int


_HOPPER = {"bfloat16": 989e12, "float16": 989e12, "tf32": 495e12, "float32": 67e12}
_AMPERE = {"bfloat16": 312e12, "float16": 312e12, "tf32": 156e12, "float32": 19.5e12}
# NVIDIA's data sheets of the SXM boards: dense rates, memory bandwidth. L2: 5120 bytes a clock (A100 white
# paper; taken for Hopper too) and 64 for one multiprocessor, at 1.83 GHz (Hopper; the clock that the dense
# rate implies) and 1.41 GHz. Weights are held in 256 KB of registers, less what else needs them, or in 227 or
# 163 KB of shared memory.
RATES = {
    "nvidia-h100": Rates(132, _HOPPER, 3.35e12, 5120 * 1.83e9, 64 * 1.83e9, 227 * 1024),
    "nvidia-h200": Rates(132, _HOPPER, 4.8e12, 5120 * 1.83e9, 64 * 1.83e9, 227 * 1024),
    "nvidia-a100": Rates(108, _AMPERE, 2.04e12, 5120 * 1.41e9, 64 * 1.41e9, 163 * 1024),
}


def element_bytes(dtype: str) -> int:
    """Bytes of a number in tensors of a case dtype."""
    return 2 if dtype in ("bfloat16", "float16") else 4


def step_seconds(case: Case, rates: Rates, backward: bool, barrier: float = BARRIER_SECONDS) -> float:
    """Least seconds of one time step of one layer, all directions: the best of all ways to split the work.

    The work is split into tiles of rows and units, one for each multiprocessor, which holds the weights of
    its units. A step takes its exchange of states, its products and, where a head is split, one barrier; or
    the time that device memory needs for what a step reads and writes, if that is longer. Where no split
    holds the weights on chip, they come from L2 in every step.
    """
    size, heads, units = element_bytes(case.dtype), case.heads, case.head_size
    best = float("inf")
    flops = rates.flops[case.dtype]
    # Backward exchanges the gradients of all gates instead of the states.
    exchanged = case.gates if backward else 1
    for rows in (1, 8, 16, 32, 64, 128, 256):
        for part in (8, 16, 32, 64, 128, 256, 512):
            part = min(part, units)
            tiles = -(-case.batch_size // rows) * -(-units // part) * heads * case.directions
            weights = case.gates * part * units * size
            if tiles > rates.multiprocessors or weights > rates.on_chip:
                continue
            held = min(rows, case.batch_size)
            products = 2 * held * case.gates * part * units / (flops / rates.multiprocessors)
            split = part < units
            exchange = exchanged * held * units * size
            moved = max(exchange / rates.l2_each, exchange * tiles / rates.l2) if split else 0.0
            best = min(best, products + moved + (barrier if split else 0.0))
    if best == float("inf"):
        weights = case.directions * case.gates * case.hidden_size * units
        streamed = weights * size / rates.l2
        products = 2 * case.batch_size * weights / flops
        best = max(streamed, products) + barrier
    return max(best, case.batch_size * case.directions * step_bytes(case, backward) / rates.dram)


def step_bytes(case: Case, backward: bool) -> int:
    """Bytes of device memory that one row of one direction must move in a step of the recurrence.

    Forward reads the projections and writes the output. Backward reads the output's gradient and what forward
    saved (gates and float32 cells of an LSTM, which forward then also had to write; the output of an RNN) and
    writes the gradient of the projections.
    """
    size, saved = element_bytes(case.dtype), 0
    if not backward:
        return case.hidden_size * (case.gates + 1) * size
    if case.cell == "lstm":
        saved = case.gates * size + 4
    else:
        saved = size
    return case.hidden_size * (size + saved + case.gates * size)


def floor_seconds(case: Case, device_class: str, kind: str, barrier: float | None = None) -> float | None:
    """Least seconds of one pass of a case; None for a device class whose rates are not known here.

    Args:
        kind: "forward" or "forward+backward".
        barrier: seconds of a grid barrier as measured; `BARRIER_SECONDS` where it was not.

    Products over all steps at once (projection; gradients of weights and inputs) count at the full rate, and
    with the bytes that they read and write. Layers and time steps follow one another.
    """
    rates = RATES.get(device_class)
    if rates is None:
        return None
    barrier = BARRIER_SECONDS if barrier is None else barrier
    backward = kind != "forward"
    total = 0.0
    for layer in range(case.num_layers):
        total += case.seq_len * step_seconds(case, rates, False, barrier)
        recurrent = case.directions * case.gates * case.hidden_size * case.head_size
        projection = case.directions * case.gates * case.hidden_size * case.input_width(layer)
        if case.part == "layer":
            total += _product_seconds(case, rates, projection, layer)
        if backward:
            total += case.seq_len * step_seconds(case, rates, True, barrier)
            total += 2 * case.seq_len * case.batch_size * recurrent / rates.flops[case.dtype]
            if case.part == "layer":
                total += 2 * _product_seconds(case, rates, projection, layer)
    return total


def _product_seconds(case: Case, rates: Rates, weights: int, layer: int) -> float:
    tokens, size = case.seq_len * case.batch_size, element_bytes(case.dtype)
    width = case.input_width(layer) + case.directions * case.gates * case.hidden_size
    flops = 2 * tokens * weights / rates.flops[case.dtype]
    return max(flops, (tokens * width + weights) * size / rates.dram)
