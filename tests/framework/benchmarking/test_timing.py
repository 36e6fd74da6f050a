"""What is done with times; how long anything takes is not asked."""

from __future__ import annotations

import pytest
import torch

from rnnlab.benchmarking.timing import Effort, clock, medians


class FakeClock:
    """A clock whose calls take what they say, plus what the machine adds at that moment."""

    def __init__(self, disturbances=()):
        self.asked: list[tuple[float, int]] = []
        self.disturbances = dict(disturbances)

    def __call__(self, call, number):
        self.asked.append((call(), number))
        return call() + self.disturbances.get(len(self.asked), 0.0)


def test_calls_take_turns_and_quick_ones_are_repeated_within_a_measurement():
    fake = FakeClock()
    found = medians({"slow": lambda: 2.0, "quick": lambda: 0.1}, Effort(repeats=3, seconds=1.0), fake)
    assert found == {"slow": 2.0, "quick": 0.1}
    warm_up = [(2.0, 1)] * 2 + [(0.1, 1)] * 2
    assert fake.asked == warm_up + [(2.0, 1), (0.1, 10)] * 3


def test_one_disturbed_measurement_changes_nothing():
    fake = FakeClock({4: 50.0})  # two to warm up, then the second measurement
    assert medians({"a": lambda: 1.0}, Effort(repeats=3, seconds=0.5), fake) == {"a": 1.0}


def test_nothing_to_measure():
    assert medians({}, Effort(repeats=3, seconds=0.5), FakeClock()) == {}


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_the_clocks_call_as_often_as_asked(device):
    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("needs a GPU")
    calls = []
    seconds = clock(torch.device(device))(lambda: calls.append(1), 5)
    assert len(calls) == 5
    assert seconds > 0
