import pytest
import torch
from timing import LEAST, MOST, Stopwatch, percentile, plan_samples, sample, summary


def test_percentile_lies_between_neighbours() -> None:
    assert percentile([30.0, 10.0, 20.0], 0.5) == 20.0
    assert percentile([10.0, 20.0], 0.25) == 12.5
    assert percentile([7.0], 0.9) == 7.0


def test_summary() -> None:
    found = summary([5.0, 1.0, 2.0, 3.0, 100.0], 4)
    assert (found.median, found.samples, found.calls) == (3.0, 5, 4)
    assert found.low == pytest.approx(1.4)  # 0.4 of the way from 1 to 2
    assert found.high == pytest.approx(62.0)  # 0.6 of the way from 5 to 100


@pytest.mark.parametrize(
    ("estimate", "seconds", "expected"),
    [
        (0.001, 0.1, (50, 2)),  # 2 ms a sample
        (0.5, 0.1, (LEAST, 1)),  # longer than its time: the least
        (1e-6, 10.0, (MOST, 20)),
        (0.0, 1.0, (MOST, 20)),
    ],
)
def test_plan_samples(estimate: float, seconds: float, expected: tuple[int, int]) -> None:
    assert plan_samples(estimate, seconds) == expected


class Told(Stopwatch):
    """A stopwatch that believes what each call returns."""

    def __init__(self) -> None:
        super().__init__(torch.device("cpu"))

    def seconds(self, call, calls: int, first: int = 0) -> float:
        return sum(call(index) for index in range(first, first + calls)) / calls


def test_contestants_take_turns_and_one_that_raises_leaves_the_others() -> None:
    order: list[str] = []
    runs = {"breaks": 0}
    failures: list[tuple[str, str]] = []

    def breaks(index: int) -> float:
        runs["breaks"] += 1
        if runs["breaks"] > 5:
            raise ValueError("no more")
        return 0.01

    def never(index: int) -> float:
        raise RuntimeError("cannot run")

    calls = {"slow": lambda index: 0.02, "breaks": breaks, "never": never, "fast": lambda index: 0.01}
    timings = sample(
        calls, Told(), 0.1, order.append, lambda name, error: failures.append((name, str(error)))
    )
    assert failures == [("never", "cannot run"), ("breaks", "no more")]
    assert {name: timing.median for name, timing in timings.items()} == {"slow": 0.02, "fast": 0.01}
    assert timings["slow"].samples == 5
    assert timings["fast"].samples == 10
    # Each is warmed up, then they alternate; `breaks` is gone after its third sample.
    assert order[:4] == ["slow", "breaks", "never", "fast"]
    assert order[4:13] == ["slow", "breaks", "fast"] * 3
    assert order[13:15] == ["slow", "fast"]


def test_a_failure_that_is_raised_again_ends_everything() -> None:
    def failed(name: str, error: Exception) -> None:
        raise SystemError(f"{name} took the device along")

    def broken(index: int) -> float:
        raise RuntimeError("illegal access")

    with pytest.raises(SystemError, match="first took the device along"):
        sample({"first": broken, "second": broken}, Told(), 0.1, lambda name: None, failed)


def test_stopwatch_calls_with_rising_input_numbers() -> None:
    seen: list[int] = []
    seconds = Stopwatch(torch.device("cpu")).seconds(seen.append, 3, first=4)
    assert seen == [4, 5, 6]
    assert seconds >= 0
