"""What the dashboard does whatever screen is open: opening screens, help, the palette, mouse, colours."""

import threading

import pytest

from rnnlab.dashboard.app import Dashboard
from rnnlab.dashboard.form.launch import Outcome
from rnnlab.dashboard.screens.confirm import Confirm
from rnnlab.dashboard.screens.frame import TABS
from rnnlab.dashboard.screens.help import HelpPanel
from rnnlab.dashboard.screens.runs import RunsScreen
from rnnlab.dashboard.widgets.glyphs import ASCII
from rnnlab.dashboard.widgets.run_table import RunTable

SCREENS = [(key, mode) for key, mode, _ in TABS if mode != "sweeps"]


def told(stage):
    """What the dashboard has notified, as text."""
    return [notification.message for notification in stage.app._notifications]


def column_of(line, text):
    """The middle of `text` in a line of the screen."""
    return line.index(text) + len(text) // 2


def test_keys_open_the_screens(play, lab):
    async def scene(stage):
        for key, mode in SCREENS[1:] + SCREENS[:1]:
            await stage.press(key)
            assert stage.app.current_mode == mode

    play(Dashboard(lab), scene)


def test_keys_that_follow_at_once_are_the_new_screens(play, lab):
    async def scene(stage):
        await stage.press("2", "6", "question_mark")
        assert isinstance(stage.screen, HelpPanel)
        await stage.see("Cells, tasks, data sets")

    play(Dashboard(lab), scene)


def test_sweeps_says_that_it_is_not_there(play, lab):
    async def scene(stage):
        await stage.press("5")
        await stage.see("Sweeps are not there yet")
        assert stage.app.current_mode == "runs"

    play(Dashboard(lab), scene, notifications=True)


def test_tabs_and_keys_can_be_clicked(play, lab, finished_run):
    run = finished_run()

    async def scene(stage):
        await stage.see("1 run")
        for _, mode, label in (tab for tab in TABS if tab[1] != "sweeps"):
            await stage.pilot.click(offset=(column_of(stage.lines()[0], label), 0))
            await stage.until(lambda mode=mode: stage.app.current_mode == mode)
        await stage.press("1")
        await stage.until(lambda: stage.app.current_mode == "runs")
        await stage.pilot.click(offset=(column_of(stage.lines()[-1], "Mark"), 39))
        await stage.until(lambda: stage.app.marked == (run.id,))
        await stage.pilot.click(offset=(column_of(stage.lines()[-1], "? Help"), 39))
        await stage.until(lambda: isinstance(stage.screen, HelpPanel))

    play(Dashboard(lab), scene)


@pytest.mark.parametrize(("key", "mode"), SCREENS)
def test_help_tells_each_key_of_a_screen_with_its_name(play, lab, finished_run, key, mode):
    finished_run()

    async def scene(stage):
        await stage.press(key)
        await stage.pilot.pause()
        own = [each.binding for each in stage.screen.active_bindings.values() if each.node is stage.screen]
        ours = [binding for binding in own if binding.id]
        await stage.press("f1")
        assert isinstance(stage.screen, HelpPanel)
        text = "\n".join(str(part) for part in stage.screen._text)
        assert text.startswith(stage.app.screen_stack[-2].ABOUT)
        assert len(ours) >= 2
        for binding in ours:
            (line,) = (line for line in text.splitlines() if line.endswith(f"  {binding.id}"))
            assert binding.tooltip in line
        assert "Close the dashboard; runs go on  app.quit" in text
        await stage.press("escape")
        assert not isinstance(stage.screen, HelpPanel)

    play(Dashboard(lab), scene)


@pytest.mark.parametrize("size", [(140, 40), (80, 24), (40, 10)])
def test_help_fits_and_scrolls(play, lab, size):
    async def scene(stage):
        await stage.press("question_mark")
        await stage.see("Every run of the lab")
        await stage.press("end")
        await stage.until(lambda: "app.help" in stage.text())
        assert all(len(line) <= size[0] for line in stage.lines())

    play(Dashboard(lab), scene, size)


def test_the_palette_offers_screens_keys_and_help_once_each(play, lab):
    async def scene(stage):
        offered = [command.title for command in stage.app.get_system_commands(stage.screen)]
        assert offered[: len(TABS)] == [f"Open {label}" for _, _, label in TABS]
        assert sorted(set(offered)) == sorted(offered)
        assert {"Filter", "Stop", "Resume", "Delete", "Help", "Theme", "Quit", "Screenshot"} <= set(offered)

    play(Dashboard(lab), scene)


@pytest.mark.parametrize("glyphs", [None, ASCII], ids=["unicode", "ascii"])
def test_the_palette_opens_screens_and_does_what_keys_do(play, lab, glyphs):
    async def scene(stage):
        await stage.press("ctrl+p")
        await stage.type("openplug")
        await stage.see("The screen Plugins")
        if glyphs is ASCII:
            assert stage.text().isascii()
        await stage.press("enter")
        await stage.until(lambda: stage.app.current_mode == "plugins")
        await stage.press("ctrl+p")
        await stage.type("problems")
        await stage.see("Only what does not work, or all again (b)")
        await stage.press("enter")
        await stage.see("problems only")

    play(Dashboard(lab, glyphs=glyphs), scene)


def test_ctrl_c_says_how_to_leave(play, lab):
    async def scene(stage):
        await stage.press("ctrl+c")
        await stage.see("q closes the dashboard. Runs go on")
        assert stage.app.is_running

    play(Dashboard(lab), scene, notifications=True)


def test_q_ends_it_with_code_0_and_the_follower(play, lab):
    app = Dashboard(lab)

    async def scene(stage):
        await stage.press("q")

    play(app, scene)
    assert app.return_code == 0
    assert "rnnlab-follower" not in {thread.name for thread in threading.enumerate()}


def test_the_current_run_is_the_one_opened_last_else_the_newest(play, lab, finished_run):
    old, new = finished_run("old"), finished_run("new")

    async def scene(stage):
        await stage.until(lambda: len(stage.app.snapshot.runs) == 2)
        assert stage.app.current_run == new.id
        stage.app.open_live(old.id)
        await stage.until(lambda: stage.app.current_mode == "live")
        await stage.see(old.id)
        assert stage.app.current_run == old.id
        stage.app.delete_run(old.id)
        await stage.until(lambda: isinstance(stage.screen, Confirm))
        await stage.press("y")
        await stage.until(lambda: len(stage.app.snapshot.runs) == 1)
        assert stage.app.current_run == new.id
        await stage.see(new.id)

    play(Dashboard(lab), scene)


def test_a_question_is_answered_no_by_enter_and_escape(play, lab, finished_run):
    run = finished_run()

    async def scene(stage):
        await stage.until(lambda: stage.app.snapshot.runs)
        for key in ("enter", "escape", "n"):
            await stage.press("x")
            await stage.see(f"Delete {run.id}?")
            await stage.press(key)
            await stage.until(lambda: isinstance(stage.screen, RunsScreen))
        assert run.path.exists()

    play(Dashboard(lab), scene)


def test_what_a_state_forbids_is_told(play, lab, finished_run):
    run = finished_run()

    async def scene(stage):
        await stage.until(lambda: stage.app.snapshot.runs)
        stage.app.stop_run(run.id)
        stage.app.resume_run(run.id)
        await stage.until(lambda: len(told(stage)) == 2)
        assert told(stage) == [
            f"{run.id} is finished: cannot stop it; only a running one can be stopped",
            f"{run.id} is finished: cannot resume it; "
            "only a stopped, failed or crashed one can be resumed; r starts it anew",
        ]

    play(Dashboard(lab), scene)


def test_the_screen_below_a_question_goes_on_being_drawn(play, lab, finished_run):
    finished_run("one")

    async def scene(stage):
        await stage.see("1 run")
        await stage.press("x")
        finished_run("two")
        await stage.until(lambda: stage.app.screen_stack[0].query_one(RunTable).rows[1:])

    play(Dashboard(lab), scene)


@pytest.mark.parametrize(
    ("action", "error"),
    [(lambda: Outcome(error="no [such] thing"), "no [such] thing"), (lambda: {}["key"], "KeyError: 'key'")],
    ids=["told", "raised"],
)
def test_what_went_wrong_in_a_thread_is_shown_and_handed_on(play, lab, action, error):
    outcomes = []

    async def scene(stage):
        stage.app.do(action, outcomes.append)
        await stage.see(error)

    play(Dashboard(lab), scene, notifications=True)
    assert [outcome.error for outcome in outcomes] == [error]


def test_what_a_thread_says_after_the_end_is_dropped(play, lab):
    app, may, outcomes = Dashboard(lab), threading.Event(), []

    async def scene(stage):
        stage.app.do(lambda: Outcome(str(may.wait(10))), outcomes.append)

    play(app, scene)
    (thread,) = (thread for thread in threading.enumerate() if thread.name == "rnnlab-action")
    may.set()
    thread.join(10)
    assert not thread.is_alive()
    assert outcomes == []


@pytest.mark.parametrize(("theme", "is_light"), [("textual-dark", False), ("textual-light", True)])
def test_text_is_legible_in_light_and_dark(play, lab, finished_run, theme, is_light):
    finished_run()
    app = Dashboard(lab)
    app.theme = theme

    async def scene(stage):
        await stage.see("1 run")
        for strip in (
            stage.screen._compositor.render_strips()[:1] + stage.screen._compositor.render_strips()[-1:]
        ):
            for segment in strip:
                style = segment.style
                if segment.text.strip() and style and style.color and style.bgcolor:
                    front, back = style.color.get_truecolor(), style.bgcolor.get_truecolor()
                    assert contrast(front, back) > 3.0, segment
        assert (stage.screen.background_colors[1].brightness > 0.5) is is_light

    play(app, scene)


def contrast(one, other):
    """The ratio that WCAG 2 defines, of two colours of 0 to 255 for each of red, green and blue."""

    def luminance(colour):
        linear = [
            v / 12.92 if (v := part / 255) <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for part in colour
        ]
        return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_any_text_is_drawn_in_ascii_where_there_is_nothing_else(play, lab, finished_run):
    finished_run("größe-词典")

    async def scene(stage):
        await stage.see("gro")
        assert "gro?e-????" in stage.text()
        for key in ("2", "3", "4", "6", "1"):
            await stage.press(key)
            assert stage.text().isascii()

    play(Dashboard(lab, glyphs=ASCII), scene)
