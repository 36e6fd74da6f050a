"""A form for whatever is installed: a third party's plugin, what cannot be used, and what comes later."""

from __future__ import annotations

import re

import pytest

from rnnlab.dashboard.catalogue import Catalogue
from rnnlab.dashboard.screens.launch_editors import Choice, OnOff, TextEntry


def test_a_third_partys_plugin_has_its_form(app, at_desk):
    async def scene(stage, desk):
        await desk.go_to("cell")
        await desk.turn_to("cell", "leaky")
        await stage.see("cell · leaky")
        editors = {key: type(row.editor) for key, row in desk.rows.items() if key.startswith("cell.")}
        assert editors == {
            "cell.bias": OnOff,
            "cell.shape": Choice,
            "cell.leak": TextEntry,
            "cell.order": Choice,
            "cell.slow": OnOff,
            "cell.taps": TextEntry,
            "cell.origin": TextEntry,
        }
        await desk.go_to("cell.leak")
        await stage.see("How much is lost at each step.")
        await desk.go_to("origin")
        assert "required" in next(line for line in stage.lines() if "▸ origin " in line)
        assert desk.said("cell.origin") == "expected text, got nothing"
        await desk.type_over("here/there")  # in a text a stroke is a letter
        await desk.fill_in("taps", "3,4")
        await desk.go_to("slow")
        await stage.press("space")
        await desk.go_to("shape")
        await stage.press("right", "ctrl+r")
        await stage.until(lambda: app.opened)
        (plan,) = app.launches.plans
        assert set(plan.command.overrides) == {
            "cell=leaky",
            "cell.slow=true",
            "cell.taps=[3, 4]",
            "cell.origin=here/there",
            "cell.shape=relu",
        }

    at_desk(app, scene)


def test_what_cannot_be_used_says_why(app, at_desk):
    async def scene(stage, desk):
        await desk.go_to("cell")
        await stage.until(lambda: re.search("needy +not now: needs no_such_module", stage.text()))
        await desk.turn_to("cell", "leaky")
        await stage.press("right")  # past it: it cannot be chosen that way
        assert desk.form.value("cell") == "rnn"
        await stage.press("enter", "end", "enter")
        assert desk.form.value("cell") == "needy"
        await stage.until(lambda: desk.said("cell") == "needs no_such_module; pip install no_such_module")
        await stage.press("ctrl+r")
        assert app.launches.plans == []

    at_desk(app, scene)


def test_the_decoder_is_there_where_the_task_has_one(app, at_desk):
    async def scene(stage, desk):
        assert "decoder" not in desk.reachable
        await desk.turn_to("from", "g2p")
        await stage.see("as the encoder")
        assert "decoder" in desk.reachable
        await desk.go_to("decoder")
        await stage.press("right")
        await stage.until(lambda: desk.form.value("decoder") is not None)
        panels = [panel.section_name for panel in desk.screen.query(".section") if panel.display]
        assert panels.index("decoder") == panels.index("cell") + 1

    at_desk(app, scene)


def test_it_waits_for_the_plugins_and_what_was_typed_stays_when_more_is_known(
    make_app, quick, play, at_desk, catalogue, described
):
    app = make_app(given=None)

    async def waiting(stage):
        app.open_launch()
        await stage.see("Looking at the plugins ...")

    play(app, waiting)
    app = make_app()

    async def scene(stage, desk):
        await desk.fill_in("hidden", "32")
        row = desk.rows["stack.hidden_size"]
        entries = [each for each in described["entries"] if each["name"] != "rnn"]
        app._take_catalogue(Catalogue.from_dict({**described, "entries": entries}, fresh=True))
        await stage.until(lambda: "rnn" not in desk.rows["cell"].editor.known)
        assert app.focused is row.editor
        assert desk.command == "digits stack.hidden_size=32"

    at_desk(app, scene)


def test_plugins_that_cannot_be_looked_at_are_told(make_app, quick, play):
    app = make_app(given=Catalogue(error="the plugins could not be looked at: no python"))

    async def scene(stage):
        app.open_launch()
        await stage.see("the plugins could not be looked at: no python")
        await stage.see("`rnnlab doctor` tells more.")

    play(app, scene)


@pytest.mark.slow
def test_the_plugins_answer_what_the_schemas_cannot_tell(make_app, at_desk):
    app = make_app()

    async def scene(stage, desk):
        await desk.go_to("cell")
        await desk.turn_to("cell", "leaky")
        await desk.fill_in("origin", "x")
        await desk.fill_in("cell.leak", "0.33")
        await stage.until(lambda: desk.said("cell.leak") == "a third never works; use 0.3")
        await stage.press("ctrl+r")
        assert app.launches.plans == []
        await desk.type_over("0.3")
        await stage.until(lambda: desk.screen.bench.checker.findings.check)
        await stage.until(lambda: desk.said("cell.leak") == "")
        assert desk.form.errors() == {}

    at_desk(app, scene)
