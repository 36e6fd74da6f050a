"""The dashboard: composes the screens, the feed and what can be done with runs."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property, partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen

from rnnlab.dashboard import background, plain, settings, terminal
from rnnlab.dashboard.catalogue.catalogue import Catalogue
from rnnlab.dashboard.catalogue.installation import Installation
from rnnlab.dashboard.feed.follower import Follower
from rnnlab.dashboard.feed.snapshot import LabSnapshot
from rnnlab.dashboard.screens.frame import HELP, TABS
from rnnlab.dashboard.screens.lab_screen import LabScreen
from rnnlab.dashboard.widgets.glyphs import UNICODE, Glyphs, glyphs_for
from rnnlab.lab.lab import Lab

if TYPE_CHECKING:
    from textual.filter import LineFilter

    from rnnlab.dashboard.catalogue.store import CatalogueStore
    from rnnlab.dashboard.form.launch import Launcher, Outcome
    from rnnlab.dashboard.steering import Steering

DRAW_SECONDS = 0.25
FIRST_SECONDS = 0.02
"""Between two looks for the first snapshot."""
CATALOGUE_SECONDS = 0.3
"""After the start: finding out what is installed can wait until there is something to see."""


def _screen(name: str) -> Screen[None]:
    """A screen, imported when it is first opened."""
    module = import_module(f"rnnlab.dashboard.screens.{name}")
    return getattr(module, f"{name.title()}Screen")()


class Dashboard(App[None]):
    """The app.

    Attributes:
        lab: its runs. installation: the plugins it was opened with.
        follower: gives out snapshots. snapshot: the latest that was drawn.
        catalogue: what is installed, as far as it is known.
        glyphs: the characters the terminal can show.
        marked: runs to compare, in the order of marking.
    """

    TITLE = "rnnlab"
    MODES: ClassVar[dict[str, str | Callable[[], Screen[None]]]] = {  # pyright: ignore[reportIncompatibleVariableOverride]
        mode: partial(_screen, mode) for _, mode, _ in TABS if mode != "sweeps"
    }
    DEFAULT_MODE = "runs"
    CSS = plain.CSS
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(key, f"mode('{mode}')", label, False, id=f"app.{mode}", tooltip=f"Open {label}")
            for key, mode, label in TABS
        ),
        Binding("question_mark,f1", "help", "Help", False, id=HELP, tooltip="What the keys do"),
        Binding("q", "quit", "Quit", False, id="app.quit", tooltip="Close the dashboard; runs go on"),
    ]

    def __init__(
        self,
        lab: Lab,
        installation: Installation | None = None,
        *,
        glyphs: Glyphs | None = None,
        cache: Path | None = None,
    ) -> None:
        """
        Args:
            lab: its folder need not exist yet.
            installation: the plugins; those of the environment by default.
            glyphs: what to draw with; by default what the browser or standard error can show.
            cache: where the catalogue is kept; the user's cache by default.
        """
        super().__init__()
        self.glyphs = glyphs or (UNICODE if terminal.in_browser() else glyphs_for())
        if self.glyphs.name == "ascii":
            plain.use(self)
        self.lab = lab
        self.installation = installation or Installation.of()
        self.follower = Follower(lab)
        self.snapshot = LabSnapshot()
        self.catalogue = Catalogue()
        self.marked: tuple[str, ...] = ()
        self._current: str | None = None
        self._cache = cache
        self._focused: frozenset[str] | None = None

    # What the first picture does not need is loaded when it is first wanted.

    @cached_property
    def launcher(self) -> Launcher:
        """Starts, resumes, stops and deletes runs."""
        from rnnlab.dashboard.form.launch import Launcher

        return Launcher(self.lab, self.installation)

    @cached_property
    def store(self) -> CatalogueStore:
        """Where the catalogue comes from."""
        from rnnlab.dashboard.catalogue.store import CatalogueStore

        return CatalogueStore(self.installation, self._cache)

    @cached_property
    def _steering(self) -> Steering:
        from rnnlab.dashboard.steering import Steering

        return Steering(self)

    @property
    def current_run(self) -> str | None:
        """The run that Live shows: the one last opened or started, else the newest."""
        if self._current is not None and (not self.snapshot.runs or self.snapshot.find(self._current)):
            return self._current
        return self.snapshot.runs[0].id if self.snapshot.runs else None

    @current_run.setter
    def current_run(self, run_id: str | None) -> None:
        self._current = run_id

    # Life

    def on_mount(self) -> None:
        self.follower.start()
        settings.apply(self)
        self._first = self.set_interval(FIRST_SECONDS, self._tick)
        self.set_interval(DRAW_SECONDS, self._tick)
        self.set_timer(CATALOGUE_SECONDS, self.look_at_plugins)

    def on_unmount(self) -> None:
        self.follower.stop()
        if "store" in self.__dict__:
            self.store.close()
        if "_steering" in self.__dict__:
            self._steering.close()

    def _tick(self) -> None:
        latest = self.follower.snapshot()
        if latest.version != self.snapshot.version:
            self._first.stop()
            if self.snapshot.loading and not latest.loading:
                gc.freeze()  # what was read stays: to look for garbage in 1,000 runs takes 0.1 s each time
            self.snapshot = latest
            self.draw()

    def draw(self) -> None:
        """Draw the latest snapshot, also under a question or the help."""
        screen = next((one for one in reversed(self.screen_stack) if isinstance(one, LabScreen)), None)
        if screen is None:
            return
        screen.draw(self.snapshot)
        wanted = screen.wanted()
        if wanted is not None and frozenset(wanted) != self._focused:
            self._focused = frozenset(wanted)
            self.follower.focus(self._focused)

    def look_at_plugins(self, anew: bool = False) -> None:
        """Find out what is installed, in a thread; `anew` even if nothing seems to have changed."""

        def came(catalogue: Catalogue) -> None:
            background.tell(self, partial(self._take_catalogue, catalogue))

        def look() -> None:
            if anew:
                self.store.refresh(came, self.catalogue)
            else:
                came(self.store.load(came))

        background.in_thread(look)

    def _take_catalogue(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        for screen in self.screen_stack:
            if isinstance(screen, LabScreen):
                screen.show_catalogue(catalogue)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's, and on a terminal that shows ASCII alone what makes it of anything else."""
        given = super().get_line_filters()
        return given if self.glyphs.name != "ascii" else [*given, plain.PlainText()]

    def get_key_display(self, binding: Binding) -> str:
        """A key as it is shown; without arrows and the like where the terminal lacks them."""
        shown = super().get_key_display(binding)
        return shown if shown.isascii() or self.glyphs.name != "ascii" else binding.key

    # Opening screens

    def action_mode(self, mode: str) -> None:
        """Open a screen."""
        if mode not in self.MODES:
            self.notify("Sweeps are not there yet: start several runs from Launch, and compare them.")
            return
        self._open(mode)

    def open_live(self, run_id: str) -> None:
        """Show a run in Live."""
        self.current_run = run_id
        self._open("live", (run_id,))

    def open_compare(self, run_ids: Sequence[str]) -> None:
        """Show runs side by side."""
        self.marked = tuple(run_ids)
        self._open("compare", self.marked)

    def open_launch(self, run_id: str | None = None) -> None:
        """Open Launch, filled in from a run if one is named."""
        self._open("launch", () if run_id is None else (run_id,), tell=True)

    def _open(self, mode: str, run_ids: tuple[str, ...] = (), tell: bool = False) -> None:
        # At once, so that the keys that follow are the new screen's.
        mounted = None if mode == self.current_mode else self.switch_mode(mode)
        screen = self.screen

        async def opened() -> None:
            if mounted is not None:
                await mounted
            if (run_ids or tell) and isinstance(screen, LabScreen):
                screen.told(run_ids)
            self.draw()

        self.run_worker(opened(), group="opening")

    def action_help(self) -> None:
        """Say what the keys do."""
        from rnnlab.dashboard.screens.help import HelpPanel

        if isinstance(self.screen, LabScreen):
            self.push_screen(HelpPanel(cast("Screen[object]", self.screen)))

    def action_help_quit(self) -> None:
        """Say how to leave: ctrl+c ends no run and no dashboard."""
        self.notify("q closes the dashboard. Runs go on: they are processes of their own.")

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The palette: the screens, what the keys of this one do, and Textual's own."""
        from rnnlab.dashboard.palette import commands

        return commands(self, screen, super().get_system_commands(screen))

    # Doing things

    def do(self, action: Callable[[], Outcome], done: Callable[[Outcome], None] | None = None) -> None:
        """Do something that takes its time, in a thread; an error is shown.

        Args:
            action: called in the thread.
            done: called in the app with what came of it, error or not.
        """
        background.do(self, action, done)

    def in_thread(self, work: Callable[[], object]) -> None:
        """Call `work` in a thread that does not keep the dashboard from ending."""
        background.in_thread(work)

    def stop_run(self, run_id: str) -> None:
        """Ask, then stop a run."""
        self._steering.stop(run_id)

    def resume_run(self, run_id: str) -> None:
        """Go on with a run."""
        self._steering.resume(run_id)

    def delete_run(self, run_id: str) -> None:
        """Ask, then delete a run."""
        self._steering.delete(run_id)

    def open_tracking(self, run_id: str) -> None:
        """Show a run's page in MLflow's UI, which is started if need be."""
        self._steering.open_tracking(run_id)
