"""What a table tells of its user. Handlers are called `on_run_table_highlighted` and so on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from rnnlab.dashboard.widgets.run_table import RunTable


class TableMessage(Message):
    """Comes from `table`, which selectors of `on` are compared with."""

    def __init__(self, table: RunTable) -> None:
        super().__init__()
        self.table = table

    @property
    def control(self) -> RunTable:
        return self.table


class AboutRow(TableMessage):
    """Of the row `key`."""

    def __init__(self, table: RunTable, key: str | None) -> None:
        super().__init__(table)
        self.key = key


class Highlighted(AboutRow, namespace="run_table"):
    """The cursor came to the row `key` (None: there is no row)."""


class Selected(AboutRow, namespace="run_table"):
    """The row `key` is to be opened: enter, or a click on the cursor's row."""


class Marked(AboutRow, namespace="run_table"):
    """The row `key` was marked or unmarked by the user; see `RunTable.marks`."""


class SortChanged(TableMessage, namespace="run_table"):
    """The user chose to sort by `column` (its key)."""

    def __init__(self, table: RunTable, column: str, reverse: bool) -> None:
        super().__init__(table)
        self.column = column
        self.reverse = reverse
