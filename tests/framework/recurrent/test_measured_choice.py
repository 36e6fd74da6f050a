"""`auto` by measured cost: what it takes, what it says, and what it never tries."""

from __future__ import annotations

import json

import pytest
import torch

from rnnlab.api import Backend, BackendSpec, InputError, loop
from rnnlab.recurrent import measurement
from rnnlab.recurrent.measurement import Meter, NotMeasured, Workload, measure
from rnnlab.recurrent.selection import select_backend

CPU = torch.device("cpu")
LONG, SHORT = Workload(8, 16, 10_000), Workload(8, 16, 20)


class Fake(Backend):
    """Runs the loop, counts, and takes `waits` seconds to prepare."""

    def __init__(self, refusal: str | None = None, waits: float = 0.0, fault: str = "") -> None:
        self.refusal, self.waits, self.fault = refusal, waits, fault
        self.prepared = self.runs = 0

    def supports(self, cell, device, dtype):
        return self.refusal

    def preparation(self, cell, device, dtype):
        return 0.0 if self.prepared else self.waits

    def prepare(self, cell, device, dtype):
        if self.fault:
            raise InputError(self.fault)
        self.prepared += 1
        return self.waits

    def run(self, cell, x, state, lengths=None, reverse=False):
        assert self.refusal is None, "measured though it cannot run the cell"
        self.runs += 1
        return loop(cell, x, state, lengths, reverse)


class Advised(Fake):
    def advice(self, cell, device, dtype):
        return "slow here"


class Told(Meter):
    """Gives the costs it was told, and notes which backends were asked about."""

    def __init__(self, measures: bool = True, **milliseconds: float | str) -> None:
        super().__init__(measures=measures)
        self.told, self.asked = milliseconds, []

    def costs(self, backends, probes, workload, device, dtype):
        self.asked.append(sorted(backends))
        told = {name: self.told[name] for name in backends}
        return {name: cost if isinstance(cost, str) else cost / 1000 for name, cost in told.items()}


@pytest.fixture(autouse=True)
def measuring(monkeypatch):
    monkeypatch.delenv("RNNLAB_AUTO", raising=False)


def candidates(**backends: tuple[int, Fake]):
    return [
        (BackendSpec(name, "somewhere:Fake", rank=rank, prepares=fake.waits > 0), fake)
        for name, (rank, fake) in backends.items()
    ]


def choose(installed, cell, workload=LONG, meter=None, requested="auto"):
    return select_backend(installed, requested, "leaky", [cell], CPU, torch.float32, workload, meter)


def test_the_cheapest_is_taken_and_the_figures_are_shown(leaky):
    installed = candidates(plain=(0, Fake()), fast=(10, Fake()), faster=(20, Fake()))
    chosen = choose(installed, leaky(3, 4), meter=Told(plain=7.2, fast=1.9, faster=4))
    assert (chosen.name, chosen.backend) == ("fast", installed[1][1])
    assert chosen.reason == ("fast: 1.9 ms a step against faster 4, plain 7.2 (measured here, 8 rows of 16)")


def test_of_backends_that_cost_alike_the_highest_ranked_is_taken(leaky):
    installed = candidates(plain=(0, Fake()), fast=(10, Fake()))
    assert choose(installed, leaky(3, 4), meter=Told(plain=1.0, fast=1.015)).name == "fast"
    assert choose(installed, leaky(3, 4), meter=Told(plain=1.0, fast=1.03)).name == "plain"


def test_what_cannot_run_the_cell_or_advises_against_itself_is_never_measured(leaky):
    installed = candidates(
        a=(0, Fake()), b=(1, Fake()), no=(20, Fake("no such equations")), shy=(30, Advised())
    )
    meter = Told(a=2, b=1)
    chosen = choose(installed, leaky(3, 4), meter=meter)
    assert chosen.name == "b" and meter.asked == [["a", "b"]]
    assert "no cannot run leaky on cpu in float32 (no such equations)" in chosen.reason
    assert "shy is passed over for leaky on cpu in float32 (slow here)" in chosen.reason


def test_the_only_one_that_can_is_taken_unmeasured(leaky):
    installed = candidates(plain=(0, Fake()), no=(20, Fake("no such equations")))
    meter = Told()
    assert choose(installed, leaky(3, 4), meter=meter).name == "plain" and meter.asked == []


def test_a_long_run_is_worth_a_preparation(leaky):
    installed = candidates(plain=(0, Fake()), slow_start=(5, Fake(waits=10)))
    chosen = choose(installed, leaky(3, 4), meter=Told(plain=7, slow_start=2))
    assert chosen.name == "slow_start" and installed[1][1].prepared == 1
    assert chosen.reason == (
        "slow_start: 2 ms a step against plain 7 "
        "(measured here, 8 rows of 16 after 10 s of preparation, kept for later runs)"
    )


def test_a_short_run_prepares_nothing_and_says_why(leaky):
    installed = candidates(plain=(0, Fake()), slow_start=(5, Fake(waits=10)))
    meter = Told(plain=7)
    chosen = choose(installed, leaky(3, 4), SHORT, meter)
    assert chosen.name == "plain" and installed[1][1].prepared == 0 and meter.asked == [["plain"]]
    assert "slow_start was not tried, its preparation takes about 10 s, 20 steps 0.1 s without" in (
        chosen.reason
    )


def test_what_was_prepared_before_is_measured_for_a_short_run_too(leaky):
    installed = candidates(plain=(0, Fake()), slow_start=(5, Fake(waits=10)))
    installed[1][1].prepared = 1
    assert choose(installed, leaky(3, 4), SHORT, Told(plain=7, slow_start=2)).name == "slow_start"


def test_a_preparation_that_fails_leaves_the_others(leaky):
    installed = candidates(plain=(0, Fake()), broken=(5, Fake(waits=1, fault="no compiler; use another")))
    chosen = choose(installed, leaky(3, 4), meter=Told(plain=7))
    assert chosen.name == "plain" and "no compiler; use another" in chosen.reason


def test_a_backend_that_fails_while_measured_is_left_out(leaky):
    installed = candidates(plain=(0, Fake()), broken=(5, Fake()))
    chosen = choose(installed, leaky(3, 4), meter=Told(plain=7, broken="out of memory"))
    assert chosen.name == "plain" and "broken failed (out of memory)" in chosen.reason


@pytest.mark.parametrize("how", ["environment", "no workload"])
def test_by_rank_nothing_is_measured_or_prepared(leaky, monkeypatch, how):
    if how == "environment":
        monkeypatch.setenv("RNNLAB_AUTO", "rank")
    installed = candidates(plain=(0, Fake()), slow_start=(5, Fake(waits=10)))
    chosen = choose(installed, leaky(3, 4), LONG if how == "environment" else None, Told())
    assert chosen.reason == ("plain: slow_start has to be prepared, and is taken only where it was measured")
    assert installed[1][1].prepared == 0


def test_one_that_was_asked_for_is_prepared_and_the_time_is_shown(leaky):
    installed = candidates(plain=(0, Fake()), slow_start=(5, Fake(waits=10)))
    chosen = choose(installed, leaky(3, 4), SHORT, Told(), "slow_start")
    assert chosen.reason == "slow_start: requested (10 s of preparation, kept for later runs)"


def test_a_meter_that_measures_nothing_tells_what_is_kept(leaky, tmp_path):
    installed = candidates(plain=(0, Fake()), fast=(10, Fake()))
    workload = Workload(2, 3, 10)
    first = choose(installed, leaky(3, 4), workload, Meter(tmp_path, measures=False))
    assert first.name == "fast" and first.provisional and list(tmp_path.iterdir()) == []
    assert first.reason == "fast: by rank, not measured here yet: a run measures first and may take another"
    assert not any(fake.runs for _, fake in installed)
    choose(installed, leaky(3, 4), workload, Meter(tmp_path))
    runs = [fake.runs for _, fake in installed]
    (path,) = tmp_path.iterdir()
    path.write_text(json.dumps({"costs": {"plain": 0.002, "fast": 0.009}}))
    kept = choose(installed, leaky(3, 4), workload, Meter(tmp_path))
    told = choose(installed, leaky(3, 4), workload, Meter(tmp_path, measures=False))
    assert (told.name, told.reason, told.provisional) == (kept.name, kept.reason, False)
    assert told.reason == "plain: 2 ms a step against fast 9 (measured here, 2 rows of 4)"
    assert [fake.runs for _, fake in installed] == runs
    with pytest.raises(NotMeasured):
        Meter(tmp_path, measures=False).costs({"a": Fake()}, [leaky(3, 4)], workload, CPU, torch.float32)


def test_a_meter_that_measures_nothing_has_nothing_prepared(leaky):
    installed = candidates(plain=(0, Fake()), slow_start=(5, Fake(waits=10)))
    chosen = choose(installed, leaky(3, 4), LONG, Told(measures=False, plain=7))
    assert chosen.name == "plain" and chosen.provisional and installed[1][1].prepared == 0
    assert chosen.reason == (
        "plain: by rank, not measured here yet: a run prepares slow_start (about 10 s), measures and "
        "may take another; slow_start has to be prepared, and is taken only where it was measured"
    )
    chosen = choose(installed, leaky(3, 4), SHORT, Told(measures=False, plain=7))
    assert not chosen.provisional and chosen.reason.startswith("plain: 7 ms a step (measured here")
    asked_for = choose(installed, leaky(3, 4), LONG, Told(measures=False), "slow_start")
    assert asked_for.reason == "slow_start: requested" and installed[1][1].prepared == 0


def test_a_measurement_is_kept_and_used_again(leaky, tmp_path):
    first, second = Fake(), Fake()
    workload = Workload(2, 3, 10)
    costs = Meter(tmp_path).costs({"a": first}, [leaky(3, 4)], workload, CPU, torch.float32)
    again = Meter(tmp_path).costs({"a": second}, [leaky(3, 4)], workload, CPU, torch.float32)
    assert again == costs and first.runs > measurement.ROUNDS[0] and second.runs == 0


@pytest.mark.parametrize("change", ["hidden size", "dtype", "backends", "rows"])
def test_another_setting_is_measured_anew(leaky, tmp_path, change):
    Meter(tmp_path).costs({"a": Fake()}, [leaky(3, 4)], Workload(2, 3, 10), CPU, torch.float32)
    backends = {"a": Fake(), "b": Fake()} if change == "backends" else {"a": Fake()}
    probe = leaky(3, 5 if change == "hidden size" else 4)
    dtype = torch.float64 if change == "dtype" else torch.float32
    workload = Workload(8 if change == "rows" else 2, 3, 10)
    Meter(tmp_path).costs(backends, [probe], workload, CPU, dtype)
    assert all(backend.runs for backend in backends.values())


def test_shapes_of_a_bucket_share_a_measurement():
    assert Workload(30, 60, 1).bucket() == Workload(35, 500, 1).bucket() == (32, 64)
    assert Workload(1, 1, 1).bucket() == (1, 1)


def test_measuring_draws_no_random_number_of_the_run(leaky):
    probe = leaky(3, 4)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    measure({"a": Fake()}, [probe], Workload(2, 3, 1), CPU, torch.float32)
    assert torch.equal(torch.rand(3), expected)


def test_a_cell_with_fixed_parameters_is_measured_too(leaky):
    probe = leaky(3, 4)
    next(probe.parameters()).requires_grad_(False)
    found = measure({"a": Fake()}, [probe], Workload(2, 3, 1), CPU, torch.float32)
    assert isinstance(found["a"], float)


def test_one_that_fails_at_its_second_pass_is_left_out(leaky):
    class Once(Fake):
        def run(self, *arguments, **options):
            if self.runs:
                raise RuntimeError("no more")
            return super().run(*arguments, **options)

    found = measure({"a": Fake(), "b": Once()}, [leaky(3, 4)], Workload(2, 3, 1), CPU, torch.float32)
    assert isinstance(found["a"], float) and found["b"] == "RuntimeError: no more"


def test_a_cache_that_cannot_be_written_costs_a_measurement_and_no_run(leaky, tmp_path, caplog):
    (tmp_path / "file").write_text("no folder")
    meter, backend = Meter(tmp_path / "file" / "auto"), Fake()
    costs = meter.costs({"a": backend}, [leaky(3, 4)], Workload(2, 3, 10), CPU, torch.float32)
    assert isinstance(costs["a"], float) and backend.runs
    assert "what backends cost is not kept" in caplog.text


@pytest.mark.parametrize("text", ["half of a fi", '{"costs": {"a": null}}', '{"costs": ["a"]}'])
def test_a_kept_measurement_that_makes_no_sense_is_made_again(leaky, tmp_path, text):
    arguments = ([leaky(3, 4)], Workload(2, 3, 10), CPU, torch.float32)
    Meter(tmp_path).costs({"a": Fake()}, *arguments)
    (path,) = tmp_path.glob("*.json")
    path.write_text(text)
    assert isinstance(Meter(tmp_path).costs({"a": Fake()}, *arguments)["a"], float)
