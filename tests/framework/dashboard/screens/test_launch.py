"""The Launch screen by its keys, over the real catalogue and a third party's plugin."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from textual.widgets import Input

from rnnlab.dashboard.app import Dashboard
from rnnlab.dashboard.catalogue import Catalogue, Installation
from rnnlab.dashboard.catalogue.__main__ import catalogue as describe
from rnnlab.dashboard.form import Command, Form, Outcome, Verdict
from rnnlab.dashboard.screens import launch
from rnnlab.dashboard.screens.launch import LaunchScreen
from rnnlab.dashboard.screens.launch_dialogs import PathDialog
from rnnlab.dashboard.screens.launch_fields import Choice, OnOff, TextEntry
from rnnlab.dashboard.widgets.glyphs import ASCII, UNICODE
from rnnlab.lab.lab import Lab
from rnnlab.plugins.registry import Registry

PATIENCE = 60.0
PLUGIN = '''
from typing import Literal
from pydantic import Field, field_validator
from rnnlab.api import Cell, CellConfig, CellSpec, Step, hookimpl

class LeakyConfig(CellConfig):
    shape: Literal["tanh", "relu"] = "tanh"
    """What bends it."""
    leak: float = Field(0.5, gt=0, le=1)
    """How much is lost at each step."""
    order: Literal[1, 2] | None = None
    slow: bool = False
    taps: list[int] = [1, 2]
    origin: str

    @field_validator("leak")
    @classmethod
    def not_a_third(cls, leak):
        if leak == 0.33:
            raise ValueError("a third never works; use 0.3")
        return leak

class Leaky(Cell):
    """A leaky integrator."""

    def step(self, projected, state):
        return Step(state)

@hookimpl
def rnnlab_cells():
    yield CellSpec("leaky", f"{__name__}:Leaky", f"{__name__}:LeakyConfig", "a leaky integrator")
    yield CellSpec("needy", f"{__name__}:Leaky", requires=("no_such_module",))
'''


class Answers:
    """Stands for the processes that hold the plugins: everything is valid at once."""

    def __init__(self, installation: Installation) -> None:
        pass

    def check(self, command: Command) -> Verdict:
        return Verdict()

    def size(self, command: Command) -> Verdict:
        return Verdict(parameters=1234, steps=50, backend="torch", device="cpu")

    def restart(self) -> None:
        pass

    def close(self) -> None:
        pass


class Launches:
    """Stands for the launcher and keeps what was asked of it."""

    def __init__(self) -> None:
        self.commands: list[Command] = []
        self.forms: list[Form] = []
        self.outcome = Outcome("digits-1")

    def start_command(self, command: Command) -> Outcome:
        self.commands.append(command)
        return self.outcome

    def start(self, form: Form) -> Outcome:
        self.forms.append(form)
        return self.outcome


class Lent(Dashboard):
    """The dashboard with a catalogue that is there at once, or is given later."""

    def __init__(self, lab: Lab, installation: Installation, given: Catalogue | None, glyphs=UNICODE) -> None:
        super().__init__(lab, installation, glyphs=glyphs)
        self.given = given
        self.launches = Launches()
        self.__dict__["launcher"] = self.launches
        self.opened: list[str] = []

    def look_at_plugins(self, anew: bool = False) -> None:
        if self.given is not None:
            self._take_catalogue(self.given)

    def open_live(self, run_id: str) -> None:
        self.opened.append(run_id)

    @property
    def launch(self) -> LaunchScreen:
        assert isinstance(self.screen, LaunchScreen)
        return self.screen


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    folder = tmp_path_factory.mktemp("plugins")
    (folder / "leaky.py").write_text(PLUGIN)
    return Installation.of([folder])


@pytest.fixture(scope="module")
def catalogue(installation: Installation) -> Catalogue:
    described = describe(Registry.discover(installation.folders), load=False)
    return Catalogue.from_dict(json.loads(json.dumps(described)), fresh=True)


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("RNNLAB_RUNS_DIR", raising=False)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "Consultant", Answers)


@pytest.fixture
def app(tmp_path: Path, installation: Installation, catalogue: Catalogue, quick: None) -> Lent:
    return Lent(Lab(tmp_path / "runs"), installation, catalogue)


async def until(pilot: Any, condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, text(pilot.app)
        await pilot.pause(0.02)


def act(app: Dashboard, steps: Callable[[Any], Awaitable[None]], size: tuple[int, int] = (140, 40)) -> None:
    """Open Launch, wait for its form, and do `steps`."""

    async def scene() -> None:
        async with app.run_test(size=size) as pilot:
            await pilot.press("4")
            await until(pilot, lambda: isinstance(app.screen, LaunchScreen) and app.screen.form)
            await until(pilot, lambda: app.focused is not None)
            await steps(pilot)

    asyncio.run(scene())


def text(app: Dashboard) -> str:
    """What is on the screen."""
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)


def said(app: Lent, key: str) -> str:
    """What stands under a field, as it is on the screen."""
    region = app.launch.pane.rows[key].problem.content_region
    lines = text(app).splitlines()[region.y : region.bottom]
    return " ".join(line[region.x : region.right].strip() for line in lines)


async def go_to(pilot: Any, name: str) -> None:
    """To the first field whose name holds that, by the filter."""
    await pilot.press("ctrl+f")
    pilot.app.screen.filter_line.value = name
    await pilot.press("enter")


async def type_over(pilot: Any, value: str) -> None:
    await pilot.press("home", "ctrl+k", *["full_stop" if letter == "." else letter for letter in value])


def plugins(app: Lent) -> str:
    return f"--plugins-dir {app.installation.folders[0]}"


def test_a_field_changed_by_keyboard_changes_the_command(app):
    async def steps(pilot):
        assert app.launch.details.command == f"rnnlab {plugins(app)} run digits"
        await go_to(pilot, "hidden")
        await type_over(pilot, "32")
        assert app.launch.details.command == f"rnnlab {plugins(app)} run digits stack.hidden_size=32"
        assert "stack.hidden_size  96 → 32" in text(app)
        await until(pilot, lambda: "1,234 parameters · 50 steps" in text(app))
        await pilot.press("ctrl+z")
        await pilot.pause()
        assert app.launch.details.command == f"rnnlab {plugins(app)} run digits"
        assert "nothing differs from digits" in text(app)

    act(app, steps)


def test_the_side_pane_tells_about_the_field(app):
    async def steps(pilot):
        await go_to(pilot, "hidden")
        shown = text(app)
        assert "hidden size  stack.hidden_size" in shown
        assert "an integer >= 1 and <= 16384; default 128" in shown
        assert "Units per layer and direction (H)." in shown

    act(app, steps)


def test_what_is_wrong_stands_under_its_field_and_nothing_starts(app):
    async def steps(pilot):
        await go_to(pilot, "hidden")
        await type_over(pilot, "0")
        expected = "expected an integer >= 1 and <= 16384, got 0"
        assert said(app, "stack.hidden_size") == expected
        assert "not valid: stack.hidden_size" in text(app)
        await pilot.press("ctrl+r")
        await pilot.pause()
        assert [notice.message for notice in app._notifications] == [f"stack.hidden_size: {expected}"]
        assert app.launches.commands == [] and app.opened == []
        await type_over(pilot, "x")
        assert said(app, "stack.hidden_size") == expected.replace("got 0", "got 'x'")
        await type_over(pilot, "8")
        assert said(app, "stack.hidden_size") == ""

    act(app, steps)


def test_a_start_is_exactly_the_command(app):
    async def steps(pilot):
        await go_to(pilot, "hidden")
        await type_over(pilot, "32")
        await pilot.press("ctrl+r")
        await until(pilot, lambda: app.opened)
        assert app.launches.commands == [Command("digits", ("stack.hidden_size=32",))]
        assert app.opened == ["digits-1"]

    act(app, steps)


def test_what_the_start_says_is_wrong_stands_at_its_field(app):
    async def steps(pilot):
        app.launches.outcome = Outcome(error="dataset.limit: more than there are")
        await pilot.press("f5")
        await until(pilot, lambda: "more than there are" in said(app, "dataset.limit"))
        assert app.opened == []

    act(app, steps)


def test_another_plugin_builds_its_section_alone(app):
    async def steps(pilot):
        await go_to(pilot, "hidden")
        await type_over(pilot, "32")
        await pilot.press("escape")
        before = dict(app.launch.pane.rows)
        assert "cell.forget_bias" in before
        await go_to(pilot, "cell")
        await pilot.press("escape")  # the filter's
        await pilot.pause()
        assert app.focused is before["cell"].editor
        await pilot.press("left")
        await pilot.pause()
        after = app.launch.pane.rows
        assert app.launch.form.value("cell") == "rnn"
        assert app.focused is before["cell"].editor
        assert "cell.forget_bias" not in after and "cell.nonlinearity" in after
        kept = [key for key in after if not key.startswith("cell.")]
        assert all(after[key] is before[key] for key in kept) and "training.epochs" in kept
        assert after["stack.hidden_size"].editor.value == "32"
        assert app.launch.details.command.endswith("run digits cell=rnn stack.hidden_size=32")
        assert "cell · rnn" in text(app)

    act(app, steps)


def test_a_choice_is_opened_and_chosen_from(app):
    async def steps(pilot):
        await go_to(pilot, "backend")
        await pilot.press("enter", "down", "enter")
        await pilot.pause()
        named = app.launch.form.value("backend")
        assert named in [entry.name for entry in app.catalogue.of("backend")]
        assert app.launch.details.command.endswith(f"run digits backend={named}")

    act(app, steps)


def test_a_third_partys_plugin_has_its_form(app):
    async def steps(pilot):
        await go_to(pilot, "cell")
        while app.launch.form.value("cell") != "leaky":
            await pilot.press("right")
            await pilot.pause()
        rows = app.launch.pane.rows
        editors = {key: type(row.editor) for key, row in rows.items() if key.startswith("cell.")}
        assert editors == {
            "cell.bias": OnOff,
            "cell.shape": Choice,
            "cell.leak": TextEntry,
            "cell.order": Choice,
            "cell.slow": OnOff,
            "cell.taps": TextEntry,
            "cell.origin": TextEntry,
        }
        assert "required" in next(line for line in text(app).splitlines() if " origin " in line)
        assert said(app, "cell.origin") == "expected text, got nothing"
        await go_to(pilot, "slow")
        await pilot.press("space")
        await go_to(pilot, "taps")
        await type_over(pilot, "3,4")
        await go_to(pilot, "origin")
        await type_over(pilot, "here/there")  # here a stroke is a letter
        await go_to(pilot, "shape")
        await pilot.press("right")
        await pilot.pause()
        await pilot.press("ctrl+r")
        await until(pilot, lambda: app.opened)
        (command,) = app.launches.commands
        assert set(command.overrides) == {
            "cell=leaky",
            "cell.slow=true",
            "cell.taps=[3, 4]",
            "cell.origin=here/there",
            "cell.shape=relu",
        }

    act(app, steps)


def test_what_cannot_be_used_says_why(app):
    async def steps(pilot):
        await go_to(pilot, "cell")
        assert "needy not now: module no_such_module" in " ".join(text(app).split())
        await pilot.press("enter", "end", "enter")
        await pilot.pause()
        assert app.launch.form.value("cell") == "needy"
        await pilot.press("ctrl+r")
        await pilot.pause()
        assert app.launches.commands == []

    act(app, steps)


def test_the_filter_shows_fields_by_name(app):
    async def steps(pilot):
        await pilot.press("slash", *"drop")
        await pilot.pause()
        names = [row.key for row in app.launch.pane.reachable()]
        assert names == ["task.dropout", "stack.dropout"]
        await pilot.press("down", "down")
        assert app.focused is app.launch.pane.rows["stack.dropout"].editor
        await pilot.press("slash")  # a number has no stroke
        assert app.focused is app.launch.filter_line
        await pilot.press("escape")
        await pilot.pause()
        assert len(app.launch.pane.reachable()) > 40
        assert app.focused is app.launch.pane.rows["stack.dropout"].editor

    act(app, steps)


def test_arrows_and_pages_move_and_escape_frees_the_keys(app):
    async def steps(pilot):
        rows = app.launch.pane.rows
        assert app.focused is rows["from"].editor
        await pilot.press("down", "down", "tab")
        assert app.focused is rows["cell"].editor
        await pilot.press("up", "shift+tab")
        assert app.focused is rows["task"].editor
        await pilot.press("pagedown")
        assert app.focused is rows["name"].editor
        await pilot.press("pagedown", "down", "pageup")
        assert app.focused is rows["name"].editor
        await pilot.press("escape")
        assert app.focused is None
        await pilot.press("down")
        assert app.focused is rows["name"].editor
        await pilot.press("escape", "1")
        await until(pilot, lambda: app.current_mode == "runs")
        await pilot.press("4")
        await until(pilot, lambda: app.current_mode == "launch")
        assert app.launch.form.text("name") == "digits"

    act(app, steps)


def test_the_decoder_is_there_where_the_task_has_one(app):
    async def steps(pilot):
        assert not app.launch.pane.choices["decoder"].display
        while app.launch.form.base.source != "g2p":
            await pilot.press("right")
            await pilot.pause()
        assert app.launch.pane.choices["decoder"].display
        assert "as the encoder" in text(app)
        await go_to(pilot, "decoder")
        await pilot.press("right", "escape")
        await pilot.pause()
        panels = [panel.section_name for panel in app.launch.pane.query(".section") if panel.display]
        assert panels.index("decoder") == panels.index("cell") + 1

    act(app, steps)


def test_coming_back_to_a_preset_brings_back_what_was_changed(app):
    async def steps(pilot):
        await go_to(pilot, "hidden")
        await type_over(pilot, "32")
        await go_to(pilot, "start")
        await pilot.press("right")
        await pilot.pause()
        assert app.launch.details.command.endswith(" run digits-rows")
        await pilot.press("left")
        await pilot.pause()
        assert app.launch.details.command.endswith(" run digits stack.hidden_size=32")
        await pilot.press("ctrl+z")  # on this field: everything
        await pilot.pause()
        assert app.launch.details.command.endswith(" run digits")
        assert app.launch.pane.rows["stack.hidden_size"].editor.value == "96"

    act(app, steps)


def test_the_command_is_copied_and_shown(app):
    async def steps(pilot):
        await pilot.press("ctrl+y")
        await pilot.pause()
        assert app.clipboard == app.launch.details.command == f"rnnlab {plugins(app)} run digits"
        assert [notice.message for notice in app._notifications] == [app.clipboard]

    act(app, steps)


def test_saved_and_opened_and_never_overwritten_unasked(app, tmp_path):
    saved = tmp_path / "digits.yaml"
    saved.write_text("mine")

    async def steps(pilot):
        await go_to(pilot, "hidden")
        await type_over(pilot, "32")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, PathDialog))
        await pilot.press("enter")
        await pilot.pause()
        assert "digits.yaml exists; enter again replaces it" in text(app)
        assert saved.read_text() == "mine"
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, LaunchScreen) and saved.read_text() != "mine")
        written = yaml.safe_load(saved.read_text())
        assert (written["stack"]["hidden_size"], written["cell"]["type"]) == (32, "lstm")
        await pilot.press("ctrl+o")
        await until(pilot, lambda: isinstance(app.screen, PathDialog))
        await pilot.press(*"nothing", "enter")
        await pilot.pause()
        assert "there is no file nothing" in text(app)
        app.screen.query_one(Input).value = str(saved)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, LaunchScreen))
        await until(pilot, lambda: app.launch.form.base.source == str(saved))
        await until(pilot, lambda: app.launch.details.command.endswith(f" run {saved}"))
        assert app.launch.pane.rows["stack.hidden_size"].editor.value == "32"
        assert app.launch.pane.rows["from"].shown == "digits.yaml"

    act(app, steps)


def test_a_form_that_starts_from_nothing_gets_its_command_by_saving(app, tmp_path):
    async def steps(pilot):
        await pilot.press("left")  # the last: nothing
        await pilot.pause()
        assert app.launch.form.base.source is None
        assert "no command yet: save it (ctrl+s)" in text(app)
        await pilot.press("ctrl+r")
        await until(pilot, lambda: app.opened)
        (form,) = app.launches.forms
        assert form.experiment() == app.launch.form.experiment() and form is not app.launch.form
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, PathDialog))
        await pilot.press("enter")
        path = tmp_path / "experiment.yaml"
        await until(pilot, lambda: isinstance(app.screen, LaunchScreen) and app.launch.form.base.source)
        assert app.launch.details.command.endswith(f" run {path}")

    act(app, steps)


def test_a_run_fills_the_form_in(app):
    run = app.lab.create_run("digits")
    config = {"name": "again", "cell": {"type": "rnn"}, "stack": {"hidden_size": 7}}
    run.config_path.write_text(yaml.safe_dump(config))

    async def steps(pilot):
        app.open_launch(run.id)
        await until(pilot, lambda: app.launch.form.base.source == str(run.config_path))
        await until(pilot, lambda: app.launch.pane.rows["stack.hidden_size"].editor.value == "7")
        assert app.launch.pane.rows["cell"].editor.value == "rnn"
        assert app.launch.pane.rows["from"].shown == f"run {run.id}"
        assert said(app, "task").startswith("expected one of")  # it says none
        assert app.launch.pane.rows["name"].editor.value == "again"

    act(app, steps)


def test_it_waits_for_the_plugins_and_what_was_typed_stays_when_more_is_known(app, catalogue):
    app.given = None

    async def scene():
        async with app.run_test(size=(140, 40)) as pilot:
            app.open_launch()
            await until(pilot, lambda: "Looking at the plugins" in text(app))
            app._take_catalogue(catalogue)
            await until(pilot, lambda: "start from" in text(app) and app.focused)
            await go_to(pilot, "hidden")
            await type_over(pilot, "32")
            rows = dict(app.launch.pane.rows)
            again = describe(Registry.discover(app.installation.folders), load=False)
            entries = [each for each in again["entries"] if each["name"] != "rnn"]
            app._take_catalogue(Catalogue.from_dict({**again, "entries": entries}, fresh=True))
            await until(pilot, lambda: "rnn" not in app.launch.pane.rows["cell"].editor.known)
            assert app.focused is rows["stack.hidden_size"].editor
            assert app.launch.details.command.endswith("stack.hidden_size=32")

    asyncio.run(scene())


@pytest.mark.parametrize("size", [(140, 40), (80, 24)])
@pytest.mark.parametrize("glyphs", [UNICODE, ASCII])
def test_nothing_is_cut_at_either_size(tmp_path, installation, catalogue, quick, size, glyphs):
    app = Lent(Lab(tmp_path / "runs"), installation, catalogue, glyphs)

    async def steps(pilot):
        await go_to(pilot, "bidirectional")
        await pilot.press("escape")
        await until(pilot, lambda: "1,234 parameters" in text(app))
        shown = text(app)
        assert all(len(line) <= size[0] for line in shown.splitlines())
        assert f"{glyphs.cursor} bidirectional        {glyphs.mark}{glyphs.swatch * 2} off" in shown
        flat = "".join(shown.split())
        assert "Readthesequenceinbothdirections" in flat and "Starts"[:3] in flat
        assert "$rnnlab--plugins-dir" in flat and "rundigits" in flat
        assert glyphs is UNICODE or shown.isascii(), [c for c in shown if not c.isascii()]
        if size[0] == 80:
            assert "differs from" not in shown
            await pilot.press("f2")
            await pilot.pause()
            assert "nothing differs from digits" in text(app) and "bidirectional        " not in text(app)
            await pilot.press("escape")
            await pilot.pause()
            assert app.focused is app.launch.pane.rows["stack.bidirectional"].editor

    act(app, steps, size)


def test_the_plugins_answer_what_the_schemas_cannot_tell(tmp_path, installation, catalogue):
    app = Lent(Lab(tmp_path / "runs"), installation, catalogue)

    async def steps(pilot):
        app.launch.form.choose("cell", "leaky")
        await app.launch.pane.sync(app.launch.form)
        await go_to(pilot, "origin")
        await type_over(pilot, "x")
        await go_to(pilot, "cell.leak")
        await type_over(pilot, "0.33")
        await until(pilot, lambda: said(app, "cell.leak") == "a third never works; use 0.3")
        await pilot.press("ctrl+r")
        await pilot.pause()
        assert app.launches.commands == []
        await type_over(pilot, "0.3")
        await until(pilot, lambda: "valid" in text(app) and "not valid" not in text(app))
        assert "third" not in text(app)

    act(app, steps)


@pytest.mark.slow
def test_a_real_run_is_started_and_seen(tmp_path, installation, catalogue):
    app = Dashboard(Lab(tmp_path / "runs"), installation)
    app.look_at_plugins = lambda anew=False: app._take_catalogue(catalogue)

    async def steps(pilot):
        for name, value in (("epochs", "1"), ("limit", "64"), ("hidden", "8")):
            await go_to(pilot, name)
            await type_over(pilot, value)
        await go_to(pilot, "enabled")  # no MLflow
        await pilot.press("space", "ctrl+r")
        await until(pilot, lambda: app.current_mode == "live")
        run = app.lab.find(app.current_run)
        assert (run.config["training"]["epochs"], run.config["stack"]["hidden_size"]) == (1, 8)
        await until(
            pilot, lambda: app.snapshot.find(run.id) and app.snapshot.find(run.id).state == "finished"
        )

    act(app, steps)
    for run in app.lab.runs():
        if run.pid:
            os.kill(run.pid, signal.SIGKILL)
