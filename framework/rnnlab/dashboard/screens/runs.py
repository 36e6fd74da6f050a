"""Every run of the lab, with its state as it is now."""

from __future__ import annotations

import operator
from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, Static

from rnnlab.dashboard.feed.query import Query, QueryError, parse
from rnnlab.dashboard.feed.snapshot import LabSnapshot, RunSnapshot
from rnnlab.dashboard.screens.filter_line import FilterLine
from rnnlab.dashboard.screens.lab_screen import LabScreen
from rnnlab.dashboard.screens.run_preview import RunPreview
from rnnlab.dashboard.screens.run_rows import RunRows
from rnnlab.dashboard.widgets.ordering import Row
from rnnlab.dashboard.widgets.run_table import RunTable

AGE_SECONDS = 5.0
"""Between two looks at how old runs are."""
EXAMPLE = "filter, e.g. cell:lstm val/loss<0.3 -state:failed"


class LabTable(RunTable, inherit_bindings=False):
    """The table with `o` left to the screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            replace(binding, show=binding.action in ("select", "mark"))
            for binding in RunTable.BINDINGS
            if isinstance(binding, Binding) and binding.action != "reverse"
        ),
        Binding("i", "reverse", "Reverse", False, id="table.reverse", tooltip="Reverse the order"),
    ]


class RunsScreen(LabScreen):
    """The lab's runs: found, sorted, marked, and steered."""

    CSS_PATH = "runs.tcss"
    AUTO_FOCUS = "LabTable"
    SPARE = ("table.open", "runs.new")  # enter is tried anyway, and Launch has a tab
    ABOUT = """Every run of the lab, the newest first, with its state as it is now.

The filter: terms separated by spaces must all hold.
  digits              the run's name holds it
  cell:lstm           also task: dataset: backend: state: name:, with * and ?, a,b is a or b
  val/loss<0.3        also <= > >= = !=; any metric, any option (stack.hidden_size>=64), step, epoch, seconds
  -state:failed       not; "two words" stay together"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "slash", "filter", "Filter", id="runs.filter", tooltip="Show the runs that match", key_display="/"
        ),
        Binding("c", "compare", "Compare", id="runs.compare", tooltip="Compare the marked runs"),
        Binding("n", "new", "New", id="runs.new", tooltip="Configure and start a run"),
        Binding("r", "again", "Re-run", id="runs.again", tooltip="Open Launch filled in from this run"),
        Binding("s", "stop", "Stop", id="runs.stop", tooltip="Stop this run after its step; it saves first"),
        Binding("u", "resume", "Resume", id="runs.resume", tooltip="Go on from this run's last checkpoint"),
        Binding("x,delete", "delete", "Delete", id="runs.delete", tooltip="Delete this run's folder"),
        Binding("o", "tracking", "MLflow", id="runs.mlflow", tooltip="Open this run's page in MLflow's UI"),
        Binding("m", "unmark", "Unmark", False, id="runs.unmark", tooltip="Take all marks away"),
        Binding("y", "copy", "Copy name", False, id="runs.copy", tooltip="Copy this run's name"),
        Binding("escape", "clear", "Clear", False, id="runs.clear", tooltip="Clear the filter"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._query = Query("")
        self._error = self._said = ""
        self._drawn: list[Row] = []
        self._found_for: tuple[tuple[RunSnapshot, ...], Query] | None = None

    def body(self) -> ComposeResult:
        glyphs = self.dashboard.glyphs
        self._rows = RunRows(glyphs)
        with Horizontal():
            with Vertical(id="list"):
                yield FilterLine(EXAMPLE)
                yield Static(id="count", markup=False)
                yield LabTable(glyphs=glyphs, id="table")
            yield RunPreview(glyphs, id="preview")

    @property
    def table(self) -> LabTable:
        """The table."""
        return self.query_one(LabTable)

    def wanted(self) -> Collection[str]:
        if self.has_class("narrow"):
            return ()
        return (*self.dashboard.marked, *filter(None, (self.table.cursor_key,)))

    def on_mount(self) -> None:
        """Ages grow by themselves; marks are the whole dashboard's."""
        self.watch(self.table, "marks", self._marks_changed, init=False)
        self.set_interval(AGE_SECONDS, self.table.refresh)

    # Drawing

    def show(self, snapshot: LabSnapshot) -> None:
        """Draw the runs that match."""
        table = self.table
        table.empty = self._nothing(snapshot)
        if self._found_for != (found_for := (snapshot.runs, self._query)):
            self._found_for = found_for
            self._show_rows(snapshot)
            if snapshot.version:
                there = {run.id for run in snapshot.runs}
                self.dashboard.marked = tuple(filter(there.__contains__, self.dashboard.marked))
        if table.marks != frozenset(self.dashboard.marked):
            table.set_marks(self.dashboard.marked)
        self._show_count(len(table.rows), snapshot)
        self._show_preview(snapshot)

    def _show_rows(self, snapshot: LabSnapshot) -> None:
        rows = self._rows.of([run for run in snapshot.runs if self._query.matches(run)])
        # Of a row that has not changed there is still the same object, so this is quick.
        same = len(rows) == len(self._drawn) and all(map(operator.is_, rows, self._drawn))
        if not same or not self.table.columns:
            self._drawn = rows
            self.table.set_rows(rows, self._rows.columns)

    def _nothing(self, snapshot: LabSnapshot) -> str:
        """What an empty table says."""
        if snapshot.version == 0:
            return "reading the lab"
        if snapshot.runs:
            return "no run matches; escape clears the filter"
        return f"no runs yet; n starts one in {self.dashboard.lab.path}"

    def _show_count(self, shown: int, snapshot: LabSnapshot) -> None:
        text = self._error or f" {self.dashboard.glyphs.separator} ".join(self._count(shown, snapshot))
        if text != self._said:
            self._said = text
            line = self.query_one("#count", Static)
            tall = line.has_class("error")
            line.set_class(bool(self._error), "error")
            line.update(text, layout=tall or bool(self._error))

    def _count(self, shown: int, snapshot: LabSnapshot) -> Iterator[str]:
        count, table = len(snapshot.runs), self.table
        if snapshot.version == 0:
            yield "reading the lab"
            return
        yield f"{count} run{'' if count == 1 else 's'}" if shown == count else f"{shown} of {count} runs"
        if self.dashboard.marked:
            yield f"{len(self.dashboard.marked)} marked"
        if table.sort_column is None:
            yield "newest first"
        else:
            yield f"by {table.sort_column}{', falling' if table.sort_reverse else ''}"
        if snapshot.loading:
            yield f"reading {snapshot.loading}"
        if snapshot.problem:
            yield snapshot.problem

    def _show_preview(self, snapshot: LabSnapshot) -> None:
        if self.has_class("wide"):
            marked = [run for run in map(snapshot.find, self.dashboard.marked) if run is not None]
            here = snapshot.find(self.table.cursor_key) if self.table.cursor_key else None
            self.query_one(RunPreview).show(here, marked)

    def on_resize(self) -> None:
        """Width decides what there is to see."""
        self.call_after_refresh(self.dashboard.draw)

    # The filter

    def action_filter(self) -> None:
        """Type a filter."""
        self.query_one(FilterLine).focus()

    def action_clear(self) -> None:
        """Take the filter away."""
        self.query_one(FilterLine).value = ""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What is typed in the filter is no key of the screen."""
        return action != "filter" or not isinstance(self.focused, FilterLine)

    def on_input_submitted(self) -> None:
        """Go to what was found."""
        self.table.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter as it is typed; one that cannot be read leaves the last that could."""
        try:
            self._query, self._error = parse(event.value), ""
        except QueryError as error:
            self._error = str(error)
        self.dashboard.draw()

    # The table

    def on_run_table_sort_changed(self) -> None:
        """Say so."""
        self.dashboard.draw()

    def on_run_table_highlighted(self) -> None:
        """Another run is looked at."""
        self.dashboard.draw()

    def on_run_table_selected(self, event: RunTable.Selected) -> None:
        """Open Live."""
        if event.key is not None:
            self.dashboard.open_live(event.key)

    def _marks_changed(self, marks: frozenset[str]) -> None:
        """Keep the order of marking. Watched, not told by message: the next key may need the marks."""
        kept = tuple(run_id for run_id in self.dashboard.marked if run_id in marks)
        added = tuple(row.key for row in self.table.rows if row.key in marks and row.key not in kept)
        if added or kept != self.dashboard.marked:
            self.dashboard.marked = kept + added
            self.call_later(self.dashboard.draw)

    # What is done to runs

    def _here(self) -> RunSnapshot | None:
        """The run under the cursor."""
        key = self.table.cursor_key
        if key is None:
            self.notify("There is no run here; n starts one.", severity="warning")
            return None
        return self.dashboard.snapshot.find(key)

    def action_compare(self) -> None:
        """Compare the marked runs; a single one with the run under the cursor."""
        marked = self.dashboard.marked
        here = self.table.cursor_key
        runs = marked if len(marked) != 1 or here is None or here in marked else (*marked, here)
        if len(runs) < 2:
            self.notify("Mark two runs or more with space, then compare them.", severity="warning")
            return
        self.dashboard.open_compare(runs)

    def action_new(self) -> None:
        """Open Launch."""
        self.dashboard.open_launch()

    def action_again(self) -> None:
        """Open Launch, filled in."""
        if (run := self._here()) is not None:
            self.dashboard.open_launch(run.id)

    def action_stop(self) -> None:
        """Stop it."""
        if (run := self._here()) is not None:
            self.dashboard.stop_run(run.id)

    def action_resume(self) -> None:
        """Go on with it."""
        if (run := self._here()) is not None:
            self.dashboard.resume_run(run.id)

    def action_delete(self) -> None:
        """Delete it."""
        if (run := self._here()) is not None:
            self.dashboard.delete_run(run.id)

    def action_tracking(self) -> None:
        """Open its page."""
        if (run := self._here()) is not None:
            self.dashboard.open_tracking(run.id)

    def action_unmark(self) -> None:
        """Take all marks away."""
        self.dashboard.marked = ()
        self.dashboard.draw()

    def action_copy(self) -> None:
        """Copy its name."""
        if (run := self._here()) is not None:
            self.app.copy_to_clipboard(run.id)
            self.notify(f"copied {run.id}", timeout=3, markup=False)
