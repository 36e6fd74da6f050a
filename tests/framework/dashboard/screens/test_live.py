"""Live: what is drawn is what the journal says, and what its keys do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from rnnlab.dashboard.app import Dashboard
from rnnlab.dashboard.form.launch import Outcome
from rnnlab.dashboard.screens.gates_pane import GatesPane
from rnnlab.dashboard.screens.live_charts import LiveCharts, SmallChart
from rnnlab.dashboard.screens.samples_pane import SamplesPane
from rnnlab.dashboard.widgets import palette
from rnnlab.dashboard.widgets.glyphs import ASCII
from rnnlab.lab.events import Gates, Message, Metrics, RunEnded, RunStarted, Samples
from rnnlab.lab.journal import Journal

STEPS = 30
UNITS, TIME = 6, 4
LOSS = [2.5 / step for step in range(1, STEPS + 1)]
SOURCE = "the big red fox"


def gate_values(seed: int) -> list[list[float]]:
    """T lists of one number per unit."""
    return np.random.default_rng(seed).random((TIME, UNITS)).round(3).tolist()


LAYERS: list[Mapping[str, Any]] = [
    {
        "layer": layer,
        "direction": 0,
        "units": list(range(UNITS)),
        "gates": {"i": gate_values(10 * layer), "f": gate_values(10 * layer + 1)},
    }
    for layer in range(2)
]
ITEMS: list[Mapping[str, str]] = [
    {"source": SOURCE, "target": "D A A N", "prediction": "D A V N"},
    {"source": "foxes run", "target": "N V", "prediction": "N V"},
]


@pytest.fixture
def trained(make_run):
    """A labelling run with everything a journal can hold; `trained(gates=False)` has none."""

    def make(gates=True, state="finished", reason="all 30 steps done"):
        run = make_run("tags", training={"epochs": 3})
        journal = Journal(run.events_path)
        started = RunStarted(pid=1, total_steps=STEPS, parameters=1234, backend="torch", monitor="accuracy")
        journal.write(started)
        for step, loss in enumerate(LOSS, 1):
            values = {"train/loss": loss, "train/grad_norm": 1.5, "train/learning_rate": 0.001}
            values["train/tokens_per_second"] = 9214.0
            journal.write(Metrics(step=step, values=values, epoch=step / 10))
        for step in (10, 20, 30):
            values = {"val/loss": 3.0 / step, "val/accuracy": step / 40, "val/macro_f1": 0.25}
            journal.write(Metrics(step=step, values=values))
        journal.write(Message(step=STEPS, level="warning", text="the data are few"))
        journal.write(Samples(step=STEPS, split="val", items=ITEMS))
        if gates:
            journal.write(Gates(step=STEPS, split="val", source=SOURCE, layers=LAYERS))
        journal.write(RunEnded(step=STEPS, state=state, reason=reason, seconds=75.0))
        journal.close()
        run.write_status(state=state, reason=reason, step=STEPS, monitor="accuracy", total_steps=STEPS)
        return run

    return make


async def opened(stage, run, text="tags-"):
    """Live with `run` read whole."""
    await stage.until(lambda: stage.app.snapshot.find(run.id) is not None)
    stage.app.open_live(run.id)
    await stage.until(lambda: stage.app.current_mode == "live" and stage.screen.run is not None)
    await stage.until(lambda: stage.screen.run.complete and stage.screen.run.id == run.id)
    await stage.see(text)


def charts(stage) -> LiveCharts:
    return stage.screen.query_one(LiveCharts)


def gates(stage) -> GatesPane:
    return stage.screen.query_one(GatesPane)


def test_everything_drawn_is_what_the_journal_says(lab, trained, play):
    run = trained()

    async def scene(stage):
        await opened(stage, run)
        await stage.until(lambda: gates(stage).values.size)
        lines = stage.lines()
        assert lines[1].startswith(f" • {run.id}  finished  lstm h64 · tiny · torch/cpu · seed 7")
        assert lines[2].endswith("100%  step 30/30  epoch 3/3  took 01:15  9,214 tok/s  grad 1.5  lr 0.001")
        assert lines[3] == " finished: all 30 steps done"
        assert "loss  ━━ train 0.08333  ━━ val 0.1" in lines[4]
        assert lines[4].split("  ")[-1] == "0 ████████ 1"
        assert "input gate i, layer 1/2, step 30" in lines[4]
        train, val = charts(stage).big.lines
        assert train.x.tolist() == list(range(1, STEPS + 1))
        assert train.y.tolist() == LOSS
        assert val.x.tolist() == [10, 20, 30]
        assert val.y.tolist() == [0.3, 0.15, 0.1]
        small = stage.screen.query(SmallChart)
        assert [chart.metric for chart in small] == ["accuracy", "grad_norm", "learning_rate"]
        assert small[0].lines[0].y.tolist() == [0.25, 0.5, 0.75]
        assert any(
            "━━ accuracy 0.75" in line and "━━ gradient norm 1.5" in line and "━━ learning rate 0.001" in line
            for line in lines
        )
        assert gates(stage).values.tolist() == np.array(LAYERS[0]["gates"]["i"]).T.tolist()
        assert gates(stage).column_names == ("the", "big", "red", "fox")
        text = stage.text()
        assert " samples, val, step 30, 1 of 2 right " in text
        assert "in  the big red fox" in text
        assert "✗ out D   A   V   N" in text
        assert "  ref D   A   A   N" in text
        assert "✓ out N     V" in text
        assert "the data are few" in text
        assert "val/loss 0.1  val/accuracy 0.75" in text
        assert "parameters 1,234" in text
        assert "machine" in text

    play(Dashboard(lab), scene)


def test_wrong_labels_are_underlined(lab, trained, play):
    run = trained()

    async def scene(stage):
        await opened(stage, run, "samples, val")
        strips = stage.app.screen._compositor.render_strips()
        marked = {
            "".join(segment.text for segment in strip if segment.style and segment.style.underline)
            for strip in strips
        }
        assert marked == {"", "V", "A"}

    play(Dashboard(lab), scene)


def test_keys_choose_gate_and_layer(lab, trained, play):
    run = trained()

    async def scene(stage):
        await opened(stage, run)
        await stage.until(lambda: gates(stage).values.size)
        for key, title, values in (
            ("g", "forget gate f, layer 1/2", LAYERS[0]["gates"]["f"]),
            ("v", "forget gate f, layer 2/2", LAYERS[1]["gates"]["f"]),
            ("g", "input gate i, layer 2/2", LAYERS[1]["gates"]["i"]),
            ("V", "input gate i, layer 1/2", LAYERS[0]["gates"]["i"]),
            ("G", "forget gate f, layer 1/2", LAYERS[0]["gates"]["f"]),
        ):
            await stage.press(key)
            assert gates(stage).title == f"{title}, step 30"
            assert gates(stage).values.tolist() == np.array(values).T.tolist()
            assert title in stage.text()

    play(Dashboard(lab), scene)


def test_keys_of_the_big_chart(lab, trained, play):
    run = trained()

    async def scene(stage):
        await opened(stage, run)
        big = charts(stage).big
        await stage.press("m")
        assert charts(stage).metric == "accuracy"
        assert "accuracy  ━━ val 0.75" in stage.text()
        small = [chart.metric for chart in stage.screen.query(SmallChart)]
        assert small == ["loss", "grad_norm", "learning_rate"]
        await stage.press("M", "l", "s")
        assert (charts(stage).metric, big.log_y, big.smoothing) == ("loss", True, 0.6)
        assert "loss, smoothed 0.6  log  ━━ train 0.08333" in stage.text()
        await stage.press("l", "s", "s", "s", "left")
        assert (big.log_y, big.smoothing, big.cursor) == (False, 0.0, 30.0)
        assert "loss  step 30" in stage.text()
        await stage.press("escape")
        assert big.cursor is None
        await stage.pilot.click(SmallChart)
        assert charts(stage).metric == "accuracy"

    play(Dashboard(lab), scene)


def test_a_run_without_gates_says_so(lab, trained, play):
    run = trained(gates=False)

    async def scene(stage):
        await opened(stage, run, "this run wrote none")
        assert gates(stage).title == "gates"
        assert "Gate" not in stage.lines()[-1]
        await stage.press("g", "v")
        assert gates(stage).values.size == 0

    play(Dashboard(lab), scene)


def test_a_small_terminal_shows_one_pane_at_a_time(lab, trained, play):
    run = trained()

    async def scene(stage):
        await opened(stage, run, "input gate i, layer 1/2, step 30")
        lines = stage.lines()
        assert len(lines) == 24
        assert lines[2].endswith("━ 100%")
        assert lines[3] == " step 30/30  epoch 3/3  took 01:15  9,214 tok/s  grad 1.5  lr 0.001"
        assert lines[5].startswith(" loss  ━━ train 0.08333  ━━ val 0.1")
        assert "samples" not in stage.text()
        assert "9,214 tok/s" in stage.text()
        for key, shown, gone in (
            ("p", "─ samples, val, step 30, 1 of 2 right ─", "input gate"),
            ("p", "─ log ─", "samples, val"),
            ("p", "─ machine ─", "─ log ─"),
            ("p", "input gate i", "─ machine ─"),
            ("P", "─ machine ─", "input gate"),
        ):
            await stage.press(key)
            assert shown in stage.text()
            assert gone not in stage.text()
            assert "loss  ━━ train" in stage.text()
            assert stage.screen.focused.id == stage.screen.pane
        await stage.press("z")
        assert "loss  ━━ train" not in stage.text()
        assert "parameters 1,234" in stage.text()
        await stage.press("z")
        assert "─ machine ─" not in stage.text()
        assert "━━ accuracy 0.75" in stage.text()
        await stage.until(lambda: stage.screen.focused is charts(stage).big)
        await stage.press("escape")
        assert "─ machine ─" in stage.text()
        await stage.press("escape")
        await stage.until(lambda: stage.app.current_mode == "runs")

    play(Dashboard(lab), scene, size=(80, 24))


def test_a_wide_terminal_keeps_all_panes_and_moves_between_them(lab, trained, play):
    run = trained()

    async def scene(stage):
        await opened(stage, run)
        assert stage.screen.focused.id == "big"
        seen = []
        for _ in range(5):
            await stage.press("p")
            seen.append(stage.screen.focused.id)
        assert seen == ["gates", "samples", "log", "system", "gates"]
        for word in ("loss  ━━ train", "input gate i", "samples, val", "─ log ─", "─ machine ─"):
            assert word in stage.text()
        await stage.press("escape")
        assert stage.screen.focused.id == "big"

    play(Dashboard(lab), scene)


def test_plain_ascii(lab, trained, play):
    run = trained()

    async def scene(stage):
        await opened(stage, run)
        await stage.until(lambda: gates(stage).values.size)
        assert stage.text().isascii()
        assert "loss  -- train 0.08333  -- val 0.1" in stage.text()
        assert "x out D   A   V   N" in stage.text()

    play(Dashboard(lab, glyphs=ASCII), scene)


def test_splits_look_alike_in_all_charts_and_follow_the_theme(lab, trained, play):
    run = trained()

    async def scene(stage):
        await opened(stage, run)
        for theme, colours in (("textual-dark", palette.DARK), ("textual-light", palette.LIGHT)):
            stage.app.theme = theme
            await stage.pilot.pause()
            train, val = colours[:2]
            assert [line.colour.lower() for line in charts(stage).big.lines] == [train, val]
            small = [chart.lines[0].colour.lower() for chart in stage.screen.query(SmallChart)]
            assert small == [val, train, train]

    play(Dashboard(lab), scene)


def test_older_and_newer_runs(lab, trained, finished_run, play):
    older, newer = trained(), finished_run("newer", steps=5)

    async def scene(stage):
        await opened(stage, newer, newer.id)
        assert stage.lines()[1].endswith("run 2 of 2")
        await stage.press("left_square_bracket")
        await stage.until(lambda: stage.screen.run.id == older.id)
        await stage.see("run 1 of 2")
        await stage.until(lambda: stage.screen.query_one(SamplesPane).event is not None)
        await stage.press("left_square_bracket")
        assert [notice.message for notice in stage.app._notifications] == ["This is the oldest run."]
        await stage.press("right_square_bracket")
        await stage.until(lambda: stage.screen.run.id == newer.id)
        assert charts(stage).big.lines[0].y.tolist() == [1 / step for step in range(1, 6)]
        assert stage.screen.query_one(SamplesPane).event is None
        await stage.see("none yet: they come with an evaluation")

    play(Dashboard(lab), scene)


def test_an_empty_lab_says_what_to_do(lab, play):
    async def scene(stage):
        await stage.press("2")
        await stage.see(f"no runs in {lab.path}"[:60])
        assert "press 4 to launch one, or type 'rnnlab run digits' in a shell" in stage.text()
        assert "no data yet" not in stage.text()
        await stage.press("space", "m", "p", "z", "S", "u")
        assert stage.screen.paused is None

    play(Dashboard(lab), scene, size=(80, 24))


@pytest.mark.parametrize("size", [(140, 40), (80, 24)])
def test_a_failed_run_shows_its_reason_and_resumes(lab, trained, play, monkeypatch, size):
    reason = (
        "the loss is not finite at step 30: the learning rate 10 may be too high for this cell; "
        "try training.learning_rate=0.001 or training.clip_norm=1"
    )
    run = trained(state="failed", reason=reason)
    resumed = []

    async def scene(stage):
        await opened(stage, run, "failed: the loss is not finite")
        shown = " ".join(" ".join(stage.lines()[2:8]).split())
        assert f"failed: {reason}; u resumes it, r opens Launch to change it" in shown
        assert "u Resume" in stage.lines()[-1]
        assert "S Stop" not in stage.lines()[-1]
        monkeypatch.setattr(
            stage.app.launcher, "resume", lambda run: resumed.append(run.id) or Outcome(run.id)
        )
        await stage.press("u")
        await stage.until(lambda: resumed == [run.id])

    play(Dashboard(lab), scene, size=size)
