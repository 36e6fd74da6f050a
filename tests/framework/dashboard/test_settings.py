"""A user's theme and keys; and that every key has a name by which it can be changed."""

from collections import defaultdict

import pytest

from rnnlab.dashboard.app import Dashboard
from rnnlab.dashboard.bindings import names, own_bindings, own_classes
from rnnlab.dashboard.screens.help import HelpPanel
from rnnlab.dashboard.settings import Settings, load, misnamed, settings_path


@pytest.fixture
def write():
    """Write the settings."""

    def write(text):
        settings_path().parent.mkdir(parents=True, exist_ok=True)
        settings_path().write_bytes(text.encode("latin-1"))

    return write


def test_every_binding_has_a_name_a_description_and_a_tooltip():
    lacking = [
        (owner.__name__, binding.key)
        for owner in own_classes()
        for binding in own_bindings(owner)
        if not (binding.id and binding.description and binding.tooltip)
    ]
    assert lacking == []


def test_a_name_means_one_action_and_stands_once_in_a_class():
    actions = defaultdict(set)
    for owner in own_classes():
        found = [binding.id for binding in own_bindings(owner)]
        assert sorted(set(found)) == sorted(found), owner
        for binding in own_bindings(owner):
            actions[binding.id].add(binding.action)
    assert {name: each for name, each in actions.items() if len(each) > 1} == {}
    assert {"app.quit", "app.help", "runs.delete", "table.mark", "chart.left", "live.pause"} <= names()


def test_no_file_is_no_problem():
    assert load() == Settings()


def test_theme_and_keys(write):
    write('theme = "nord"\n[keys]\n"runs.delete" = "ctrl+x, f8"\n')
    assert load() == Settings("nord", {"runs.delete": "ctrl+x,f8"})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("theme = nord", "cannot be read: Invalid value"),
        ("\xff", "cannot be read: 'utf-8' codec"),
        ("colour = 1", "expected theme and [keys], got 'colour'; take it out"),
        ("theme = 1", "theme must be text, got 1"),
        ("keys = 1", '[keys] must be lines like "runs.delete" = "ctrl+x"'),
        ("[keys]\nrunsdelete = 1", '[keys] must be lines like "runs.delete" = "ctrl+x"'),
        ('[keys]\n"runs.delete" = ""', '[keys] must be lines like "runs.delete" = "ctrl+x"'),
    ],
)
def test_what_cannot_be_read_is_said_in_one_line(write, text, said):
    write(text)
    problem = load().problem
    assert problem.startswith(f"{settings_path()}")
    assert said in problem
    assert "\n" not in problem


def test_a_folder_in_its_place(write):
    settings_path().mkdir(parents=True)
    assert "cannot be read" in load().problem


def test_a_misspelt_name_is_told_with_the_nearest():
    (problem,) = misnamed({"runs.delte": "x", "runs.stop": "t"}, ["runs.delete", "runs.stop"])
    assert problem == f"{settings_path()}: no key is named 'runs.delte'; did you mean 'runs.delete'?"


def test_other_keys_work_and_are_shown(write, play, lab, finished_run):
    write('[keys]\n"app.plugins" = "f9"\n"app.help" = "f2"\n"runs.unmark" = "ctrl+k"\n')
    run = finished_run()

    async def scene(stage):
        await stage.see("1 run")
        assert "f9 Plugins" in stage.lines()[0]
        assert stage.lines()[-1].endswith("f2 Help")
        await stage.press("space")
        await stage.until(lambda: stage.app.marked == (run.id,))
        await stage.press("m")
        assert stage.app.marked == (run.id,)
        await stage.press("ctrl+k")
        assert stage.app.marked == ()
        await stage.press("question_mark")
        assert not isinstance(stage.screen, HelpPanel)
        await stage.press("f2")
        await stage.until(lambda: isinstance(stage.screen, HelpPanel))
        assert any(line.split()[-1:] == ["runs.unmark"] and "^k" in line for line in stage.lines())
        await stage.press("escape", "f9")
        await stage.until(lambda: stage.app.current_mode == "plugins")

    play(Dashboard(lab), scene)


def test_a_key_given_away_and_names_and_themes_that_are_not_there_are_told(write, play, lab, finished_run):
    write('theme = "norf"\n[keys]\n"runs.copy" = "m"\n"runs.delte" = "x"\n')
    finished_run()

    async def scene(stage):
        await stage.until(lambda: len(stage.app._notifications) == 3)
        assert {notification.message for notification in stage.app._notifications} == {
            "no theme 'norf'; did you mean 'nord'?",
            "runs.unmark has no key now: your settings give its m away",
            f"{settings_path()}: no key is named 'runs.delte'; did you mean 'runs.delete'?",
        }

    play(Dashboard(lab), scene)


def test_the_theme_is_taken(write, play, lab):
    write('theme = "textual-light"')

    async def scene(stage):
        assert stage.app.theme == "textual-light"
        assert stage.screen.background_colors[1].brightness > 0.8

    play(Dashboard(lab), scene)
