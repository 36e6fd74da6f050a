"""One case: every contestant is checked, and timed if it was right."""

from __future__ import annotations

import gc
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from cases import Case
from checking import BACKWARD, PASSES, Truth, check_steps, compare
from problem import Problem, draw
from rivals import TORCH_DTYPES, Contestant, Runner, arithmetic, contestants
from timing import Call, Stopwatch, sample

Row = dict[str, Any]


class SickDevice(Exception):
    """The GPU refuses all work after one contestant's fault; only a new process can go on."""


@dataclass(frozen=True)
class Settings:
    """What holds for every case of a run.

    Attributes:
        device: "cuda" or "cpu".
        seconds: sampling time of one contestant and pass.
        compiled, flashrnn, loops: who takes part, as in `contestants`.
    """

    device: str
    seconds: float
    compiled: bool = False
    flashrnn: tuple[str, ...] = ()
    loops: bool = True

    def contestants(self, case: Case) -> list[Contestant]:
        """Who runs `case`."""
        return contestants(case, compiled=self.compiled, flashrnn=self.flashrnn, loops=self.loops)


@dataclass
class Entry:
    """A contestant in the ring.

    Attributes:
        steps: time steps that it runs.
        runner: None until it was built.
        errors: of each pass that was right, the worst relative error and the name of its tensor.
    """

    contestant: Contestant
    steps: int
    runner: Runner | None = None
    errors: dict[str, tuple[float, str]] = field(default_factory=dict)


class Ring:
    """Measures one case.

    Args:
        emit: takes each row: one contestant, one pass, a time or the reason why there is none.
        announce: told who is about to run.
        excluded: contestants that are left out.
    """

    def __init__(
        self,
        case: Case,
        settings: Settings,
        emit: Callable[[Row], object],
        announce: Callable[[str], object],
        excluded: frozenset[str] = frozenset(),
    ) -> None:
        self.case, self.settings, self.emit, self.announce = case, settings, emit, announce
        self.device = torch.device(settings.device)
        self.entries = [
            Entry(who, min(case.seq_len, who.max_steps or case.seq_len))
            for who in settings.contestants(case)
            if who.name not in excluded
        ]
        self.problem = draw(case, self.device)

    def warm(self) -> None:
        """Run our own contestants once, so that their kernels are compiled and cached on disk."""
        for entry in self.entries:
            if entry.contestant.family == "rnnlab":
                entry.runner = runner = entry.contestant.make(self.rounded(entry))
                for kind in PASSES:
                    runner.train(kind == BACKWARD)
                    self.call(entry, kind, self.rounded(entry))(0)
                    self.synchronize()

    def measure(self) -> None:
        """Check and time everyone."""
        truth, steps = Truth(), check_steps(self.case)
        for entry in self.entries:
            self.announce(entry.contestant.name)
            arithmetic(entry.contestant.dtype)
            try:
                entry.runner = entry.contestant.make(self.rounded(entry))
            except Exception as error:
                for kind in PASSES:
                    self.failed(entry, kind, error)
                continue
            for kind in PASSES:
                problem = self.rounded(entry).first(steps)
                try:
                    entry.errors[kind] = compare(entry.contestant, entry.runner, kind, problem, truth)
                    self.synchronize()
                except Exception as error:
                    self.failed(entry, kind, error)
        del truth
        self.release()
        for kind in PASSES:
            self.time(kind)

    def time(self, kind: str) -> None:
        """Time one pass of everyone who was right."""
        ready = {entry.contestant.name: entry for entry in self.entries if kind in entry.errors}
        calls: dict[str, Call] = {}
        memory: dict[str, float | None] = {}

        def failed(name: str, error: Exception) -> None:
            calls.pop(name, None)
            self.failed(ready[name], kind, error)

        for name, entry in ready.items():
            self.announce(name)
            try:
                assert entry.runner is not None
                entry.runner.train(kind == BACKWARD)
                problem = self.rounded(entry)
                calls[name] = self.call(entry, kind, problem, self.spare_inputs(problem))
                calls[name](0)
                memory[name] = self.peak(partial(calls[name], 0))
            except Exception as error:
                failed(name, error)
        stopwatch = Stopwatch(self.device)
        timings = sample(dict(calls), stopwatch, self.settings.seconds, self.announce, failed)
        for name, timing in timings.items():
            entry = ready[name]
            error, tensor = entry.errors[kind]
            measured = {
                "ms": timing.median * 1e3,
                "ms_low": timing.low * 1e3,
                "ms_high": timing.high * 1e3,
                "samples": timing.samples,
                "calls_per_sample": timing.calls,
                "us_per_step": timing.median * 1e6 / (entry.steps * self.case.num_layers),
                "memory_mb": memory[name],
                "error": error,
                "error_in": tensor,
            }
            self.emit(self.row(entry, kind) | measured)
        calls.clear()
        self.release()

    def call(self, entry: Entry, kind: str, problem: Problem, spare: int = 0) -> Call:
        """The timed work; inputs rotate among 1 + `spare` random ones."""
        runner, dtype = entry.runner, entry.contestant.dtype
        assert runner is not None
        inputs = [problem.x] + [torch.randn_like(problem.x) for _ in range(spare)]
        inputs = [runner.adapt(x).detach().clone().requires_grad_(kind == BACKWARD) for x in inputs]
        leaves, lengths, d_output = list(runner.leaves.values()), problem.lengths, problem.d_output

        def work(index: int) -> None:
            arithmetic(dtype)
            x = inputs[index % len(inputs)]
            if kind != BACKWARD:
                with torch.no_grad():
                    runner.run(x, lengths)
            else:
                torch.autograd.grad(runner.run(x, lengths).output, [x, *leaves], d_output)

        return work

    def rounded(self, entry: Entry) -> Problem:
        """The problem as this contestant gets it."""
        return self.problem.first(entry.steps).to(TORCH_DTYPES[entry.contestant.dtype])

    def spare_inputs(self, problem: Problem) -> int:
        """Further inputs to rotate through, so that a call does not find its own in the L2 cache."""
        if self.device.type != "cuda":
            return 0
        cache = torch.cuda.get_device_properties(self.device).L2_cache_size
        return min(16, math.ceil(2 * cache / problem.x.nbytes)) - 1

    def peak(self, call: Callable[[], object]) -> float | None:
        """Megabytes that a call takes at most, beyond what is allocated before it; None on a CPU."""
        if self.device.type != "cuda":
            return None
        self.synchronize()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        call()
        self.synchronize()
        return (torch.cuda.max_memory_allocated() - before) / 1e6

    def row(self, entry: Entry, kind: str) -> Row:
        """What every row says."""
        who = entry.contestant
        note = who.note
        if entry.steps < self.case.seq_len:
            note = f"{note}; {entry.steps} of {self.case.seq_len} steps".removeprefix("; ")
        return {
            "contestant": who.name,
            "family": who.family,
            "dtype": who.dtype,
            "pass": kind,
            "seq_len": entry.steps,
            "note": note,
        }

    def failed(self, entry: Entry, kind: str, error: Exception) -> None:
        """Report a pass that gives no time.

        Raises:
            SickDevice: nothing more can run in this process.
        """
        entry.errors.pop(kind, None)
        self.emit(self.row(entry, kind) | {"failed": one_line(error)})
        # The traceback holds the failed call's tensors.
        error.__traceback__ = None
        gc.collect()
        try:
            self.release()
            self.synchronize()
        except Exception as sick:
            raise SickDevice(one_line(sick)) from None

    def synchronize(self) -> None:
        """Wait for the GPU, and meet the errors of what it ran."""
        if self.device.type == "cuda":
            torch.cuda.synchronize()

    def release(self) -> None:
        """Give memory back, so that the next pass does not run short of it for fragments."""
        if self.device.type == "cuda":
            torch.cuda.empty_cache()


def one_line(error: BaseException) -> str:
    """The error's type and first line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0] if lines else ''}".rstrip(": ")[:300]
