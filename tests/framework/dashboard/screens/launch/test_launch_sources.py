"""What a form starts from: presets, nothing, files, runs."""

from __future__ import annotations

import yaml
from textual.widgets import Input

from rnnlab.dashboard.screens.launch import LaunchScreen
from rnnlab.dashboard.screens.launch_dialogs import PathDialog


def test_coming_back_to_a_preset_brings_back_what_was_changed(app, at_desk):
    async def scene(stage, desk):
        await desk.fill_in("hidden", "32")
        await desk.go_to("start")
        await stage.press("right")
        await stage.until(lambda: desk.command == "digits-rows")
        await stage.press("left")
        await stage.until(lambda: desk.command == "digits stack.hidden_size=32")
        await stage.press("ctrl+z")  # on this field: everything
        await stage.until(lambda: desk.command == "digits")
        assert desk.rows["stack.hidden_size"].editor.value == "96"

    at_desk(app, scene)


def test_saved_and_opened_and_never_overwritten_unasked(app, at_desk, tmp_path):
    saved = tmp_path / "digits.yaml"
    saved.write_text("mine")

    async def scene(stage, desk):
        await desk.fill_in("hidden", "32")
        await stage.press("ctrl+s")
        await stage.until(lambda: isinstance(app.screen, PathDialog))
        await stage.press("enter")
        await stage.see("digits.yaml exists; enter again replaces it, esc cancels")
        assert saved.read_text() == "mine"
        await stage.press("enter")
        await stage.until(lambda: isinstance(app.screen, LaunchScreen) and saved.read_text() != "mine")
        written = yaml.safe_load(saved.read_text())
        assert (written["stack"]["hidden_size"], written["cell"]["type"]) == (32, "lstm")
        assert desk.command == "digits stack.hidden_size=32"  # the preset still says the same
        await stage.press("ctrl+o")
        await stage.until(lambda: isinstance(app.screen, PathDialog))
        await stage.press(*"nothing", "enter")
        await stage.see("there is no file nothing")
        app.screen.query_one(Input).value = str(saved)
        await stage.press("enter")
        await stage.until(lambda: isinstance(app.screen, LaunchScreen))
        await stage.until(lambda: desk.command == str(saved))
        assert desk.rows["stack.hidden_size"].editor.value == "32"
        assert desk.rows["from"].shown == "digits.yaml"

    at_desk(app, scene)


def test_a_form_that_starts_from_nothing_gets_its_command_by_saving(app, at_desk, tmp_path):
    async def scene(stage, desk):
        await stage.press("left")  # the last: nothing
        await desk.fill_in("hidden", "32")
        assert desk.command == ""
        await stage.press("ctrl+s")
        await stage.until(lambda: isinstance(app.screen, PathDialog))
        await stage.press("enter")
        path = tmp_path / "experiment.yaml"
        await stage.until(lambda: isinstance(app.screen, LaunchScreen) and desk.command == str(path))
        await desk.go_to("start")
        await desk.turn_to("from", "nothing")
        await stage.until(lambda: desk.form.base.source is None)
        assert desk.rows["stack.hidden_size"].editor.value == "128"  # a new one

    at_desk(app, scene)


def test_a_run_fills_the_form_in(app, at_desk):
    run = app.lab.create_run("digits")
    config = {"name": "again", "cell": {"type": "rnn"}, "stack": {"hidden_size": 7}}
    run.config_path.write_text(yaml.safe_dump(config))

    async def scene(stage, desk):
        app.open_launch(run.id)
        await stage.until(lambda: desk.form.base.source == str(run.config_path))
        await stage.until(lambda: desk.rows["stack.hidden_size"].editor.value == "7")
        assert desk.rows["cell"].editor.value == "rnn"
        assert desk.rows["from"].shown == f"run {run.id}"
        await stage.until(lambda: desk.said("task").startswith("expected one of"))  # it says none
        assert desk.rows["name"].editor.value == "again"

    at_desk(app, scene)


def test_a_file_that_is_no_experiment_changes_nothing(app, at_desk, tmp_path):
    (tmp_path / "bad.yaml").write_text("cell: [1, 2]\n")

    async def scene(stage, desk):
        await stage.press("ctrl+o")
        await stage.until(lambda: isinstance(app.screen, PathDialog))
        app.screen.query_one(Input).value = "bad.yaml"
        await stage.press("enter")
        await stage.until(lambda: desk.notices)
        assert desk.notices[0].endswith("bad.yaml: cell: expected a mapping of options, got [1, 2]")
        assert desk.command == "digits"

    at_desk(app, scene)
