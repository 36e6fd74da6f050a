"""Each screen as it was when somebody last looked at it and found it right."""

from __future__ import annotations

import pytest

from rnnlab.dashboard.app import Dashboard

from .conftest import Posing

WIDE, SMALL = (140, 40), (80, 24)


@pytest.mark.parametrize(
    ("name", "size", "theme"),
    [
        ("runs", WIDE, "textual-dark"),
        ("runs", SMALL, "textual-light"),
        ("live", WIDE, "textual-light"),
        ("live", SMALL, "textual-dark"),
        ("compare", WIDE, "textual-dark"),
        ("compare", SMALL, "textual-light"),
        ("launch", WIDE, "textual-dark"),
        ("launch", SMALL, "textual-light"),
        ("plugins", WIDE, "textual-light"),
        ("help", SMALL, "textual-dark"),
    ],
)
def test_the_picture_is_the_same(name, size, theme, play, gallery, known_plugins, same_picture):
    app = Posing(gallery, known_plugins)

    async def scene(stage):
        app.theme = theme
        await stage.loaded(3)
        await open_screen(stage, app, name)
        await same_picture(app, f"{name}-{size[0]}-{theme.removeprefix('textual-')}")

    play(app, scene, size)


async def open_screen(stage, app: Dashboard, name: str) -> None:
    """As its user would, and until all of it is there."""
    runs = [run.id for run in app.snapshot.runs]
    match name:
        case "live":
            app.open_live(runs[0])
            await stage.see("input gate i")
        case "compare":
            app.open_compare(runs)
            await stage.see("stack.hidden_size")
        case "launch":
            await stage.press("4")
            await stage.see("rnnlab run digits")
            await stage.until(lambda: app.screen.bench.checker.findings.size is not None)
        case "plugins":
            await stage.press("6")
            await stage.until(lambda: app.screen.query("PluginTable") and app.focused)
            await stage.see("8 installed")
            await stage.press("j")
            await stage.see("Long short-term memory")
        case "help":
            await stage.press("question_mark")
            await stage.see("runs.filter")
