"""Widgets on a screen of their own, and what they show as text."""

import asyncio

import pytest
from textual.app import App


class Stage(App):
    """An app of one widget; `sent` is the widget's own messages of the kinds asked for."""

    def __init__(self, widget, kinds):
        super().__init__()
        self.widget = widget
        self.kinds = kinds
        self.sent = []

    def compose(self):
        yield self.widget

    def keep(self, message):
        if isinstance(message, self.kinds) and message not in self.sent:
            self.sent.append(message)

    def strips(self):
        return [self.widget.render_line(row) for row in range(self.widget.size.height)]

    def lines(self):
        """What the widget shows, without spaces at the ends of lines."""
        return [strip.text.rstrip() for strip in self.strips()]


@pytest.fixture
def on_stage():
    """`on_stage(widget, size, act, kinds)` mounts and focuses the widget, then awaits `act(stage, pilot)`.

    It returns the stage's lines as they were at the end.
    """

    def play(widget, size, act=None, kinds=()):
        async def run():
            stage = Stage(widget, kinds)
            async with stage.run_test(size=size, message_hook=stage.keep) as pilot:
                widget.focus()
                await pilot.pause()
                if act:
                    await act(stage, pilot)
                return stage.lines()

        return asyncio.run(run())

    return play
