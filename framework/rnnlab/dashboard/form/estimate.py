"""How long a run will take, from how fast runs like it were in this lab."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from rnnlab.errors import InputError
from rnnlab.lab.lab import Lab

FEWEST_STEPS = 20
"""Steps below which a run says nothing of speed: it was starting up."""
NEWEST = 100
"""Past runs looked at."""
TAKEN = 5
"""Runs the median is of."""

_MODEL = ("task.", "dataset.", "cell.", "decoder.", "stack.")
_SAME = ("backend.type", "training.batch_size", "training.device", "training.dtype", "training.threads")
_ALIKE = ("dataset.type", "cell.type")


@dataclass(frozen=True)
class PastRun:
    """What a run tells of speed.

    Attributes:
        config: its flattened config, `rnnlab.config.experiment.flatten`.
        steps, seconds: optimizer steps done, and the seconds of training they took, evaluations included.
    """

    config: Mapping[str, Any]
    steps: int
    seconds: float


@dataclass(frozen=True)
class Estimate:
    """How long a run will take.

    Attributes:
        seconds: of training.
        steps_per_second: the speed it stands on.
        runs: how many runs that is the median of.
        exact: whether they had the same model, data and batches; if not, cell and data set were the same.
    """

    seconds: float
    steps_per_second: float
    runs: int
    exact: bool


def estimate(config: Mapping[str, Any], steps: int, past: Iterable[PastRun]) -> Estimate | None:
    """An estimate, None if no run was like it.

    Args:
        config: the flattened resolved config of the run to be.
        steps: optimizer steps it will take.
        past: runs of the lab, newest first.
    """
    told = [run for run in past if run.steps >= FEWEST_STEPS and run.seconds > 0]
    alike = [run for run in told if all(run.config.get(key) == config.get(key) for key in _ALIKE)]
    equal = [run for run in alike if _decisive(run.config) == _decisive(config)]
    if not alike:
        return None
    taken = (equal or alike)[:TAKEN]
    speed = median(run.steps / run.seconds for run in taken)
    return Estimate(steps / speed, speed, len(taken), bool(equal))


def past_runs(lab: Lab, newest: int = NEWEST) -> list[PastRun]:
    """The lab's newest runs that were trained, newest first. Reads two small files a run."""
    from rnnlab.config.experiment import flatten

    found = []
    for run in reversed(lab.runs()[-newest:]):
        status = run.status
        steps, seconds = status.get("step"), status.get("seconds")
        if steps and seconds:
            try:
                found.append(PastRun(flatten(run.config), steps, float(seconds)))
            except InputError:  # a config that cannot be read tells nothing
                continue
    return found


def _decisive(config: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in config.items() if key.startswith(_MODEL) or key in _SAME}
