from dataclasses import replace
from typing import Any

import measure
import pytest
import torch
from cases import Case
from checking import PASSES, check_steps
from measure import Ring, Settings, one_line
from problem import Outputs, Problem, lstm_step, solve
from rivals import Contestant, Runner, contestants

CASE = Case("lengths", "float32", seq_len=5, batch_size=3, input_size=4, hidden_size=8, ragged=True)
SETTINGS = Settings("cpu", 0.001)


class Loop(Runner):
    """The loop itself, or a wrong variant of it."""

    def __init__(self, problem: Problem, fault: str = "") -> None:
        self.problem, self.fault = problem.trainable(), fault
        self.leaves = self.problem.weights()

    def run(self, x: torch.Tensor, lengths: torch.Tensor | None) -> Outputs:
        if self.fault == "raises":
            raise torch.OutOfMemoryError("CUDA out of memory.\nTried to allocate")
        step = None
        if self.fault == "gates swapped":
            step = lambda projection, weight, h, c: lstm_step(projection.flip(1), weight, h, c)  # noqa: E731
        outputs = solve(
            replace(self.problem, x=x, lengths=None if self.fault == "mask ignored" else lengths), step
        )
        if self.fault == "last step dropped":
            return replace(outputs, h_n=outputs.output[-2][None])
        if self.fault == "not a number":
            return replace(outputs, output=outputs.output * float("nan"))
        if self.fault == "wrong gradient" and torch.is_grad_enabled():
            return replace(
                outputs, output=outputs.output.detach() + 0.5 * (outputs.output - outputs.output.detach())
            )
        return outputs


def run(monkeypatch: pytest.MonkeyPatch, faults: tuple[str, ...], **more: Any) -> dict[tuple[str, str], Any]:
    ring = [
        Contestant(fault or "right", "rnnlab", "float32", lambda p, fault=fault: Loop(p, fault))
        for fault in faults
    ]
    monkeypatch.setattr(measure, "contestants", lambda case, **options: ring)
    rows: list[dict[str, Any]] = []
    Ring(CASE, SETTINGS, rows.append, lambda who: None, **more).measure()
    return {(row["contestant"], row["pass"]): row for row in rows}


FAULTS = ("gates swapped", "mask ignored", "last step dropped", "not a number")


def test_who_is_wrong_is_told_and_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = run(monkeypatch, (*FAULTS, "", "wrong gradient"))
    for fault in FAULTS:
        for kind in PASSES:
            row = rows[fault, kind]
            assert "ms" not in row
            assert row["failed"].startswith("WrongResult: ")
    assert rows["wrong gradient", "forward"]["ms"] > 0
    assert "d_x is off by 5.0e-01" in rows["wrong gradient", "forward+backward"]["failed"]
    for kind in PASSES:
        assert rows["right", kind]["ms"] > 0
        assert rows["right", kind]["error"] < 1e-5


def test_a_failing_contestant_is_a_row_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = run(monkeypatch, ("raises", ""))
    for kind in PASSES:
        assert rows["raises", kind]["failed"] == "OutOfMemoryError: CUDA out of memory."
        assert rows["right", kind]["ms"] > 0
    assert len(rows) == 4


def test_excluded_contestants_do_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = run(monkeypatch, ("raises", ""), excluded=frozenset({"raises"}))
    assert {name for name, _ in rows} == {"right"}


def test_loops_run_fewer_steps_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    short = Contestant("loop", "loop", "float32", Loop, max_steps=2, note="slow")
    monkeypatch.setattr(measure, "contestants", lambda case, **options: [short])
    rows: list[dict[str, Any]] = []
    Ring(CASE, SETTINGS, rows.append, lambda who: None).measure()
    assert [(row["seq_len"], row["note"]) for row in rows] == [(2, "slow; 2 of 5 steps")] * 2
    assert all(row["us_per_step"] == pytest.approx(row["ms"] * 1e3 / 2) for row in rows)


def test_the_check_is_cut_where_the_truth_would_not_fit() -> None:
    large = replace(CASE, seq_len=512, batch_size=256, hidden_size=2048)
    assert check_steps(CASE) == 5
    assert check_steps(large) == int(6e9 / (80 * 256 * 4 * 2048))


@pytest.mark.parametrize(
    ("case", "names"),
    [
        (CASE, ["rnnlab", "packed nn.LSTM", "ground truth", "torch.compile"]),
        (
            replace(CASE, ragged=False, group="depth"),
            ["rnnlab", "rnnlab.LSTM", "nn.LSTM", "ground truth", "torch.compile"],
        ),
        (
            replace(CASE, ragged=False, cell="rnn", group="rnn"),
            ["rnnlab", "nn.RNN", "ground truth", "torch.compile"],
        ),
        (
            replace(CASE, ragged=False, heads=2, part="recurrence", group="flashrnn"),
            ["rnnlab", "FlashRNN triton_fused", "FlashRNN cuda_fused", "ground truth", "torch.compile"],
        ),
    ],
)
def test_who_takes_part(case: Case, names: list[str]) -> None:
    found = contestants(case, compiled=True, flashrnn=("triton_fused", "cuda_fused"))
    assert [who.name for who in found] == names


def test_one_line() -> None:
    assert one_line(ValueError("\n  first\nsecond")) == "ValueError: first"
    assert one_line(KeyError()) == "KeyError"
