"""A run's answers beside the truth, what is wrong in them marked."""

from __future__ import annotations

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
from rnnlab.dashboard.screens.answers import Answer, Form, Part, compare, form_of
from rnnlab.dashboard.widgets.glyphs import Glyphs, printable
from rnnlab.lab.events import Samples


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

    def compose(self) -> ComposeResult:
        yield Static(id="samples-title", markup=False)
        yield Static(id="samples-list")

    def on_mount(self) -> None:
        self._show("sequence")

    def set_run(self, run: RunSnapshot) -> None:
        """Show the latest answers of `run`."""
        if run.samples is self.event:
            return
        self.event = run.samples
        items = self.event.items if self.event else []
        form = form_of(str(run.config.get("task.type", "")), items)
        self.answers = compare(items, form)
        self._show(form)

    def _show(self, form: Form) -> None:
        title, body = self.query_one("#samples-title", Static), self.query_one("#samples-list", Static)
        if self.event is None:
            title.update(Text("samples", "bold"))
            body.update(Text("none yet: they come with an evaluation", "dim"))
            return
        right = sum(answer.right for answer in self.answers)
        head = Text("samples", "bold")
        head.append(f"  {self.event.split}, step {self.event.step:,}, {right} of {len(self.answers)} right")
        head.stylize("not bold", 7)
        title.update(head)
        body.update(self._labels() if form == "label" else self._sequences())

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
        """Three lines for each: read, told, right."""
        grid = Table.grid(padding=(0, 1), expand=True)
        grid.add_column(width=1)
        grid.add_column(width=3)
        grid.add_column(ratio=1, overflow="fold")
        for answer in self.answers:
            grid.add_row("", Text("in", "dim"), Text(printable(answer.source)))
            grid.add_row(self._verdict(answer), Text("out", "dim"), self._text(answer.prediction))
            if not answer.right:
                grid.add_row("", Text("ref", "dim"), self._text(answer.target))
        return grid

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
