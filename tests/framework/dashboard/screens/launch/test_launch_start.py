"""Starting a run, and the command that does the same."""

from __future__ import annotations

import os
import shlex
import signal

import pytest
from textual.events import Key

from rnnlab.dashboard.app import Dashboard
from rnnlab.dashboard.catalogue import Catalogue
from rnnlab.dashboard.form import Command, Outcome, Verdict


def test_a_start_is_exactly_the_command(app, at_desk):
    async def scene(stage, desk):
        await desk.fill_in("hidden", "32")
        await stage.press("ctrl+r")
        await stage.until(lambda: app.opened)
        assert [plan.command for plan in app.launches.plans] == [Command("digits", ("stack.hidden_size=32",))]
        assert app.opened == ["digits-1"]

    at_desk(app, scene)


def test_what_is_typed_last_counts_however_quick_the_next_key(app, at_desk):
    async def scene(stage, desk):
        await desk.fill_in("hidden", "")
        await stage.until(lambda: desk.form.text("stack.hidden_size") == "")
        for key in ("3", "2", "ctrl+r"):
            app.post_message(Key(key, key if len(key) == 1 else None))
        await stage.until(lambda: app.opened)
        assert [plan.command for plan in app.launches.plans] == [Command("digits", ("stack.hidden_size=32",))]

    at_desk(app, scene)


def test_plugins_that_are_found_while_one_types_take_nothing_away(app, at_desk, described):
    async def scene(stage, desk):
        await desk.go_to("hidden")
        editor = desk.rows["stack.hidden_size"].editor
        editor.value = ""
        await stage.until(lambda: desk.form.text("stack.hidden_size") == "")
        # Typed, and not told to anybody yet, when the plugins come.
        editor.insert_text_at_cursor("32")
        await desk.screen.bench.take_catalogue(Catalogue.from_dict(described, fresh=True))
        await stage.until(lambda: desk.command == "digits stack.hidden_size=32")
        assert editor.value == "32"

    at_desk(app, scene)


def test_what_the_start_says_is_wrong_stands_at_its_field(app, at_desk):
    async def scene(stage, desk):
        app.launches.outcome = Outcome(error="dataset.limit: more than there are")
        await stage.press("f5")
        await stage.until(lambda: app.launches.plans)
        await desk.go_to("limit")
        await stage.until(lambda: desk.said("dataset.limit") == "more than there are")
        await stage.until(lambda: desk.screen.bench.checker.findings.size)
        desk.screen.bench.checker.on_change()  # an answer that comes later takes nothing back
        assert desk.form.errors() == {"dataset.limit": "more than there are"}
        await desk.type_over("5")
        await stage.until(lambda: desk.said("dataset.limit") == "")
        assert app.opened == []

    at_desk(app, scene)


def test_what_a_dry_run_refuses_is_not_started(app, at_desk):
    refused = "cell 'lstm' does not step: RuntimeError: sizes differ (lstm.py:8)"

    async def scene(stage, desk):
        desk.screen.bench.checker.consultant.size = lambda command: Verdict((refused,))
        await desk.fill_in("hidden", "32")
        await stage.until(lambda: desk.form.errors() == {"": refused})
        await stage.press("ctrl+r")
        await stage.until(lambda: desk.notices)
        assert refused in desk.notices[-1]
        assert app.launches.plans == []
        assert "not valid: experiment" in stage.text()

    at_desk(app, scene)


def test_the_command_is_copied_and_shown(app, at_desk):
    async def scene(stage, desk):
        await desk.fill_in("description", "two words")
        await stage.press("ctrl+y")
        assert shlex.split(app.clipboard) == [
            *("rnnlab", "--plugins-dir", str(app.installation.folders[0])),
            *("run", "digits", "description=two words"),
        ]
        assert desk.notices == [app.clipboard]

    at_desk(app, scene)


def test_a_form_that_starts_from_nothing_is_started_without_a_command(app, at_desk):
    async def scene(stage, desk):
        await stage.press("left")  # the last: nothing
        await stage.see("no command yet: save it (ctrl+s)")
        await stage.press("ctrl+y")
        assert app.clipboard == ""
        await stage.press("ctrl+r")
        await stage.until(lambda: app.opened)
        (plan,) = app.launches.plans
        assert plan.command is None and plan.experiment == desk.form.experiment()

    at_desk(app, scene)


@pytest.mark.slow
def test_a_real_run_is_started_and_seen(lab, installation, catalogue, quick, at_desk):
    app = Dashboard(lab, installation)
    app.look_at_plugins = lambda anew=False: app._take_catalogue(catalogue)

    async def scene(stage, desk):
        for name, value in (("epochs", "1"), ("limit", "64"), ("hidden", "8")):
            await desk.fill_in(name, value)
        await desk.go_to("enabled")  # no MLflow
        await stage.press("space", "ctrl+r")
        await stage.until(lambda: app.current_mode == "live")
        run = lab.find(app.current_run)
        assert (run.config["training"]["epochs"], run.config["stack"]["hidden_size"]) == (1, 8)
        await stage.until(lambda: (seen := app.snapshot.find(run.id)) and seen.state == "finished")

    at_desk(app, scene)
    for run in lab.runs():
        if run.state == "running":
            os.kill(run.pid, signal.SIGKILL)
