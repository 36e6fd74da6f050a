"""The runs that are compared, under each other: which letter is which run, and its value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from rnnlab.dashboard.feed.snapshot import RunSnapshot
from rnnlab.dashboard.screens.compare_table import LETTERS
from rnnlab.dashboard.screens.run_rows import cut
from rnnlab.dashboard.screens.run_words import STATE_COLOURS, dot, short_name
from rnnlab.dashboard.widgets import palette
from rnnlab.dashboard.widgets.ordering import Column, Row
from rnnlab.dashboard.widgets.run_table import RunTable


class RunList(RunTable, inherit_bindings=False):
    """One line for each run, in the order in which they were marked."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            binding
            for binding in RunTable.BINDINGS
            if isinstance(binding, Binding) and binding.action.startswith(("move", "page", "end", "select"))
        ),
    ]

    def set_runs(self, runs: Sequence[RunSnapshot], metric: str, values: Sequence[str]) -> None:
        """Show `runs`, each with its value of `metric`."""
        rows = [
            Row(
                run.id,
                {
                    "letter": LETTERS[index],
                    "run": cut(short_name(run.id), self.glyphs),
                    "state": f"{dot(run, self.glyphs)} {run.state}",
                    "value": value,
                },
            )
            for index, (run, value) in enumerate(zip(runs, values, strict=True))
        ]
        self.set_rows(rows, self._columns(metric))

    def _columns(self, metric: str) -> tuple[Column, ...]:
        return (
            Column("letter", " ", width=1, sortable=False, style=self._colour),
            Column("run", sortable=False),
            Column("value", metric or " ", right=True, sortable=False),
            Column("state", sortable=False, style=lambda text: STATE_COLOURS.get(text.split()[-1], "")),
        )

    def _colour(self, letter: str) -> str:
        dark, variables = self.app.current_theme.dark, self.app.theme_variables
        return f"bold {palette.line_colour('', LETTERS.index(letter), dark, variables).hex6.lower()}"


def what_to_do(there: int, marked: Sequence[RunSnapshot]) -> str:
    """What to say where there is nothing to compare. Args: runs of the lab; those marked, less than two."""
    if there < 2:
        found = "There is one run." if there else "There are no runs yet."
        return f"{found}\n\nPress 4 to start another; two or more can be compared."
    found = f"Only {marked[0].id} is marked." if marked else "No run is marked."
    return (
        f"{found}\n\nPress a to choose runs to compare,\n"
        "or 1 to go to Runs, mark two or more with space, and press c there."
    )
