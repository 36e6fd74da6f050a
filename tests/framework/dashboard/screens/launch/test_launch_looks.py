"""How the Launch screen looks, at both sizes and in both alphabets; and the texts it folds."""

from __future__ import annotations

import shlex

import pytest

from rnnlab.dashboard.form import Verdict
from rnnlab.dashboard.screens import launch
from rnnlab.dashboard.screens.launch_details import duration, folded, hanging
from rnnlab.dashboard.widgets.glyphs import ASCII, UNICODE
from rnnlab.dashboard.widgets.steady import SteadyText


@pytest.mark.parametrize("size", [(140, 40), (80, 24)])
@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
def test_nothing_is_cut(make_app, quick, at_desk, size, glyphs):
    app = make_app(glyphs=glyphs)

    async def scene(stage, desk):
        await desk.go_to("bidirectional")
        await stage.see("1,234 parameters")
        shown = stage.text()
        assert all(len(line) <= size[0] for line in stage.lines())
        assert f"{glyphs.cursor} bidirectional        {glyphs.mark}{glyphs.swatch * 2} off" in shown
        for part in ("Read the sequence in both directions", "$ rnnlab --plugins-dir", "^r Start", "? Help"):
            assert part in shown
        assert glyphs is UNICODE or shown.isascii(), [each for each in shown if not each.isascii()]
        if size[0] == 80:
            assert "differs from" not in shown
            await stage.press("f2")
            await stage.see("nothing differs from digits")
            assert "bidirectional        " not in stage.text()
            await stage.press("escape")
            await stage.until(lambda: desk.has_keyboard("stack.bidirectional"))

    at_desk(app, scene, size)


@pytest.mark.parametrize("size", [(140, 40), (80, 24)])
@pytest.mark.parametrize("provisional", [True, False])
def test_the_backend_is_told_with_its_reason_and_what_is_not_known(
    make_app, quick, at_desk, monkeypatch, size, provisional
):
    def answer(self, command):
        return Verdict(
            parameters=5, steps=6, backend="torch", backend_reason="torch: the why", device="cpu",
            provisional=provisional,
        )  # fmt: skip

    monkeypatch.setattr(launch.Consultant, "size", answer)

    async def scene(stage, desk):
        await stage.see("runs on torch, cpu")
        told = desk.screen.query_one("#verdict", SteadyText).content.plain
        assert ("runs on torch, cpu, unless it measures another to be faster" in told) == provisional
        assert ("torch: the why" in told) == (size[0] == 140)

    at_desk(make_app(), scene, size)


def test_a_folded_command_is_the_same_command():
    command = "rnnlab --runs-dir '/my lab' run digits cell=rnn 'description=a b' training.epochs=3"
    lines = folded(command, 30).split(" \\\n")
    assert lines == [
        "rnnlab --runs-dir '/my lab'",
        "    run digits cell=rnn",
        "    'description=a b'",
        "    training.epochs=3",
    ]
    assert shlex.split(" ".join(lines)) == shlex.split(command)
    assert folded(command, len(command)) == command


def test_a_hanging_text_keeps_its_column():
    assert hanging("> rnn  ", "a simple recurrence", 23) == "> rnn  a simple\n       recurrence"
    assert hanging("> rnn  ", "", 60) == "> rnn"
    assert hanging("> rnn  ", "simple recurrence", 0) == "> rnn  simple recurrence"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "1 s"), (89, "89 s"), (90, "2 min"), (5399, "1 h 30 min"), (180_000, "2.1 days")],
)
def test_a_duration_is_as_precise_as_an_estimate(seconds, words):
    assert duration(seconds) == words
