"""The Launch screen: put an experiment together, see what it would be, start it."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from rnnlab.dashboard.catalogue import Catalogue
from rnnlab.dashboard.feed.snapshot import LabSnapshot
from rnnlab.dashboard.form import Consultant, Form, Outcome
from rnnlab.dashboard.form.base import Base
from rnnlab.dashboard.screens.lab_screen import LabScreen
from rnnlab.dashboard.screens.launch_dialogs import PathDialog
from rnnlab.dashboard.screens.launch_source import FROM
from rnnlab.dashboard.screens.launch_workbench import Workbench
from rnnlab.errors import RnnlabError
from rnnlab.lab.lab import Lab

LOOKING = "Looking at the plugins ..."


class LaunchScreen(LabScreen):
    """A form over what is installed.

    Attributes:
        bench: the form, and what is said of it.
    """

    CSS_PATH = "launch.tcss"
    AUTO_FOCUS = ""  # the first field's, when there is one
    ABOUT = (
        "Put an experiment together and start it. Tab, shift+tab, up and down go from field to field, page "
        "down and up from section to section. Left and right change a choice, enter opens it, space turns a "
        "switch. Where a text is typed, 1-6, ? and q are letters: esc leaves the field. Runs go on by "
        "themselves."
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
        Binding(
            "down,up,enter",
            "back",
            "Back to the field",
            show=False,
            id="launch.back",
            tooltip="Back to the field it was opened from",
        ),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._catalogue: Catalogue | None = None
        self._run: str | None = None
        self._starting = False

    @property
    def form(self) -> Form | None:
        """What is being put together; None while the plugins are not known."""
        return self.bench.form

    def body(self) -> ComposeResult:
        """The workbench, and what stands there before the plugins are known."""
        dashboard = self.dashboard
        self.bench = Workbench(dashboard, Consultant(dashboard.installation), self._options())
        yield Static(Content(LOOKING), id="loading")
        yield self.bench

    def _options(self) -> list[str]:
        """The options of `rnnlab` that make a command mean this lab and these plugins."""
        lab = self.dashboard.lab
        here = [] if Lab.open().path == lab.path else ["--runs-dir", str(lab.path)]
        return here + self.dashboard.installation.options()

    def on_mount(self) -> None:
        """Show the form as soon as the plugins are known."""
        self.add_class("-loading")
        self.call_after_refresh(self._look)

    def show(self, snapshot: LabSnapshot) -> None:
        """Nothing of a form comes from the runs; the estimate reads them when it is asked."""

    def on_resize(self) -> None:
        """The side pane tells less where there is less room."""
        self.call_after_refresh(self.bench.tell)
        self.call_after_refresh(self.refresh_bindings)  # f2 is there only where the terminal is narrow

    def told(self, run_ids: tuple[str, ...]) -> None:
        """Fill the form in from a run, now or as soon as the plugins are known."""
        self._run = next(iter(run_ids), None)
        if self.form is not None:
            self._open_run()

    def show_catalogue(self, catalogue: Catalogue) -> None:
        """Take what is known of the plugins now; what was typed stays."""
        self.call_later(self._look)

    async def _look(self) -> None:
        """Take a catalogue that is new."""
        catalogue = self.dashboard.catalogue
        if catalogue is self._catalogue:
            return
        self._catalogue = catalogue
        if not catalogue.entries:
            why = f"\n{catalogue.error}\n`rnnlab doctor` tells more." if catalogue.error else ""
            self.query_one("#loading", Static).update(Content(LOOKING + why))
            return
        first = self.form is None
        await self.bench.take_catalogue(catalogue)
        if first:
            self.remove_class("-loading")
            self.call_after_refresh(self.bench.focus_field, FROM)  # what is not shown yet takes no focus
            self._open_run()

    async def action_reset(self) -> None:
        """The focused field as the base has it; on the first line, the whole form."""
        await self.bench.reset()

    def action_copy(self) -> None:
        """The command, to the clipboard and in a notification, for terminals that have none."""
        self.bench.settle()
        self.bench.tell()
        command = self.bench.details.command
        if not command:
            self.notify("The form started from nothing: save it (ctrl+s), then it has a command.")
            return
        self.app.copy_to_clipboard(command)
        self.notify(command, title="Copied", markup=False)

    def action_start(self) -> None:
        """Start what the form says, unless something is known to be wrong with it."""
        if self.form is None or self._starting:
            return
        self.bench.settle()
        if errors := self.form.errors():
            self._refuse(errors)
            return
        self._starting = True
        self.notify("Starting ...")
        self.dashboard.do(partial(self.dashboard.launcher.start, self.form.plan()), self._started)

    def _refuse(self, errors: dict[str, str]) -> None:
        """Say why nothing starts, and go to the first field that is wrong."""
        self.bench.focus_first(list(errors))
        key, line = next(iter(errors.items()))
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        line = f"{key}: {line}{more}" if key else line + more
        self.notify(line, title="Not started", severity="error", markup=False)

    def _started(self, outcome: Outcome) -> None:
        self._starting = False
        if outcome.ok:
            self.bench.checker.forget()  # a run more tells how long it takes
            self.dashboard.open_live(outcome.run)
        else:
            self.bench.blame(outcome.error)

    @work
    async def action_save(self) -> None:
        """Ask where, then write an experiment file."""
        self.bench.settle()
        form = self.form
        if form is None or self.bench.drafts is None:
            return
        name = f"{form.text('name') or 'experiment'}.yaml"
        path = await self.app.push_screen_wait(PathDialog("Save as an experiment file", name, saving=True))
        if path is None:
            return
        try:
            await asyncio.to_thread(form.plan().save, path)
        except OSError as error:
            why = f"{path} cannot be written ({error.strerror}); name another file"
            self.notify(why, severity="error", markup=False)
            return
        self.notify(f"Saved as {path}", markup=False)
        if form.base.source in (None, str(path.absolute())) and (base := await self._read(path)):
            self.bench.drafts.saved(base)  # from now on its command names the file
            await self.bench.sync()

    @work
    async def action_open(self) -> None:
        """Ask which, then fill the form in from an experiment file."""
        path = await self.app.push_screen_wait(PathDialog("Open an experiment file", "", saving=False))
        if path is not None and (base := await self._read(path)):
            await self.bench.start_over(base)

    @work(exclusive=True, group="launch-run")
    async def _open_run(self) -> None:
        """Fill the form in from the run that is waited for."""
        run_id, self._run = self._run, None
        if run_id is None:
            return
        try:
            run = await asyncio.to_thread(self.dashboard.lab.find, run_id)
        except RnnlabError as error:
            self.notify(str(error), severity="error", markup=False)
            return
        if base := await self._read(run.config_path):
            await self.bench.start_over(base)

    async def _read(self, path: Path) -> Base | None:
        """What a file says; says what is wrong where it cannot be read."""
        try:
            return await asyncio.to_thread(Base.file, path, self.dashboard.catalogue)
        except RnnlabError as error:
            self.notify(str(error), severity="error", markup=False)
            return None

    def action_filter(self) -> None:
        """Type a part of a name."""
        self.bench.side.open_filter()

    def action_leave(self) -> None:
        """Out of the filter, of the whole side pane, or of the field."""
        if self.bench.side.filtering:
            self.bench.side.close_filter()
            self.call_after_refresh(self.bench.focus_field)
        elif self.has_class("-all"):
            self.action_details()
        else:
            self.set_focus(None)

    def action_back(self) -> None:
        """Into the field again; from the filter, to the first field it shows."""
        if self.focused is self.bench.side.line:
            self.bench.pane.action_step(1)
        elif self.focused is None:
            self.bench.focus_field()

    def action_details(self) -> None:
        """The whole side pane in place of the fields, where there is no room for both."""
        self.toggle_class("-all")
        self.bench.tell()
        whole = self.has_class("-all")
        self.call_after_refresh(self.bench.details.focus if whole else self.bench.focus_field)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The side pane is whole already where the terminal is wide."""
        return self.has_class("narrow") if action == "details" else super().check_action(action, parameters)
