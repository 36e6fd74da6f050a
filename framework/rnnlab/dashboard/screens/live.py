"""Live: one run while it trains."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical

from rnnlab.dashboard.feed.snapshot import LabSnapshot, RunSnapshot
from rnnlab.dashboard.screens.gates_pane import GatesPane
from rnnlab.dashboard.screens.lab_screen import LabScreen
from rnnlab.dashboard.screens.live_charts import LiveCharts
from rnnlab.dashboard.screens.log_pane import LogPane
from rnnlab.dashboard.screens.run_line import RunLine
from rnnlab.dashboard.screens.samples_pane import SamplesPane
from rnnlab.dashboard.screens.system_pane import SystemPane

PANES = ("gates", "samples", "log", "system")
ALONE = ("", "-pane", "-curves")
"""Classes of the screen: everything there is room for, the chosen pane alone, the curves alone."""
STOPPABLE = ("running", "created")
RESUMABLE = ("stopped", "failed", "crashed")


def _key(keys: str, action: str, label: str, name: str, tooltip: str, show: bool = False) -> Binding:
    return Binding(keys, action, label, show, id=f"live.{name}", tooltip=tooltip)


@dataclass(frozen=True)
class Pause:
    """What a frozen view shows, and since when (milliseconds since the epoch)."""

    run_id: str
    snapshot: LabSnapshot
    since: int


class LiveScreen(LabScreen):
    """A run's progress, curves, gates, answers, log and machine.

    Everything on it comes from one snapshot; while the view is paused, from the one it was paused at. Where
    there is no room for all panes, one of them stands below the curves.
    """

    CSS_PATH = "live.tcss"
    AUTO_FOCUS = "#big"
    VERTICAL_BREAKPOINTS = [(0, "short"), (32, "tall")]  # noqa: RUF012
    ABOUT = (
        "One run while it trains: its curves, what its gates do on one example, answers beside the "
        "truth (wrong parts underlined), its log and the machine. Pausing freezes the view, never the run. "
        "Arrows read values out of the curves and the gates, whichever is in focus."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        _key("space", "pause", "Pause", "pause", "Freeze the view, or follow again; the run goes on", True),
        _key("S", "stop", "Stop run", "stop", "Stop the run after its current step; it saves first", True),
        _key("u,R", "resume", "Resume", "resume", "Go on from this run's last checkpoint", True),
        _key("m", "metric(1)", "Metric", "metric", "Next metric in the big chart", True),
        _key("p", "pane(1)", "Pane", "pane", "Go to the next pane: gates, samples, log, system", True),
        _key("g", "gate(1)", "Gate", "gate", "Next gate or state", True),
        _key("v", "layer(1)", "Layer", "layer", "Gates of the next layer or direction", True),
        _key("z", "alone", "Zoom", "zoom", "The pane alone, the curves alone, or both", True),
        _key("l", "log_scale", "Log", "log", "Logarithmic scale in the big chart", True),
        _key(
            "s", "smooth", "Smooth", "smooth", "Smooth the big chart more; after the most, not at all", True
        ),
        _key("r", "again", "Re-run", "again", "Open Launch filled in from this run", True),
        _key("left_square_bracket", "run(1)", "Older", "older", "The run before this one", True),
        _key("right_square_bracket", "run(-1)", "Newer", "newer", "The run after this one", True),
        _key("o", "tracking", "MLflow", "tracking", "Open this run's page in MLflow's UI", True),
        _key("M", "metric(-1)", "Metric back", "metric_back", "Previous metric in the big chart"),
        _key("P", "pane(-1)", "Pane back", "pane_back", "Go to the previous pane"),
        _key("G", "gate(-1)", "Gate back", "gate_back", "Previous gate or state"),
        _key("V", "layer(-1)", "Layer back", "layer_back", "Gates of the previous layer or direction"),
        _key("escape", "leave", "Back", "back", "Back to the curves; from there, to all runs"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.run: RunSnapshot | None = None
        """The run that is drawn."""
        self.paused: Pause | None = None
        self.pane = PANES[0]
        """The one that is shown where there is no room for all."""
        self._offered: object = None

    def body(self) -> ComposeResult:
        glyphs = self.dashboard.glyphs
        self.add_class(glyphs.name)
        yield RunLine(glyphs, id="run-line")
        with Vertical(id="live-main"):
            with Horizontal(id="live-body"):
                yield LiveCharts(glyphs, id="live-charts")
                with Vertical(id="live-side", classes="panes"):
                    yield GatesPane(glyphs, id="gates", classes="pane")
                    yield SamplesPane(glyphs, id="samples", classes="pane titled")
            with Horizontal(id="live-foot", classes="panes"):
                yield LogPane(id="log", classes="pane titled")
                yield SystemPane(glyphs, id="system", classes="pane titled")

    def on_mount(self) -> None:
        self.query_one(LogPane).border_title = " log "
        self.query_one(SystemPane).border_title = " machine "
        self._choose(self.pane)

    def wanted(self) -> Collection[str]:
        return (self.dashboard.current_run,) if self.dashboard.current_run else ()

    def told(self, run_ids: tuple[str, ...]) -> None:
        self.paused = None

    # Drawing

    def show(self, snapshot: LabSnapshot) -> None:
        """Draw the current run as it is in `snapshot`, or as it was when the view was paused."""
        current = self.dashboard.current_run
        if self.paused is not None and self.paused.run_id != current:
            self.paused = None
        shown = self.paused.snapshot if self.paused is not None else snapshot
        run = shown.find(current) if current else None
        self._show_head(run, shown)
        if run is not None:
            self.query_one(SystemPane).set_system(shown.system, run)
        if run is not self.run:
            self._show_run(run)
        live = snapshot.find(current) if current else None
        offered = (live.state if live else "", run.gates if run else None, len(snapshot.runs))
        if offered != self._offered:
            self._offered = offered
            self.refresh_bindings()

    def _show_head(self, run: RunSnapshot | None, shown: LabSnapshot) -> None:
        line = self.query_one(RunLine)
        self.set_class(run is None, "-empty")
        line.run = run
        line.paused_at = self.paused.since if self.paused is not None else None
        line.empty = "reading the lab" if shown.version == 0 else f"no runs in {self.dashboard.lab.path}"
        if run is not None:
            place = len(shown.runs) - [one.id for one in shown.runs].index(run.id)
            line.position = f"run {place} of {len(shown.runs)}" if len(shown.runs) > 1 else ""

    def _show_run(self, run: RunSnapshot | None) -> None:
        another = (run and run.id) != (self.run and self.run.id)
        self.run = run
        self.query_one(LiveCharts).set_run(run)
        self.query_one(GatesPane).set_run(run)
        self.query_one(SamplesPane).set_run(run)
        self.query_one(LogPane).set_messages(run.log if run else (), follow=another)

    def _choose(self, pane: str) -> None:
        """Make `pane` the one that is seen, and its container with it."""
        self.pane = pane
        chosen = self.query_one(f"#{pane}")
        for widget in self.query(".pane"):
            widget.set_class(widget is chosen, "-chosen")
        for group in self.query(".panes"):
            group.set_class(chosen.parent is group, "-chosen")
        self.query_one("#live-body").set_class(chosen in self.query("#live-body .pane"), "-chosen")

    # What keys do

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that do nothing for the run as it is now are not shown."""
        here = self.dashboard.current_run
        live = self.dashboard.snapshot.find(here) if here else None
        if not self.is_mounted or not self.query(GatesPane):
            return True
        gates = self.query_one(GatesPane)
        possible = {
            "stop": live is not None and live.state in STOPPABLE,
            "resume": live is not None and live.state in RESUMABLE,
            "gate": bool(gates.gates),
            "layer": len(gates.places) > 1,
            "run": len(self.dashboard.snapshot.runs) > 1,
        }
        needs_a_run = action in (
            "pause",
            "metric",
            "alone",
            "log_scale",
            "smooth",
            "again",
            "tracking",
            "pane",
        )
        return True if possible.get(action, live is not None or not needs_a_run) else None

    def action_pause(self) -> None:
        """Freeze the view, or follow again."""
        if self.paused is None and self.run is not None:
            self.paused = Pause(self.run.id, self.dashboard.snapshot, int(time.time() * 1000))
        else:
            self.paused = None
        self.dashboard.draw()

    def action_metric(self, by: int) -> None:
        """Another metric in the big chart."""
        self.query_one(LiveCharts).next_metric(by)

    def action_pane(self, by: int) -> None:
        """Go to another pane; where there is room for one, it takes the place of the one shown."""
        already_there = self.focused is not None and self.focused.id == self.pane
        seen_alone = self._one_pane and not self.has_class("-curves")
        self.remove_class("-curves")
        if already_there or seen_alone:
            self._choose(PANES[(PANES.index(self.pane) + by) % len(PANES)])
        self.query_one(f"#{self.pane}").focus()

    @property
    def _one_pane(self) -> bool:
        """Whether only the chosen pane is shown, if any is."""
        return any(self.has_class(name) for name in ("narrow", "short", "-pane"))

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """The pane that is in focus is the chosen one."""
        if event.widget.id in PANES:
            self._choose(event.widget.id)

    def action_alone(self) -> None:
        """The pane alone, the curves alone, or both."""
        now = next((name for name in ALONE[1:] if self.has_class(name)), "")
        after = ALONE[(ALONE.index(now) + 1) % len(ALONE)]
        for name in ALONE[1:]:
            self.set_class(name == after, name)
        # What is hidden loses the focus; by then the other is there to take it.
        if after:
            self.call_after_refresh(self.query_one("#big" if after == "-curves" else f"#{self.pane}").focus)

    def action_gate(self, by: int) -> None:
        """Another gate or state."""
        self.query_one(GatesPane).next_gate(by)

    def action_layer(self, by: int) -> None:
        """Another layer or direction."""
        self.query_one(GatesPane).next_layer(by)

    def action_log_scale(self) -> None:
        """Logarithmic or linear."""
        self.query_one(LiveCharts).switch_log_scale()

    def action_smooth(self) -> None:
        """Smoother."""
        self.query_one(LiveCharts).smooth_more()

    def action_run(self, by: int) -> None:
        """An older or a newer run."""
        runs = [run.id for run in self.dashboard.snapshot.runs]
        here = self.dashboard.current_run
        at = runs.index(here) + by if here in runs else 0
        if 0 <= at < len(runs):
            self.dashboard.open_live(runs[at])
        else:
            self.notify(f"This is the {'oldest' if by > 0 else 'newest'} run.", timeout=3)

    def action_stop(self) -> None:
        """Ask, then stop the run."""
        if (here := self.dashboard.current_run) is not None:
            self.dashboard.stop_run(here)

    def action_resume(self) -> None:
        """Go on with the run."""
        if (here := self.dashboard.current_run) is not None:
            self.dashboard.resume_run(here)

    def action_again(self) -> None:
        """Start it with changes."""
        if (here := self.dashboard.current_run) is not None:
            self.dashboard.open_launch(here)

    def action_tracking(self) -> None:
        """Its page in MLflow."""
        if (here := self.dashboard.current_run) is not None:
            self.dashboard.open_tracking(here)

    def action_leave(self) -> None:
        """Back to everything, then to the curves, then to all runs."""
        if any(self.has_class(name) for name in ALONE[1:]):
            self.remove_class(*ALONE[1:])
        elif self.focused is not None and self.focused.id in PANES:
            self.query_one("#big").focus()
        else:
            self.dashboard.action_mode("runs")
