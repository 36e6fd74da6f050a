"""A run's answers beside the truth, what is wrong in them marked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.console import RenderableType
from rich.style import Style
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.color import Color
from textual.containers import VerticalScroll
from textual.widgets import Static

from rnnlab.dashboard.feed.snapshot import RunSnapshot
from rnnlab.dashboard.screens.answers import Answer, Form, Part, Step, compare, form_of
from rnnlab.dashboard.widgets.glyphs import Glyphs, printable
from rnnlab.lab.events import Samples

NAMES_WIDTH = 6
"""Cells to the left of a sequence: right or wrong, and what the line is."""


class SamplesPane(VerticalScroll, can_focus=True):
    """The latest `Samples` event."""

    DEFAULT_CSS = """
    SamplesPane > Static { height: auto; width: 1fr; }
    """

    def __init__(self, glyphs: Glyphs, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._glyphs = glyphs
        self.event: Samples | None = None
        self.answers: list[Answer] = []
        self.form: Form = "sequence"
        self._run_id = ""
        self._width = 0

    def compose(self) -> ComposeResult:
        yield Static()

    def on_mount(self) -> None:
        # The texts hold colours of the theme.
        self.app.theme_changed_signal.subscribe(self, lambda theme: self._show())
        self._show()

    def on_resize(self) -> None:
        if self.scrollable_content_region.width != self._width:
            self._width = self.scrollable_content_region.width
            self._show()

    def set_run(self, run: RunSnapshot | None) -> None:
        """Show the latest answers of `run`."""
        event = run.samples if run is not None else None
        if event is self.event:
            return
        if event is None or self.event is None or run is None or run.id != self._run_id:
            self.scroll_home(animate=False)
        self.event, self._run_id = event, run.id if run is not None else ""
        items = event.items if event is not None else []
        self.form = form_of(str(run.config.get("task.type", "")) if run is not None else "", items)
        self.answers = compare(items, self.form)
        self._show()

    def _show(self) -> None:
        if self.event is None:
            self.border_title = " samples "
            self.query_one(Static).update(Text("none yet: they come with an evaluation", "dim"))
            return
        right = sum(answer.right for answer in self.answers)
        self.border_title = (
            f" samples, {self.event.split}, step {self.event.step:,}, {right} of {len(self.answers)} right "
        )
        self.query_one(Static).update(self._labels() if self.form == "label" else self._sequences())

    def _labels(self) -> RenderableType:
        """One line for each."""
        grid = Table.grid(padding=(0, 1))
        for _ in range(4):
            grid.add_column(no_wrap=True)
        grid.add_column(ratio=1, overflow="fold")
        for answer in self.answers:
            target = self._text(answer.target) if not answer.right else Text("")
            grid.add_row(
                self._verdict(answer),
                self._text(answer.prediction),
                Text("" if answer.right else "not", "dim"),
                target,
                Text(printable(answer.source), "dim"),
            )
        return grid

    def _sequences(self) -> RenderableType:
        """Three lines for each: read, told, right; more where they are long."""
        grid = Table.grid(padding=(0, 1), expand=True)
        grid.add_column(width=1)
        grid.add_column(width=3)
        grid.add_column(ratio=1, overflow="fold")
        for answer in self.answers:
            read, told, asked = printable(answer.source), answer.prediction, answer.target
            lines = [(Text(read), self._text(told), self._text(asked))]
            if answer.steps:
                lines = list(self._in_columns(answer.steps))
            for index, (source, prediction, target) in enumerate(lines):
                grid.add_row("", Text("in", "dim"), source)
                verdict = self._verdict(answer) if index == 0 else ""
                grid.add_row(verdict, Text("out", "dim"), prediction)
                if not answer.right:
                    grid.add_row("", Text("ref", "dim"), target)
        return grid

    def _in_columns(self, steps: Sequence[Step]) -> Iterator[tuple[Text, Text, Text]]:
        """What was read at each step above its labels, as many steps as a line has room for."""
        room = max(self._width - NAMES_WIDTH, 1)
        lines, taken = (Text(), Text(), Text()), 0
        for step in steps:
            texts = (Text(printable(step.source)), self._text((step.prediction,)), self._text((step.target,)))
            width = max(text.cell_len for text in texts) + 1
            if taken and taken + width - 1 > room:
                yield lines
                lines, taken = (Text(), Text(), Text()), 0
            taken += width
            for line, text in zip(lines, texts, strict=True):
                line.append_text(text)
                line.append(" " * (width - text.cell_len))
        for line in lines:
            line.rstrip()
        yield lines

    def _verdict(self, answer: Answer) -> Text:
        mark = ("✓", "✗") if self._glyphs.name == "unicode" else ("+", "x")
        return Text(mark[not answer.right], self._style("$text-success" if answer.right else "$text-error"))

    def _text(self, parts: tuple[Part, ...]) -> Text:
        text = Text()
        for part in parts:
            shown = printable(part.text)
            # Underlined, so that it is seen without colours; a part nobody can see is given a body.
            text.append(shown if cell_len(shown) else " ", self._wrong() if part.wrong else "")
        return text if parts else Text("(nothing)", self._wrong())

    def _wrong(self) -> Style:
        return self._style("$text-error") + Style(bold=True, underline=True)

    def _style(self, variable: str) -> Style:
        return Style(color=Color.parse(self.app.theme_variables[variable[1:]]).rich_color)
