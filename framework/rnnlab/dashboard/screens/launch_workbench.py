"""The form of the Launch screen and what is said of it, kept in step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.events import DescendantFocus

from rnnlab.dashboard.catalogue import Catalogue
from rnnlab.dashboard.form import Consultant, Form, Plan
from rnnlab.dashboard.form.base import Base
from rnnlab.dashboard.screens.launch_check import Checker
from rnnlab.dashboard.screens.launch_details import Details
from rnnlab.dashboard.screens.launch_fields import FieldRow
from rnnlab.dashboard.screens.launch_filter import FilteredForm
from rnnlab.dashboard.screens.launch_form import CHOICES
from rnnlab.dashboard.screens.launch_source import FROM, Drafts
from rnnlab.errors import RnnlabError

if TYPE_CHECKING:
    from rnnlab.dashboard.app import Dashboard


class Workbench(Horizontal):
    """The fields on the left, what they mean on the right, and the questions to the plugins between them.

    Attributes:
        drafts: the forms; None while the plugins are not known.
        side: the fields under their filter. pane: the fields.
        details: what they mean.
        checker: asks the plugins.
        last: the key of the field that has, or had last, the keyboard.
    """

    def __init__(self, dashboard: Dashboard, consultant: Consultant, options: Sequence[str]) -> None:
        """
        Args:
            dashboard: the app.
            consultant: the plugins' processes; they end with this.
            options: those of `rnnlab` that make a command mean this lab and these plugins.
        """
        super().__init__(id="launch")
        self.drafts: Drafts | None = None
        self.side, self.details = FilteredForm(dashboard.glyphs), Details(dashboard.glyphs)
        self.pane = self.side.pane
        self.checker = Checker(self, dashboard, consultant, self._found)
        self.last: str = FROM
        self._options = tuple(options)
        self._blamed: tuple[Plan | None, str] = (None, "")

    def compose(self) -> ComposeResult:
        """Left and right."""
        yield self.side
        yield self.details

    def on_unmount(self) -> None:
        """End the processes that answered."""
        self.checker.close()

    @property
    def form(self) -> Form | None:
        """What is being put together."""
        return self.drafts.form if self.drafts else None

    async def take_catalogue(self, catalogue: Catalogue) -> None:
        """Take what is known of the plugins now; what was typed stays."""
        self.settle()
        if self.drafts is None:
            self.drafts = Drafts(catalogue)
        else:
            self.drafts.take_catalogue(catalogue)
            self.checker.consultant.restart()
            self.checker.forget()
        await self.sync()

    def settle(self) -> None:
        """Have in the form all that is typed, also what the fields have not told yet: to be called before the
        form is used for more than looking, and before what is typed is drawn over."""
        if self.form is not None:
            for key, text in self.pane.typed():
                if text != self.form.text(key):
                    self.form.set(key, text)

    async def sync(self) -> None:
        """Show the form that is worked on now, after it was changed from outside its fields."""
        if self.form is not None:
            await self.pane.sync(self.form)
            self.tell()

    def tell(self) -> None:
        """Say again what is wrong with the form, what it means, and ask the plugins if it has changed."""
        if self.form is None:
            return
        self.checker.ask(self.form)
        errors = self.form.errors()
        self.pane.mark(self.form, errors)
        self._tell_field(errors)
        self.details.show_form(self.form, self.checker.findings, errors, self._options)

    def _tell_field(self, errors: dict[str, str]) -> None:
        row = self.pane.rows.get(self.last)
        if self.form is not None and row is not None:
            self.details.show_field(row.field, row.shown, errors.get(row.key, ""))

    def _found(self) -> None:
        """The plugins have answered."""
        findings = self.checker.findings
        if self.form is not None and findings.check is not None:
            problems = [*findings.check.problems, *(findings.size.problems if findings.size else ())]
            plan, problem = self._blamed
            # What the start said stands as long as the form is what was to start.
            if plan == self.form.plan() and problem not in problems:
                problems.append(problem)
            self.form.take_problems(problems)
        self.tell()

    def blame(self, problem: str) -> None:
        """Say what the plugins found wrong when a run was to start."""
        if self.form is not None:
            self._blamed = self.form.plan(), problem
            self.form.take_problems([problem])
            self.tell()

    async def start_over(self, base: Base | None = None) -> None:
        """A form of `base`, or of what this one starts from, with nothing changed."""
        if self.drafts is not None:
            self.drafts.start_over(base)
            await self.sync()

    async def reset(self) -> None:
        """The field as the base has it; on the first line, the whole form."""
        self.settle()
        if self.last == FROM:
            await self.start_over()
        elif self.form is not None and self.last in self.pane.rows:
            self.form.reset(self.last)
            await self.sync()

    def focus_field(self, key: str | None = None) -> None:
        """Give the keyboard to a field, by default the one that has it or had it last, and show it."""
        row = self.pane.rows.get(key or self.last) if key or not self.pane.focused() else self.pane.focused()
        if row is not None:
            row.editor.focus()
            self.call_after_refresh(row.scroll_visible, animate=False)

    def focus_first(self, keys: Sequence[str]) -> None:
        """Give the keyboard to the first field that is among `keys`, or leave it where it was last."""
        self.focus_field(next((row for row in self.pane.rows if row in keys), None))

    @on(FieldRow.Edited)
    async def _edited(self, event: FieldRow.Edited) -> None:
        event.stop()
        key = event.row.key
        if self.drafts is None or self.pane.rows.get(key) is not event.row:
            return  # of a plugin that was swapped meanwhile
        if key == FROM:
            await self._start_from(event.value)
            return
        self.settle()  # what stands in the fields now: a message of typing may be old by the time it is read
        if event.row.typed is None:
            self.drafts.form.set(key, event.value)
        if key in CHOICES:
            await self.sync()
        else:
            self.tell()

    async def _start_from(self, source: str | None) -> None:
        if self.drafts is None or source == self.drafts.form.base.source:
            return
        try:
            self.drafts.start_from(source)
        except RnnlabError as error:
            self.notify(str(error), severity="error", markup=False)
        await self.sync()  # in either case: the field says again what the form starts from

    @on(DescendantFocus)
    def _focused(self, event: DescendantFocus) -> None:
        row = self.pane.focused()
        if row is not None and row.key != self.last:
            self.last = row.key
            self._tell_field(self.form.errors() if self.form else {})
