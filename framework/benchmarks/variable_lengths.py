"""Rows of unequal length: the stack on the `torch` backend against packed nn.LSTM, nn.GRU and nn.RNN.

    python framework/benchmarks/variable_lengths.py [--repeats 7] [--threads 1] [--json FILE]
        [--cells lstm gru rnn] [--shapes 8,32,64 32,64,128 64,128,256]

One pass forwards and one backwards, with gradients of inputs, initial states and parameters. Lengths are
drawn uniformly from 1..T, inputs are as wide as the hidden states (I = H), initial states are not zero.
Packed is what users of nn.LSTM write: pack_padded_sequence, the module, pad_packed_sequence, with lengths
on the CPU. Padded is the module alone, which reads the padding, and so gives other values: what the steps
cost when nobody asks for exactness. The stack's values are compared with packing first; then all ways run in
turns, in one process on `--threads` threads, and a ratio is the median over the turns of the ratio within a
turn. "x packed" and "x padded" say how many times as fast as packing the stack and the padded module are.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from rnnlab.config.section import StackConfig
from rnnlab.plugins.registry import Registry
from rnnlab.recurrent.stack import Stack

Shape = tuple[int, int, int]
"""B, T, H."""
SHAPES: tuple[Shape, ...] = ((8, 32, 64), (32, 64, 128), (64, 128, 256))
MODULES = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}
TOLERANCE = 5e-6
"""How far the stack may be from packing, as a part of the largest entry of a tensor, or of 1."""


@dataclass(frozen=True)
class Row:
    """One cell in one setting; times are medians.

    Attributes:
        B, T, H: rows, steps, units.
        valid: the part of the T*B steps that are valid.
        stack_ms, packed_ms, padded_ms: milliseconds of a pass forwards and backwards.
        of_packed: how many times as fast as packing the stack is.
        padded_of_packed: the same of the padded module.
        error: how far the stack is from packing, see TOLERANCE.
    """

    cell: str
    B: int
    T: int
    H: int
    layers: int
    directions: int
    valid: float
    stack_ms: float
    packed_ms: float
    padded_ms: float
    of_packed: float
    padded_of_packed: float
    error: float


def main() -> None:
    """Measure, print a line for each setting, and the table as JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=7, help="turns [default: 7]")
    parser.add_argument(
        "--threads",
        type=int,
        default=1,
        help="PyTorch's threads: 1 as rnnlab's runs have [default], 0 for as many as PyTorch takes by itself",
    )
    parser.add_argument("--cells", nargs="+", choices=MODULES, default=list(MODULES))
    parser.add_argument("--shapes", nargs="+", type=shape_of, default=SHAPES, metavar="B,T,H")
    parser.add_argument("--json", type=Path, help="a file for the figures")
    given = parser.parse_args()
    if given.threads:
        torch.set_num_threads(given.threads)
    about = machine()
    print(", ".join(f"{name} {value}" for name, value in about.items()), flush=True)
    print("\n| cell | B,T,H | layers | directions | stack | packed | padded | x packed | x padded | error |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    rows: list[Row] = []
    for row in measured(given.cells, given.shapes, given.repeats):
        rows.append(row)
        print(
            f"| {row.cell} | {row.B},{row.T},{row.H} | {row.layers} | {row.directions} "
            f"| {row.stack_ms:.1f} ms | {row.packed_ms:.1f} ms | {row.padded_ms:.1f} ms "
            f"| {row.of_packed:.2f} | {row.padded_of_packed:.2f} | {row.error:.1e} |",
            flush=True,
        )
    if given.json:
        figures = {**about, "repeats": given.repeats, "rows": [asdict(row) for row in rows]}
        given.json.write_text(json.dumps(figures, indent=1) + "\n")
    if wrong := [row for row in rows if row.error > TOLERANCE]:
        sys.exit(f"not what packing gives: {', '.join(f'{row.cell} {row.error:.1e}' for row in wrong)}")


def machine() -> dict[str, str | float]:
    """What the figures depend on."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return {
        "command": " ".join(["python", *sys.argv]),
        "cpu": model or platform.processor(),
        "capability": torch.backends.cpu.get_cpu_capability(),
        "cores": os.cpu_count() or 1,
        "threads": torch.get_num_threads(),
        "load": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "torch": str(torch.__version__),
    }


def shape_of(text: str) -> Shape:
    """B,T,H as the command line has it."""
    batch_size, seq_len, size = (int(part) for part in text.split(","))
    return batch_size, seq_len, size


def measured(cells: Sequence[str], shapes: Sequence[Shape], repeats: int) -> Iterator[Row]:
    """Every setting."""
    registry = Registry.discover()
    for name in cells:
        for shape in shapes:
            for layers in (1, 2):
                for directions in (1, 2):
                    yield setting(registry, name, shape, layers, directions, repeats)


def setting(registry: Registry, name: str, shape: Shape, layers: int, directions: int, repeats: int) -> Row:
    """Compare and measure one setting."""
    batch_size, seq_len, size = shape
    torch.manual_seed(0)
    spec = registry.get("cell", name)
    build, options = registry.load(spec), registry.config_model(spec)()
    config = StackConfig.model_validate(
        {"hidden_size": size, "num_layers": layers, "bidirectional": directions == 2}
    )
    backend = registry.load(registry.get("backend", "torch"))()
    stack = Stack(lambda i, h: build(i, h, options), size, config, backend)
    module = MODULES[name](size, size, num_layers=layers, bidirectional=directions == 2)
    module.load_state_dict(stack.state_dict())
    lengths = torch.randint(1, seq_len + 1, (batch_size,))
    x = torch.randn(seq_len, batch_size, size, requires_grad=True)
    state = tuple(
        torch.randn(layers * directions, batch_size, size, requires_grad=True) for _ in stack.state_sizes
    )
    upstream = torch.randn(seq_len, batch_size, directions * size)

    def of_stack() -> tuple[Tensor, ...]:
        output, final = stack(x, lengths, state)
        return output, *final

    def of_packed() -> tuple[Tensor, ...]:
        packed = pack_padded_sequence(x, lengths, enforce_sorted=False)
        output, final = module(packed, state if name == "lstm" else state[0])
        output, _ = pad_packed_sequence(output, total_length=seq_len)
        return output, *(final if name == "lstm" else (final,))

    def of_padded() -> tuple[Tensor, ...]:
        output, final = module(x, state if name == "lstm" else state[0])
        return output, *(final if name == "lstm" else (final,))

    def both_ways(run: Callable[[], tuple[Tensor, ...]], parameters: list[Tensor]) -> tuple[Tensor, ...]:
        output, *final = run()
        loss = (output * upstream).sum() + sum(each.sum() for each in final)
        return output, *final, *torch.autograd.grad(loss, [x, *state, *parameters])

    # By name: a module lists its parameters in another order than the stack.
    names = list(module.state_dict())
    own = dict(zip(stack.state_dict(), stack.state_dict(keep_vars=True).values(), strict=True))
    ways: dict[str, Callable[[], tuple[Tensor, ...]]] = {
        "stack": lambda: both_ways(of_stack, [own[each] for each in names]),
        "packed": lambda: both_ways(of_packed, [module.get_parameter(each) for each in names]),
        "padded": lambda: both_ways(of_padded, [module.get_parameter(each) for each in names]),
    }
    error = max(
        float((got - expected).detach().abs().max()) / max(1.0, float(expected.detach().abs().max()))
        for got, expected in zip(ways["stack"](), ways["packed"](), strict=True)
    )
    taken = in_turns(ways, repeats)
    ratios = {
        each: statistics.median(
            packed / time for packed, time in zip(taken["packed"], taken[each], strict=True)
        )
        for each in ("stack", "padded")
    }
    stack_ms, packed_ms, padded_ms = (1000 * statistics.median(taken[each]) for each in ways)
    valid = round(float(lengths.sum()) / (seq_len * batch_size), 3)
    return Row(
        name,
        *shape,
        layers,
        directions,
        valid,
        stack_ms,
        packed_ms,
        padded_ms,
        ratios["stack"],
        ratios["padded"],
        error,
    )


def in_turns(ways: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, list[float]]:
    """Seconds of a call, measured `repeats` times in turns, quick calls several at once."""
    number: dict[str, int] = {}
    for name, call in ways.items():
        began = time.perf_counter()
        call()
        number[name] = max(1, round(0.02 / (time.perf_counter() - began)))
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(repeats):
        for name, call in ways.items():
            began = time.perf_counter()
            for _ in range(number[name]):
                call()
            taken[name].append((time.perf_counter() - began) / number[name])
    return taken


if __name__ == "__main__":
    main()
