"""The Plugins screen over the real catalogue, with local plugins that are sound, unavailable and broken."""

import pytest

from rnnlab.dashboard.app import Dashboard
from rnnlab.dashboard.catalogue import Catalogue
from rnnlab.dashboard.catalogue.__main__ import catalogue as describe
from rnnlab.dashboard.screens.plugin_words import Item, flowing, items, matches, wrapped
from rnnlab.dashboard.widgets.glyphs import ASCII, UNICODE
from rnnlab.plugins.registry import Registry

SIZES = [(140, 40), (80, 24)]
LOCAL = '''
from rnnlab.api import Cell, CellConfig, CellSpec, hookimpl

class LeakyConfig(CellConfig):
    leak: float = 0.5
    """How much of the old state stays."""

class Leaky(Cell):
    """A leaky integrator
    of its input.

        h_t = leak * h_{t-1} + x_t
    """

    def step(self, projected, state):
        return state

@hookimpl
def rnnlab_cells():
    yield CellSpec("leaky", f"{__name__}:Leaky", f"{__name__}:LeakyConfig", "a leaky integrator")
    yield CellSpec("needy", f"{__name__}:Leaky", requires=("no_such_module",))
    yield CellSpec("faulty", f"{__name__}:Missing")
'''


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("plugins")
    (path / "local.py").write_text(LOCAL)
    (path / "torn.py").write_text("def torn(:\n")
    return path


@pytest.fixture(scope="module")
def installed(folder):
    """What the describing process finds there; made once, as it imports torch."""
    return Catalogue.from_dict(describe(Registry.discover([folder]), True), fresh=True)


class Store:
    """Gives the catalogue at once."""

    def __init__(self, catalogue):
        self.catalogue = catalogue
        self.refreshed = 0

    def load(self, on_change=None):
        return self.catalogue

    def refresh(self, on_change, known=None):
        self.refreshed += 1
        on_change(self.catalogue)

    def close(self):
        pass


@pytest.fixture
def app(lab, installed):
    app = Dashboard(lab, glyphs=UNICODE)
    app.store = Store(installed)
    return app


async def opened(stage):
    await stage.press("6")
    await stage.see(" installed ")
    await stage.see("2 broken")


def shown(stage):
    """Kind, name, health, origin and version of the table's rows."""
    return [tuple(row.values.values()) for row in stage.screen.table.rows]


def page(stage):
    return stage.screen.query_one("#description").visual.plain


def longest(stage):
    """Of the lines of the description from its docs on."""
    return max(map(len, page(stage).partition("About\n")[2].splitlines()))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("glyphs", [UNICODE, ASCII])
def test_what_stands_on_the_screen(play, lab, installed, folder, size, glyphs):
    app = Dashboard(lab, glyphs=glyphs)
    app.store = Store(installed)

    async def scene(stage):
        await opened(stage)
        count = len(items(installed))
        lines = stage.lines()
        separator = f" {glyphs.separator} "
        assert lines[2][:60].rstrip(" │|") == "   " + separator.join(
            [f"{count} installed", "2 broken", "1 unavailable"]
        )
        assert lines[3][:72].split() == ["kind", "name", "health", "from", "version"]
        assert lines[4][:72].split() == [glyphs.cursor, "plugin", "local:torn", "!", "broken", "torn.py", "-"]
        assert lines[5][:72].split() == ["cell", "rnn", glyphs.mark, "ok", "rnnlab", "0.1.0"]
        await stage.see("plugin / local:torn")
        await stage.see("Remedy")
        assert max(map(len, lines)) <= size[0] and len(lines) == size[1]
        if glyphs is ASCII:
            assert stage.text().isascii()

    play(app, scene, size)


def test_a_broken_plugin_has_a_reason_and_a_remedy(play, app, folder):
    async def scene(stage):
        await opened(stage)
        assert shown(stage)[0] == ("plugin", "local:torn", "! broken", "torn.py", None)
        lines = page(stage).splitlines()
        assert lines[0] == "plugin / local:torn"
        assert lines[2].startswith("Reason  SyntaxError: invalid syntax")
        assert lines[3] == f"Remedy  correct {folder / 'torn.py'}"
        assert "failed at load" in lines

    play(app, scene)


def test_problems_only(play, app):
    async def scene(stage):
        await opened(stage)
        await stage.press("b")
        await stage.see("problems only")
        assert [row[:3] for row in shown(stage)] == [
            ("plugin", "local:torn", "! broken"),
            ("cell", "faulty", "! broken"),
            ("cell", "needy", "- unavailable"),
        ]
        await stage.press("j")
        assert "has no attribute" in page(stage) or "no Missing" in page(stage) or "Missing" in page(stage)
        await stage.press("j")
        assert page(stage).splitlines()[2:4] == [
            "Reason  needs no_such_module",
            "Remedy  pip install no_such_module",
        ]
        await stage.press("escape")
        assert len(shown(stage)) > 20

    play(app, scene)


def test_docs_options_and_source(play, app, folder):
    async def scene(stage):
        await opened(stage)
        await stage.press("slash")
        await stage.type("leaky")
        await stage.press("enter")
        assert shown(stage)[0] == ("cell", "leaky", "● ok", "local.py", None)
        text = page(stage)
        assert text.splitlines()[:3] == ["cell / leaky", "", "a leaky integrator"]
        assert f"origin    {folder / 'local.py'}" in text
        assert "About\nA leaky integrator of its input.\n\n    h_t = leak * h_{t-1} + x_t" in text
        assert "leak  a number  default 0.5\n    How much of the old state stays." in text
        assert "Step\ndef step(self, projected, state):\n    return state" in text

    play(app, scene)


def test_a_preset_shows_its_file(play, app):
    async def scene(stage):
        await opened(stage)
        await stage.press("slash")
        await stage.type("preset digits")
        await stage.press("enter")
        assert [row[1] for row in shown(stage)] == ["digits", "digits-rows"]
        assert "File\n" in page(stage) and "dataset:" in page(stage)

    play(app, scene)


def test_filter(play, app, installed):
    async def scene(stage):
        await opened(stage)
        table = stage.screen.table
        await stage.press("G", "slash")
        last = table.cursor_key
        await stage.type("local.py cell")
        await stage.see("3 of ")
        assert [row[1] for row in shown(stage)] == ["leaky", "faulty", "needy"]
        await stage.type(" x")
        await stage.see("nothing matches")
        await stage.press("escape")
        assert (len(shown(stage)), stage.app.focused is table) == (len(items(installed)), True)
        assert table.cursor_key == last

    play(app, scene)


@pytest.mark.parametrize("size", SIZES)
def test_it_is_sorted_by_a_column_that_is_seen(play, app, size):
    async def scene(stage):
        await opened(stage)
        for heading in ("kind", "name", "health", "from", "version"):
            await stage.press("greater_than_sign")
            assert f"{heading}▲" in stage.lines()[3]
        for _ in range(2):
            await stage.press("less_than_sign")
        assert [row[2] for row in shown(stage)][:3] == ["! broken", "! broken", "- unavailable"]
        await stage.press("o")
        assert "health▼" in stage.lines()[3]

    play(app, scene, size)


def test_enter_scrolls_the_page_and_escape_goes_back(play, app):
    async def scene(stage):
        await opened(stage)
        await stage.press("j", "j", "enter")
        about = stage.screen.query_one("#about")
        assert stage.app.focused is about
        await stage.press("end")
        await stage.until(lambda: about.scroll_y > 0)
        await stage.press("escape", "j")
        assert stage.app.focused is stage.screen.table
        await stage.until(lambda: about.scroll_y == 0)  # another page starts at its top

    play(app, scene, (80, 24))


def test_reload_looks_anew(play, app):
    async def scene(stage):
        await opened(stage)
        await stage.press("r")
        await stage.until(lambda: stage.app.store.refreshed == 1)

    play(app, scene)


@pytest.mark.parametrize("size", SIZES)
def test_no_line_of_a_page_is_broken_twice(play, app, size):
    async def scene(stage):
        await opened(stage)
        await stage.press("j", "j")
        description = stage.screen.query_one("#description")
        assert 40 < longest(stage) <= description.size.width
        await stage.pilot.resize_terminal(100, 30)
        await stage.until(lambda: longest(stage) <= description.size.width < 60)

    play(app, scene, size)


def test_before_anything_is_known_and_when_it_cannot_be(play, lab):
    app = Dashboard(lab, glyphs=UNICODE)
    app.store = Store(Catalogue())

    async def scene(stage):
        await stage.press("6")
        await stage.see("looking at what is installed")
        stage.app._take_catalogue(Catalogue(error="the plugins could not be looked at: no memory"))
        await stage.until(
            lambda: stage.lines()[2].strip(" │").startswith("the plugins could not be looked at: no memory")
        )

    play(app, scene)


def test_with_third_party_plugins_off_they_are_listed(installed):
    off = Catalogue(entries=installed.entries[:1], blocked=("leaky:cells",), hooks={"third:run": ("start",)})
    assert [(item.kind, item.name, item.health, item.origin) for item in items(off)][1:] == [
        ("hooks", "third:run", "ok", "third"),
        ("plugin", "leaky:cells", "off", "leaky"),
    ]


def test_every_word_must_be_in_some_field():
    item = Item("cell", "lstm", "ok", "rnnlab", "0.1.0", "long short-term memory")
    assert matches(item, "") and matches(item, "CELL short") and matches(item, "0.1")
    assert not matches(item, "cell gru")


def test_how_text_is_broken():
    text = "One sentence\nof two lines.\n\nA list:\n- one\n- two\n    code\n    more"
    assert flowing(text) == "One sentence of two lines.\n\nA list:\n- one\n- two\n    code\n    more"
    assert wrapped("    h = tanh(x) and a long comment", 24) == "    h = tanh(x) and a\n        long comment"
    assert wrapped("prose that is a bit too long", 24) == "prose that is a bit too\nlong"
