"""The Launch screen: put an experiment together, see what it would be, start it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.events import DescendantFocus
from textual.scrollbar import ScrollBarRender
from textual.widgets import Input, Static

from rnnlab.dashboard.catalogue import Catalogue
from rnnlab.dashboard.feed.snapshot import LabSnapshot
from rnnlab.dashboard.form import Consultant, Form, Outcome
from rnnlab.dashboard.form.base import Base
from rnnlab.dashboard.screens.lab_screen import LabScreen
from rnnlab.dashboard.screens.launch_check import Checker
from rnnlab.dashboard.screens.launch_details import Details
from rnnlab.dashboard.screens.launch_dialogs import PathDialog
from rnnlab.dashboard.screens.launch_fields import FieldRow
from rnnlab.dashboard.screens.launch_form import CHOICES, FROM, FormPane
from rnnlab.errors import RnnlabError
from rnnlab.lab.lab import Lab


class WholeCells(ScrollBarRender):
    """A scrollbar without the blocks that only UTF-8 has."""

    VERTICAL_BARS: ClassVar[list[str]] = [" "]


class LaunchScreen(LabScreen):
    """A form over what is installed.

    Attributes:
        form: what is being put together; None while the plugins are not known.
    """

    CSS_PATH = "launch.tcss"
    AUTO_FOCUS = ""  # the first field's, when there is one
    ABOUT = (
        "Put an experiment together and start it. Tab, shift+tab, up and down go from field to field, page\n"
        "down and up from section to section. Left and right change a choice, enter opens it, space turns a\n"
        "switch. Where a text is typed, 1-6, ? and q are letters: esc leaves the field. Runs go on by themselves."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "ctrl+r,f5", "start", "Start", id="launch.start", tooltip="Start the run, detached, and watch it"
        ),
        Binding("ctrl+s", "save", "Save", id="launch.save", tooltip="Save as an experiment file"),
        Binding("ctrl+o", "open", "Open", id="launch.open", tooltip="Open an experiment file"),
        Binding("ctrl+y", "copy", "Copy command", id="launch.copy", tooltip="Copy the rnnlab run command"),
        Binding("ctrl+z", "reset", "Reset", id="launch.reset", tooltip="Give the field what the preset says"),
        Binding(
            "slash,ctrl+f",
            "filter",
            "Filter",
            key_display="/",
            id="launch.filter",
            tooltip="Show only the fields whose names hold a text; ctrl+f where / is typed",
        ),
        Binding("f2", "details", "Details", id="launch.details", tooltip="The whole side pane, and back"),
        Binding(
            "escape",
            "leave",
            "Leave field",
            show=False,
            id="launch.leave",
            tooltip="Out of the field, so that 1-6, ? and q are keys again; down or enter goes back",
        ),
        Binding("down,up,enter", "back", "Back to the field", show=False, id="launch.back"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.form: Form | None = None
        self._catalogue: Catalogue | None = None
        self._forms: dict[str | None, Form] = {}
        self._last: str = FROM
        self._run: str | None = None
        self._starting = False
        self._checker: Checker | None = None

    def body(self) -> ComposeResult:
        """Fields, and what they mean."""
        glyphs = self.dashboard.glyphs
        self.pane, self.details = FormPane(glyphs), Details(glyphs)
        self.filter_line = Input(placeholder="fields whose names hold ...", id="filter", compact=True)
        yield Static(Content("Looking at the plugins ..."), id="loading")
        with Horizontal(id="launch"):
            yield Vertical(self.filter_line, self.pane, id="left")
            yield self.details

    def on_mount(self) -> None:
        """Show the form as soon as the plugins are known."""
        if self.dashboard.glyphs.name == "ascii":
            self.add_class("ascii")
            for pane in (self.pane, self.details):
                pane.vertical_scrollbar.renderer = WholeCells  # pyright: ignore[reportAttributeAccessIssue]
        self.add_class("-loading")
        consultant = Consultant(self.dashboard.installation)
        self._checker = Checker(self, consultant, self.dashboard.lab, self._found)
        self.call_after_refresh(self._look)

    def on_unmount(self) -> None:
        """End the processes that answered."""
        if self._checker is not None:
            self._checker.close()

    def show(self, snapshot: LabSnapshot) -> None:
        """Nothing of a form comes from the runs; the estimate reads them when it is asked."""

    def on_resize(self) -> None:
        """The side pane tells less where there is less room."""
        if self._checker is not None:
            self.call_after_refresh(self._refresh)

    def told(self, run_ids: tuple[str, ...]) -> None:
        """Fill the form in from a run, now or as soon as the plugins are known."""
        self._run = next(iter(run_ids), None)
        if self.form is not None:
            self._open_wanted_run()

    def show_catalogue(self, catalogue: Catalogue) -> None:
        """Take what is known of the plugins now; what was typed stays."""
        if self._checker is not None:
            self.call_later(self._look)

    async def _look(self) -> None:
        """Take a catalogue that is new."""
        catalogue = self.dashboard.catalogue
        if catalogue is self._catalogue:
            return
        self._catalogue = catalogue
        if not catalogue.entries:
            why = f"\n{catalogue.error}\n`rnnlab doctor` tells more." if catalogue.error else ""
            self.query_one("#loading", Static).update(Content(f"Looking at the plugins ...{why}"))
            return
        self._forms = {source: form.with_catalogue(catalogue) for source, form in self._forms.items()}
        first = self.form is None
        form = self.form.with_catalogue(catalogue) if self.form else self._first_form(catalogue)
        if self._checker is not None and not first:
            self._checker.consultant.restart()
            self._checker.forget()
        await self._show(form)
        if first:
            self._focus(FROM)
            self._open_wanted_run()

    def _first_form(self, catalogue: Catalogue) -> Form:
        """The first preset's, so that there is a command to look at; or a blank one."""
        preset = next(catalogue.ready("preset"), None)
        try:
            return Form.from_preset(catalogue, preset.name) if preset else Form.blank(catalogue)
        except RnnlabError as error:
            self.notify(str(error), severity="error", markup=False)
            return Form.blank(catalogue)

    async def _show(self, form: Form) -> None:
        self.form = form
        self._forms[form.base.source] = form
        self.remove_class("-loading")
        await self.pane.sync(form)
        self._refresh()

    def _refresh(self) -> None:
        """After any change: errors, the side pane, and the question to the plugins."""
        if self.form is None or self._checker is None:
            return
        self._checker.ask(self.form)
        errors = self.form.errors()
        self.pane.mark(self.form, errors)
        self._tell_field(errors)
        self.details.show_form(self.form, self._checker.findings, errors, self._options())

    def _tell_field(self, errors: dict[str, str]) -> None:
        row = self.pane.rows.get(self._last)
        if self.form is not None and row is not None:
            self.details.show_field(self.form, row.field, row.shown, errors.get(row.key, ""))

    def _found(self) -> None:
        """The plugins have answered."""
        check = self._checker.findings.check if self._checker else None
        if self.form is not None and check is not None:
            self.form.take_problems(check.problems)
        self._refresh()

    def _options(self) -> list[str]:
        """The options of `rnnlab` that make a command mean this lab and these plugins."""
        lab = self.dashboard.lab
        here = [] if Lab.open().path == lab.path else ["--runs-dir", str(lab.path)]
        return here + self.dashboard.installation.options()

    @on(FieldRow.Edited)
    async def _edited(self, event: FieldRow.Edited) -> None:
        event.stop()
        key = event.row.key
        if self.form is None or self.pane.rows.get(key) is not event.row:
            return  # of a plugin that was swapped meanwhile
        if key == FROM:
            await self._start_from(event.value)
            return
        self.form.set(key, event.value)
        if key in CHOICES:
            await self.pane.sync(self.form)
        self._refresh()

    async def _start_from(self, source: str | None) -> None:
        """Another preset, file or nothing; what was changed of it before comes back."""
        assert self.form is not None
        if source == self.form.base.source:
            return
        catalogue = self.form.catalogue
        try:
            form = self._forms.get(source) or (
                Form.from_preset(catalogue, source) if source is not None else Form.blank(catalogue)
            )
        except RnnlabError as error:
            self.notify(str(error), severity="error", markup=False)
            form = self.form
        await self._show(form)

    @on(DescendantFocus)
    def _focused(self, event: DescendantFocus) -> None:
        row = self.pane.focused()
        if row is not None and row.key != self._last:
            self._last = row.key
            self._tell_field(self.form.errors() if self.form else {})

    def _focus(self, key: str) -> None:
        if row := self.pane.rows.get(key):
            row.editor.focus()
            self.call_after_refresh(row.scroll_visible, animate=False)

    async def action_reset(self) -> None:
        """The focused field as the base has it; on the first line, the whole form."""
        if self.form is None:
            return
        if self._last == FROM:
            await self._show(Form(self.form.catalogue, self.form.base))
            return
        if self._last in self.pane.rows:
            self.form.reset(self._last)
            await self.pane.sync(self.form)
            self._refresh()

    def action_copy(self) -> None:
        """The command, to the clipboard and in a notification, for terminals that have none."""
        command = self.details.command
        if not command:
            self.notify("The form started from nothing: save it (ctrl+s), then it has a command.")
            return
        self.app.copy_to_clipboard(command)
        self.notify(command, title="Copied", markup=False)

    def action_start(self) -> None:
        """Start what the form says, unless something is known to be wrong with it."""
        if self.form is None or self._starting:
            return
        errors = self.form.errors()
        if errors:
            key = next(iter(errors))
            self._focus(next((row for row in self.pane.rows if row in errors), self._last))
            more = f" (and {len(errors) - 1} more)" if errors.keys() - {key} else ""
            line = f"{key}: {errors[key]}{more}" if key else errors[key] + more
            self.notify(line, title="Not started", severity="error", markup=False)
            return
        launcher = self.dashboard.launcher
        command = self.form.command()
        start: Callable[[], Outcome]
        if command is not None:
            start = partial(launcher.start_command, command)
        else:  # a copy: the form may change while it is written
            start = partial(
                launcher.start, deepcopy(self.form, {id(self.form.catalogue): self.form.catalogue})
            )
        self._starting = True
        self.notify("Starting ...")
        self.dashboard.do(start, self._started)

    def _started(self, outcome: Outcome) -> None:
        self._starting = False
        if outcome.ok:
            if self._checker is not None:
                self._checker.forget()  # a run more tells how long it takes
            self.dashboard.open_live(outcome.run)
        elif self.form is not None:
            self.form.take_problems([outcome.error])
            self._refresh()

    @work
    async def action_save(self) -> None:
        """Ask where, then write an experiment file."""
        if self.form is None:
            return
        form = self.form
        name = f"{form.text('name') or 'experiment'}.yaml"
        path = await self.app.push_screen_wait(PathDialog("Save as an experiment file", name, saving=True))
        if path is None:
            return
        try:
            await asyncio.to_thread(form.save, path)
        except OSError as error:
            why = f"{path} cannot be written ({error.strerror}); name another file"
            self.notify(why, severity="error", markup=False)
            return
        self.notify(f"Saved as {path}", markup=False)
        if form.base.source in (None, str(path.absolute())) and form is self.form:
            self._forms.pop(form.base.source, None)
            await self._read(path)  # from now on its command names the file

    @work
    async def action_open(self) -> None:
        """Ask which, then fill the form in from an experiment file."""
        path = await self.app.push_screen_wait(PathDialog("Open an experiment file", "", saving=False))
        if path is not None:
            await self._read(path)

    @work(exclusive=True, group="launch-run")
    async def _open_wanted_run(self) -> None:
        run_id, self._run = self._run, None
        if run_id is None:
            return
        try:
            run = await asyncio.to_thread(self.dashboard.lab.find, run_id)
        except RnnlabError as error:
            self.notify(str(error), severity="error", markup=False)
            return
        await self._read(run.config_path)

    async def _read(self, path: Path) -> None:
        """Fill the form in from a file."""
        if self.form is None:
            return
        catalogue = self.form.catalogue
        try:
            base = await asyncio.to_thread(Base.file, path, catalogue)
        except RnnlabError as error:
            self.notify(str(error), severity="error", markup=False)
            return
        await self._show(Form(catalogue, base))

    def action_filter(self) -> None:
        """Type a part of a name."""
        self.add_class("-filtering")
        self.filter_line.focus()

    @on(Input.Changed, "#filter")
    def _filter_typed(self, event: Input.Changed) -> None:
        event.stop()
        self.pane.filter(event.value)

    @on(Input.Submitted, "#filter")
    def _filter_done(self, event: Input.Submitted) -> None:
        event.stop()
        if rows := self.pane.reachable():
            rows[0].editor.focus()

    def action_leave(self) -> None:
        """Out of the filter, of the whole side pane, or of the field."""
        if self.has_class("-filtering"):
            self.remove_class("-filtering")
            self.filter_line.value = ""
            self.pane.filter("")
            self.call_after_refresh(self._focus, self._last)
        elif self.has_class("-all"):
            self.action_details()
        else:
            self.set_focus(None)

    def action_back(self) -> None:
        """Into the field again; from the filter, to the first field it shows."""
        if self.focused is self.filter_line:
            self.pane.action_step(1)
        elif self.focused is None:
            self._focus(self._last)

    def action_details(self) -> None:
        """The whole side pane in place of the fields, where there is no room for both."""
        self.toggle_class("-all")
        self._refresh()
        focus: Callable[[], Any] = (
            self.details.focus if self.has_class("-all") else partial(self._focus, self._last)
        )
        self.call_after_refresh(focus)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The side pane is whole already where the terminal is wide."""
        return self.has_class("narrow") if action == "details" else super().check_action(action, parameters)
