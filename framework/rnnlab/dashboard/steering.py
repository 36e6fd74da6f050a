"""Stopping, resuming and deleting runs, and their pages in MLflow, from any screen."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from rnnlab.dashboard.form.launch import Outcome
from rnnlab.dashboard.mlflow_page import MlflowPage
from rnnlab.dashboard.screens.confirm import Confirm
from rnnlab.lab.run import Run

if TYPE_CHECKING:
    from rnnlab.dashboard.app import Dashboard
    from rnnlab.dashboard.feed.snapshot import RunSnapshot

RESUMABLE = ("stopped", "failed", "crashed")


class Steering:
    """What a user does to runs: asked first where it cannot be taken back, told what came of it."""

    def __init__(self, app: Dashboard) -> None:
        self._app = app
        self._page = MlflowPage(app.lab, app.installation)
        self._busy: set[str] = set()

    def close(self) -> None:
        """End what was started for the dashboard alone."""
        self._page.close()

    def stop(self, run_id: str) -> None:
        """Ask, then stop."""
        run = self._find(run_id, ("running", "created"), "stop", "only a running one can be stopped")
        if run is not None:
            self._ask(
                f"Stop {run_id}?",
                "It finishes its step, saves and ends; it can be resumed from there.",
                "Stop",
                lambda: self._do(run, "stopping", "stopped", self._app.launcher.stop),
            )

    def resume(self, run_id: str) -> None:
        """Go on with a run from its last checkpoint."""
        hint = "only a stopped, failed or crashed one can be resumed; r starts it anew"
        run = self._find(run_id, RESUMABLE, "resume", hint)
        if run is not None:
            self._do(run, "resuming", "goes on", self._app.launcher.resume)

    def delete(self, run_id: str) -> None:
        """Ask, then delete a run's folder."""
        run = self._find(run_id, (*RESUMABLE, "finished", "created"), "delete", "stop it first")
        if run is not None:
            self._ask(
                f"Delete {run_id}?",
                f"Its folder in {run.path.parent} goes with its curves and checkpoints, for good. "
                "What MLflow has of it stays there.",
                "Delete",
                lambda: self._do(run, "deleting", "deleted", self._app.launcher.delete),
            )

    def open_tracking(self, run_id: str) -> None:
        """Open a run's page in MLflow's UI."""
        run = self._app.snapshot.find(run_id)
        if run is None or self._is_busy(run_id):
            return
        if not self._page.answers(Run(run.path)):
            self._app.notify("Starting MLflow's UI; this takes some seconds.", markup=False)
        address: list[str] = []

        def look() -> Outcome:
            address.append(self._page.address(Run(run.path)))
            return Outcome(run_id)

        def done(outcome: Outcome) -> None:
            self._busy.discard(run_id)
            if outcome.ok:
                self._show(address[0])

        self._busy.add(run_id)
        self._app.do(look, done)

    def _show(self, address: str) -> None:
        """In a browser if there is one that does not need this terminal, else as text to copy."""
        if self._app.is_web or has_browser():
            self._app.open_url(address)
            self._app.notify(address, title="MLflow", markup=False)
            return
        self._app.copy_to_clipboard(address)
        self._app.notify(f"{address}\n(copied to the clipboard)", title="MLflow", timeout=30, markup=False)

    def _find(self, run_id: str, states: tuple[str, ...], verb: str, hint: str) -> RunSnapshot | None:
        run = self._app.snapshot.find(run_id)
        if run is None or self._is_busy(run_id):
            return None
        if run.state not in states:
            self._app.notify(
                f"{run_id} is {run.state}: cannot {verb} it; {hint}", severity="warning", markup=False
            )
            return None
        return run

    def _is_busy(self, run_id: str) -> bool:
        if run_id in self._busy:
            self._app.notify(f"{run_id}: the last thing asked of it is still being done", markup=False)
        return run_id in self._busy

    def _ask(self, question: str, detail: str, yes: str, action: Callable[[], None]) -> None:
        def answered(answer: bool | None) -> None:
            if answer:
                action()

        self._app.push_screen(Confirm(question, detail, yes, self._app.glyphs), answered)

    def _do(self, run: RunSnapshot, doing: str, did: str, what: Callable[[Run], Outcome]) -> None:
        def done(outcome: Outcome) -> None:
            self._busy.discard(run.id)
            if outcome.ok:
                self._app.notify(f"{run.id} {did}", markup=False)

        self._busy.add(run.id)
        self._app.notify(f"{doing} {run.id}", timeout=3, markup=False)
        self._app.do(partial(what, Run(run.path)), done)


def has_browser() -> bool:
    """Whether a browser can open beside the terminal; one that runs in it would take it over."""
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
