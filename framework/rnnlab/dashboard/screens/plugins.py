"""What is installed: whether it works, where it comes from, and what it offers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical, VerticalScroll
from textual.widgets import Static

from rnnlab.dashboard.catalogue import Catalogue
from rnnlab.dashboard.feed.snapshot import LabSnapshot
from rnnlab.dashboard.screens.filter_line import FilterLine
from rnnlab.dashboard.screens.lab_screen import LabScreen
from rnnlab.dashboard.screens.plugin_words import Item, describe, items, matches
from rnnlab.dashboard.widgets.ordering import Column, Row
from rnnlab.dashboard.widgets.run_table import RunTable

HEALTH = {
    "ok": "$text-success",
    "unavailable": "$text-warning",
    "broken": "$text-error",
    "off": "dim",
}


class PluginTable(RunTable, inherit_bindings=False):
    """The table; there is nothing to mark."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            replace(binding, tooltip=binding.tooltip.replace("run", "plugin"))
            for binding in RunTable.BINDINGS
            if isinstance(binding, Binding) and binding.action not in ("mark", "select")
        ),
        Binding(
            "enter", "select", "Read", id="table.read", tooltip="Scroll its description; escape goes back"
        ),
    ]


class PluginsScreen(LabScreen):
    """Everything registered, one line each, and all about the chosen one."""

    CSS_PATH = "plugins.tcss"
    AUTO_FOCUS = "PluginTable"
    ABOUT = """Cells, tasks, data sets, backends, executors and presets, and every plugin with a problem.

ok           it can be used
unavailable  it lacks a module, or files
broken       something in it is wrong; the reason and what to do stand on the right
off          third-party plugins are switched off

The filter: words separated by spaces must all be in a plugin's kind, name, health, origin or summary."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "slash", "filter", "Filter", id="plugins.filter", tooltip="Show what matches", key_display="/"
        ),
        Binding(
            "b", "broken", "Problems", id="plugins.problems", tooltip="Only what does not work, or all again"
        ),
        Binding("r", "reload", "Reload", id="plugins.reload", tooltip="Look at what is installed anew"),
        Binding(
            "escape",
            "leave",
            "Back",
            False,
            id="plugins.back",
            tooltip="To the table; there, clear the filter",
        ),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._items: dict[str, Item] = {}
        self._problems_only = False
        self._described: tuple[Item | None, int] = (None, 0)

    def body(self) -> ComposeResult:
        glyphs = self.dashboard.glyphs
        self.add_class(glyphs.name)
        with Container(id="panes"):
            with Vertical(id="list"):
                yield FilterLine("filter, e.g. cell lstm")
                yield Static(id="count", markup=False)
                yield PluginTable(glyphs=glyphs, id="table")
            with VerticalScroll(id="about"):
                yield Static(id="description")

    @property
    def table(self) -> PluginTable:
        """The table."""
        return self.query_one(PluginTable)

    def show(self, snapshot: LabSnapshot) -> None:
        """Runs change nothing here."""

    def show_catalogue(self, catalogue: Catalogue) -> None:
        """Draw what is installed, as far as the filter lets it through."""
        if not self.query(PluginTable):  # it is being opened, and shown the same when it is
            return
        words = self.query_one(FilterLine).value
        found = items(catalogue)
        shown = [
            item
            for item in found
            if matches(item, words) and not (self._problems_only and item.health == "ok")
        ]
        self._items = {item.key: item for item in shown}
        table = self.table
        if not catalogue:
            table.empty = catalogue.error or "looking at what is installed"
        else:
            table.empty = "nothing has a problem" if self._problems_only and not words else "nothing matches"
        mark = self.dashboard.glyphs.mark
        marks = {"ok": mark, "unavailable": "-", "broken": "!", "off": "-"}
        rows = [
            Row(
                item.key,
                {
                    "kind": item.kind,
                    "name": item.name,
                    "health": f"{marks[item.health]} {item.health}",
                    "from": Path(item.origin).name,  # of a local plugin it is a file
                    "version": item.version or None,
                },
            )
            for item in shown
        ]
        table.set_rows(rows, COLUMNS)
        self._show_count(catalogue, len(found))
        self._show_chosen()

    def _show_count(self, catalogue: Catalogue, count: int) -> None:
        line = self.query_one("#count", Static)
        line.set_class(bool(catalogue.error), "error")
        shown = len(self._items)
        if not catalogue:
            words = ["looking at what is installed"]
        else:
            words = [f"{count} installed" if shown == count else f"{shown} of {count}"]
        for health in ("broken", "unavailable"):
            if bad := sum(item.health == health for item in self._items.values()):
                words.append(f"{bad} {health}")
        if self._problems_only:
            words.append("problems only")
        if catalogue and not catalogue.complete and not catalogue.error:
            words.append("checking each")
        line.update(catalogue.error or f" {self.dashboard.glyphs.separator} ".join(words))

    def _show_chosen(self) -> None:
        item = self._items.get(self.table.cursor_key or "")
        about = self.query_one("#about")
        page = self.query_one("#description", Static)
        width = page.size.width
        if (item, width) == self._described:
            return
        if item is None or self._described[0] is None or item.key != self._described[0].key:
            about.scroll_home(animate=False)
        self._described = (item, width)
        page.update(describe(item, width) if item is not None else "")

    def on_resize(self) -> None:
        """Lines are broken anew."""
        self.call_after_refresh(self._show_chosen)

    def on_run_table_highlighted(self) -> None:
        """Another one is chosen."""
        self._show_chosen()

    def on_run_table_selected(self) -> None:
        """Enter: put the focus on the description, so that keys scroll it."""
        self.query_one("#about").focus()

    def on_input_changed(self) -> None:
        """Filter as it is typed."""
        self.show_catalogue(self.dashboard.catalogue)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What is typed in the filter is no key of the screen."""
        return action != "filter" or not isinstance(self.focused, FilterLine)

    def on_input_submitted(self) -> None:
        """Go to what was found."""
        self.table.focus()

    def action_filter(self) -> None:
        """Type a filter."""
        self.query_one(FilterLine).focus()

    def action_leave(self) -> None:
        """Back to the table; there, take the filter away."""
        if self.focused is not self.table:
            self.table.focus()
        else:
            self._problems_only = False
            self.query_one(FilterLine).value = ""
            self.show_catalogue(self.dashboard.catalogue)

    def action_broken(self) -> None:
        """Only what does not work, or all again."""
        self._problems_only = not self._problems_only
        self.show_catalogue(self.dashboard.catalogue)

    def action_reload(self) -> None:
        """Look anew."""
        self.notify("looking at what is installed", timeout=3)
        self.dashboard.look_at_plugins(anew=True)


COLUMNS = (
    Column("kind"),
    Column("name"),
    Column("health", width=13, style=lambda text: HEALTH[text.split()[-1]]),
    Column("from"),
    Column("version"),
)
