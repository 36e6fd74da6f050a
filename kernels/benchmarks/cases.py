"""What is measured: shapes, in the order of how much their answer matters."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

DTYPES = ("bfloat16", "float16", "float32", "tf32")
"""Arithmetic of a case; "tf32" is float32 tensors multiplied with a 10-bit mantissa."""


@dataclass(frozen=True)
class Case:
    """One shape, measured forward and forward+backward for every contestant.

    Attributes:
        group: the question that the case belongs to.
        dtype: one of `DTYPES`.
        seq_len, batch_size, input_size, hidden_size: T, B, I, H.
        cell: "lstm" or "rnn" (tanh).
        part: "layer" (with the input projection) or "recurrence" (the projections are the input).
        heads: blocks of the block-diagonal recurrence; 1 is nn.LSTM's full recurrence.
        num_layers, directions: the stack.
        ragged: lengths are uniform in 1..T instead of all T.
        quick: part of the quick set.
    """

    group: str
    dtype: str
    seq_len: int
    batch_size: int
    input_size: int
    hidden_size: int
    cell: str = "lstm"
    part: str = "layer"
    heads: int = 1
    num_layers: int = 1
    directions: int = 1
    ragged: bool = False
    quick: bool = False

    @property
    def name(self) -> str:
        """What `--only` looks in, unique among cases of one group."""
        words = [self.group, self.cell, self.part, self.dtype]
        words += [f"T{self.seq_len}", f"B{self.batch_size}", f"H{self.hidden_size}"]
        if self.heads > 1:
            words.append(f"heads{self.heads}")
        if self.num_layers > 1:
            words.append(f"layers{self.num_layers}")
        if self.directions > 1:
            words.append("both-directions")
        if self.ragged:
            words.append("ragged")
        return " ".join(words)

    @property
    def gates(self) -> int:
        """Blocks of hidden_size rows in a weight matrix."""
        return 4 if self.cell == "lstm" else 1

    @property
    def head_size(self) -> int:
        """Units that a unit reads from the step before."""
        return self.hidden_size // self.heads

    def input_width(self, layer: int) -> int:
        """Features that `layer` reads."""
        return self.input_size if layer == 0 else self.directions * self.hidden_size


def from_record(record: dict[str, Any]) -> Case:
    """The case of a result file's record; other keys of the record are ignored."""
    return Case(**{field.name: record[field.name] for field in fields(Case) if field.name in record})


def _case(group: str, dtype: str, batch_size: int, hidden_size: int, **more: Any) -> Case:
    more.setdefault("seq_len", 512 if batch_size * hidden_size <= 2**17 else 256)
    more.setdefault("input_size", hidden_size)
    return Case(group, dtype, batch_size=batch_size, hidden_size=hidden_size, **more)


def _flashrnn_table() -> list[Case]:
    """The shapes of FlashRNN's own table: 768 units in heads of 32 to 768 (arXiv 2412.07752)."""
    shape: dict[str, Any] = {"seq_len": 1024, "quick": True}
    table = [
        _case("flashrnn", "bfloat16", 16, 768, heads=768 // head, part="recurrence", **shape)
        for head in (64, 768, 32, 128, 256)
    ]
    table[2:2] = [_case("flashrnn", dtype, 16, 768, **shape) for dtype in ("bfloat16", "float16")]
    return table


def _sizes(
    dtype: str, batch_sizes: tuple[int, ...], hidden_sizes: tuple[int, ...], **more: Any
) -> list[Case]:
    return [_case("sizes", dtype, batch, hidden, **more) for hidden in hidden_sizes for batch in batch_sizes]


def all_cases() -> list[Case]:
    """Every case, most important first; no two are equal."""
    every = (64, 128, 256, 512, 768, 1024, 2048)
    cases = [
        *_flashrnn_table(),
        _case("lengths", "bfloat16", 64, 256, ragged=True, quick=True),
        *_sizes("bfloat16", (16, 64), (256, 512, 1024), quick=True),
        _case("depth", "bfloat16", 64, 256, num_layers=2, quick=True),
        _case("depth", "bfloat16", 64, 256, directions=2, quick=True),
        _case("lean", "bfloat16", 64, 512, quick=True),
        *_sizes("bfloat16", (16, 64), (64, 128), quick=True),
        *_sizes("float32", (64,), (256, 512), quick=True),
        *_sizes("float16", (64,), (256, 1024), quick=True),
        _case("rnn", "bfloat16", 64, 256, cell="rnn", quick=True),
        _case("lengths", "float32", 64, 128, ragged=True, quick=True),
        *_sizes("bfloat16", (1, 256), (256, 1024), quick=True),
        *_sizes("bfloat16", (16, 64), (768, 2048)),
        *_sizes("float16", (16, 64), (64, 128, 256, 512, 768, 1024, 2048)),
        *_sizes("float32", (16, 64), (64, 128, 256, 512, 1024)),
        _case("lengths", "bfloat16", 16, 512, ragged=True),
        _case("lengths", "bfloat16", 64, 1024, ragged=True),
        _case("lengths", "float16", 64, 256, ragged=True),
        _case("depth", "bfloat16", 16, 512, num_layers=2, directions=2),
        _case("depth", "bfloat16", 16, 1024, directions=2),
        _case("depth", "float32", 64, 256, num_layers=2, directions=2),
        _case("depth", "bfloat16", 64, 256, num_layers=2, directions=2, ragged=True),
        _case("lean", "bfloat16", 64, 1024),
        _case("lean", "bfloat16", 16, 256),
        _case("rnn", "bfloat16", 16, 512, cell="rnn"),
        _case("rnn", "float32", 64, 256, cell="rnn"),
        _case("rnn", "bfloat16", 64, 256, cell="rnn", ragged=True),
        *_sizes("bfloat16", (1, 256), every),
        *_sizes("tf32", (16, 64), (128, 256, 512, 1024)),
        *_sizes("bfloat16", (16, 64), (64, 128, 256, 512, 1024), part="recurrence"),
        *_sizes("float16", (1, 256), every),
        *_sizes("float32", (1, 16, 64, 256), every),
        *_sizes("tf32", (1, 16, 64, 256), every),
    ]
    seen: set[str] = set()
    return [case for case in cases if not (case.name in seen or seen.add(case.name))]


def shrink(case: Case) -> Case:
    """The same question at a size that a CPU answers at once: a rehearsal of the run, no measurement."""
    return replace(
        case,
        seq_len=5,
        batch_size=min(case.batch_size, 3),
        input_size=8,
        hidden_size=8 * min(case.heads, 2),
        heads=min(case.heads, 2),
    )


def choose(quick: bool, tiny: bool, only: str = "") -> list[Case]:
    """The cases of a run, most important first.

    Args:
        quick: only the quick set.
        tiny: shrink every case.
        only: keep cases whose name holds each of these words.
    """
    cases = [case for case in all_cases() if case.quick or not quick]
    cases = [case for case in cases if all(word in case.name.split() for word in only.split())]
    if tiny:
        cases = list(dict.fromkeys(shrink(case) for case in cases))
    return cases


def predict(case: Case, contestants: int, seconds: float) -> float:
    """Seconds that a case is expected to take on a GPU, kernels being compiled already.

    Args:
        contestants: how many are measured.
        seconds: sampling time that one contestant gets for one pass.
    """
    steps = case.seq_len * case.num_layers
    work = (
        case.directions * case.batch_size * case.gates * case.hidden_size * (case.head_size + case.input_size)
    )
    # 2 µs a step, or a tenth of a tensor core's rate: what a slow contestant needs, forward.
    rate = 2e13 if case.dtype == "float32" else 1e14
    call = steps * max(2e-6, 2 * work / rate)
    # A pass samples for `seconds` or, when calls are long, for eight of them (warm-up included).
    passes = sum(max(seconds, 8 * factor * call) for factor in (1, 3))
    # The float64 loop, with its gradients: a millisecond a step.
    check = 0.2 + steps * case.directions * 1e-3
    return contestants * (passes + 0.2) + check
