"""A run's page in MLflow's UI, which is started when it is first asked for. Imports no mlflow."""

from __future__ import annotations

import sys
import time

from rnnlab.dashboard.catalogue.installation import Installation
from rnnlab.dashboard.guarded import Guarded
from rnnlab.errors import InputError, RnnlabError
from rnnlab.lab.lab import Lab
from rnnlab.lab.run import Run
from rnnlab.tracking.links import run_url, ui_address
from rnnlab.tracking.record import Record

START_SECONDS = 90.0


class MlflowPage:
    """Knows where MLflow's UI of a lab answers, and ends the one it started."""

    def __init__(self, lab: Lab, installation: Installation) -> None:
        self._lab, self._installation = lab, installation
        self._ui: Guarded | None = None

    def answers(self, run: Run) -> bool:
        """Whether the run's page can be opened at once, or never."""
        return not self._needs_ui(run) or ui_address(self._lab.path) is not None

    def address(self, run: Run) -> str:
        """The page's address, once it can be opened; waits for that.

        Raises:
            InputError: MLflow does not have the run.
            RnnlabError: the UI does not start.
        """
        if run_url(run) is None:
            raise InputError(
                f"MLflow does not have {run.id} (yet); 'rnnlab sync {run.id}' ships it and says why"
            )
        if self._needs_ui(run):
            self._start()
        return run_url(run) or ""

    def close(self) -> None:
        """End the UI if it was started here; another's stays."""
        if self._ui is not None:
            self._ui.end(wait=False)

    def _needs_ui(self, run: Run) -> bool:
        """Whether the run is in the lab's own store, which only `rnnlab ui` shows."""
        return run.mlflow_path.exists() and Record.load(run).uri is None

    def _start(self) -> None:
        """Start `rnnlab ui` unless it runs, and wait until it answers."""
        if ui_address(self._lab.path):
            return
        if self._ui is None or not self._ui.alive:
            command = [sys.executable, "-P", "-m", "rnnlab.cli.main", "--runs-dir", str(self._lab.path), "ui"]
            self._ui = Guarded(command, self._installation.environment())
        deadline = time.monotonic() + START_SECONDS
        while not ui_address(self._lab.path):
            if not self._ui.alive:
                raise RnnlabError(f"MLflow's UI did not start: {self._ui.last_words() or 'it said nothing'}")
            if time.monotonic() > deadline:
                raise RnnlabError(f"MLflow's UI did not answer within {START_SECONDS:.0f} s; try 'rnnlab ui'")
            time.sleep(0.1)
