"""The run's own logic: budget, lost workers, what is kept."""

from typing import Any

import pytest
from cases import Case
from measure import Settings
from runner import LIVES, Run, Worker
from worker import Job

SETTINGS = Settings("cpu", 0.1, loops=False)


def case(hidden_size: int, seq_len: int = 512) -> Case:
    return Case("sizes", "bfloat16", seq_len=seq_len, batch_size=16, input_size=8, hidden_size=hidden_size)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Script:
    """A worker that takes a given time and answers as told."""

    def __init__(self, clock: Clock, seconds: float, loses: dict[str, str] | None = None) -> None:
        self.clock, self.seconds, self.loses = clock, seconds, loses or {}
        self.jobs: list[Job] = []

    def ask(self, job: Job, hear) -> str | None:
        self.jobs.append(job)
        self.clock.now += self.seconds
        if job.case is None:
            hear("ceilings", {"copy_bytes_per_second": 1e12})
            return None
        for name, family in (("rnnlab", "rnnlab"), ("nn.LSTM", "torch")):
            if name in job.excluded:
                continue
            hear("at", name)
            if name in self.loses:
                return self.loses[name]
            for kind in ("forward", "forward+backward"):
                row = {
                    "contestant": name,
                    "family": family,
                    "dtype": "bfloat16",
                    "pass": kind,
                    "seq_len": 512,
                }
                hear("row", row | {"note": "", "ms": 1.0})
        return None

    def end(self, kill: bool) -> None:
        pass


def start(script: Script, clock: Clock, budget: float) -> tuple[Run, dict[str, Any], list[int]]:
    result: dict[str, Any] = {"ceilings": {}, "cases": [], "skipped": []}
    saved: list[int] = []
    run = Run(
        result,
        SETTINGS,
        lambda: saved.append(len(result["cases"])),
        lambda: script,  # type: ignore[arg-type,return-value]
        budget,
        clock,
        say=lambda line: None,
    )
    return run, result, saved


def test_what_does_not_fit_is_skipped_and_smaller_cases_still_run() -> None:
    clock = Clock()
    run, result, saved = start(Script(clock, 0.5), clock, 3.0)
    cases = [case(64), case(64, seq_len=200_000), case(128)]
    assert run.raw(cases[0]) == pytest.approx(1.512)  # 0.4 s for each of two contestants, 0.712 s of check
    run.cases(cases)
    assert [record["hidden_size"] for record in result["cases"]] == [64, 128]
    assert len(result["skipped"]) == 1
    assert result["skipped"][0]["case"] == cases[1].name
    assert result["skipped"][0]["reason"].endswith("2.5 s were left")
    assert saved == [1, 2]
    assert [record["seconds"] for record in result["cases"]] == [0.5, 0.5]


def test_cases_that_take_longer_than_predicted_are_believed() -> None:
    clock = Clock()
    run, result, _ = start(Script(clock, 5.0), clock, 9.0)
    run.cases([case(64), case(128), case(256)])
    # After one case of 5 s instead of 1.5 s the next is expected to take 5 s; 4 s are left.
    assert [record["hidden_size"] for record in result["cases"]] == [64]
    assert [skip["reason"] for skip in result["skipped"]] == ["expected 5.0 s, 4.0 s were left"] * 2


def test_time_before_the_cases_counts() -> None:
    clock = Clock()
    run, result, saved = start(Script(clock, 2.0), clock, 3.0)
    run.ceilings()
    assert result["ceilings"] == {"copy_bytes_per_second": 1e12}
    run.cases([case(64)])
    assert result["cases"] == []
    assert saved == [0]


def test_who_takes_the_worker_along_gets_a_row_and_the_rest_is_measured() -> None:
    clock = Clock()
    script = Script(clock, 0.1, {"rnnlab": "its process ended with exit code -11"})
    run, result, _ = start(script, clock, 60.0)
    run.cases([case(64)])
    assert [job.excluded for job in script.jobs] == [frozenset(), frozenset({"rnnlab"})]
    record = result["cases"][0]
    assert record["lost_workers"] == ["rnnlab: its process ended with exit code -11"]
    rows = {(row["contestant"], row["pass"]): row for row in record["rows"]}
    for kind in ("forward", "forward+backward"):
        assert rows["rnnlab", kind]["failed"] == "its process ended with exit code -11"
        assert rows["nn.LSTM", kind]["ms"] == 1.0


def test_a_case_does_not_use_up_workers_without_end() -> None:
    clock = Clock()

    class Dead(Script):
        def ask(self, job: Job, hear) -> str | None:
            self.jobs.append(job)
            return "its process ended with exit code 1"

    script = Dead(clock, 0.1)
    run, result, _ = start(script, clock, 60.0)
    run.cases([case(64)])
    assert len(script.jobs) == LIVES
    assert len(result["cases"][0]["lost_workers"]) == LIVES


def test_a_silent_worker_is_ended() -> None:
    worker = Worker(SETTINGS, patience=0.05)  # It takes longer to import torch.
    lost = worker.ask(Job(case(8)), lambda kind, what: None)
    assert lost == "no answer in 0 s; its process was ended"
    assert not worker.process.is_alive()


def test_a_worker_that_dies_is_noticed() -> None:
    worker = Worker(SETTINGS, patience=30.0)
    worker.process.kill()
    worker.process.join()
    assert worker.ask(Job(case(8)), lambda kind, what: None) == "its process ended with exit code -9"
