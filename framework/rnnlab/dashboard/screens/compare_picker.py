"""Choosing which runs to compare."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from rnnlab.dashboard.feed.query import QueryError, parse
from rnnlab.dashboard.feed.snapshot import LabSnapshot
from rnnlab.dashboard.screens.filter_line import FilterLine
from rnnlab.dashboard.screens.run_rows import RunRows
from rnnlab.dashboard.widgets.glyphs import Glyphs
from rnnlab.dashboard.widgets.run_table import RunTable


class RunPicker(ModalScreen["tuple[str, ...] | None"]):
    """Every run of the lab, those that are compared marked; gives the marked ones, in the order of marking,
    or None."""

    DEFAULT_CSS = """
    RunPicker { align: center middle; }
    RunPicker > Vertical {
        width: 110; max-width: 96%; height: 30; max-height: 90%; padding: 1 1 0 1; background: $surface;
        border: round $primary;
    }
    RunPicker.ascii > Vertical { border: ascii $primary; }
    RunPicker #question { height: 1; padding: 0 2; text-style: bold; }
    RunPicker #said { height: 1; padding: 0 2; color: $text-muted; }
    RunPicker #said.error { color: $text-error; }
    RunPicker FilterLine { background: $boost; }
    """
    AUTO_FOCUS = "RunTable"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "done", "Compare", priority=False, id="picker.done", tooltip="Compare these"),
        Binding("slash", "filter", "Filter", id="picker.filter", tooltip="Show the runs that match"),
        Binding("escape", "dismiss", "Cancel", id="picker.cancel", tooltip="Leave the runs as they were"),
    ]

    def __init__(self, snapshot: LabSnapshot, marked: tuple[str, ...], most: int, glyphs: Glyphs) -> None:
        """
        Args:
            snapshot: the lab. marked: the runs that are compared.
            most: how many may be.
        """
        super().__init__(classes=glyphs.name)
        self._snapshot, self._most, self._glyphs = snapshot, most, glyphs
        self.marked = marked
        self._rows = RunRows(glyphs)
        self._error = ""

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static("Which runs to compare", id="question")
            yield FilterLine("filter, e.g. cell:lstm val/loss<0.3")
            yield RunTable(glyphs=self._glyphs)
            yield Static(id="said", markup=False)

    def on_mount(self) -> None:
        self._show("")
        table = self.query_one(RunTable)
        table.set_marks(self.marked)

    def _show(self, text: str) -> None:
        try:
            query, self._error = parse(text), ""
        except QueryError as error:
            self._error = str(error)
        else:
            found = [run for run in self._snapshot.runs if query.matches(run)]
            table = self.query_one(RunTable)
            table.empty = "no run matches" if self._snapshot.runs else "no runs yet: 4 starts one"
            table.set_rows(self._rows.of(found), self._rows.columns)
        self._say()

    def _say(self) -> None:
        said = self.query_one("#said", Static)
        keys = "space: mark   /: filter   enter: compare   esc: cancel"
        said.update(self._error or f"{len(self.marked)} marked   {keys}")
        said.set_class(bool(self._error), "error")

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter as it is typed."""
        event.stop()
        self._show(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go to what was found."""
        event.stop()
        self.query_one(RunTable).focus()

    def on_run_table_marked(self) -> None:
        """Keep the order of marking."""
        table, marked = self.query_one(RunTable), self._with_new_marks()
        if len(marked) > self._most:
            table.set_marks(self.marked)
            self._error = f"expected at most {self._most} runs, got {len(marked)}; unmark another"
        else:
            self.marked, self._error = marked, ""
        self._say()

    def on_run_table_selected(self) -> None:
        """Enter on a row."""
        self.action_done()

    def action_done(self) -> None:
        """Compare what is marked."""
        # Keys overtake the messages of the table.
        self.dismiss(self._with_new_marks()[: self._most])

    def _with_new_marks(self) -> tuple[str, ...]:
        """What is marked in the table, after what was marked before."""
        table = self.query_one(RunTable)
        before = [run_id for run_id in self.marked if run_id in table.marks]
        return (*before, *(row.key for row in table.rows if row.key in table.marks and row.key not in before))

    def action_filter(self) -> None:
        """Type a filter."""
        self.query_one(FilterLine).focus()
