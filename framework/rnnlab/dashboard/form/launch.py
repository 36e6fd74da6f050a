"""Starting, resuming, stopping and deleting runs: by commands, so that no run hangs on the dashboard."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from rnnlab.dashboard.catalogue.installation import Installation
from rnnlab.dashboard.form.command import Command
from rnnlab.dashboard.form.plan import Plan
from rnnlab.lab import liveness
from rnnlab.lab.cache import cache_folder
from rnnlab.lab.lab import Lab
from rnnlab.lab.run import Run

SECONDS = 180.0
"""How long a command may take. Stopping waits for a step and a checkpoint, at most 120 s."""
SETTLED_SECONDS = 60.0
"""A run that was submitted and never started may be deleted after this: its worker may be on its way."""


@dataclass(frozen=True)
class Outcome:
    """What came of it.

    Attributes:
        run: the run's id, "" if none was started.
        error: what went wrong, one line; "" if nothing did.
    """

    run: str = ""
    error: str = ""

    @property
    def ok(self) -> bool:
        """Whether it was done."""
        return not self.error


class Launcher:
    """Runs of a lab. Every method waits until it is done, so call them from a thread."""

    def __init__(self, lab: Lab, installation: Installation) -> None:
        self.lab, self.installation = lab, installation

    def start(self, plan: Plan) -> Outcome:
        """Start a run, detached; what has no command goes by a file in the cache."""
        path = cache_folder() / "experiments" / f"started-{time.time_ns()}.yaml"
        try:
            return self.start_command(plan.command_or_file(path))
        except OSError as error:
            return Outcome(error=f"{path} cannot be written ({error.strerror}); save the form elsewhere")

    def start_command(self, command: Command) -> Outcome:
        """Start a run of a command, detached."""
        done, error = self._call(["run", "--detach", "--json", "--", command.source, *command.overrides])
        return Outcome(error=error) if error else Outcome(json.loads(done)["run"])

    def resume(self, run: Run) -> Outcome:
        """Go on with a stopped, failed or crashed run, detached."""
        return Outcome(run.id, self._call(["resume", "--detach", "--", run.id])[1])

    def stop(self, run: Run) -> Outcome:
        """Ask a run to finish its step, save and end; returns when it has.

        The asking goes on even if the dashboard ends meanwhile.
        """
        return Outcome(run.id, self._call(["stop", "--", run.id])[1])

    def delete(self, run: Run) -> Outcome:
        """Delete a run's folder and all in it, unless it is alive. What MLflow has of it stays there."""
        if run.path.parent != self.lab.path or not run.config_path.exists():
            return Outcome(run.id, f"{run.path} is no run of this lab")
        status = run.status
        young = time.time() - float(status.get("created") or 0) < SETTLED_SECONDS
        if run.state == "created" and young:
            return Outcome(run.id, f"run {run.id} is being started; stop it first")
        lock = liveness.acquire(run.lock_path)  # held while deleting: nobody resumes it meanwhile
        if lock is None:
            return Outcome(run.id, f"run {run.id} is running (process {run.pid}); stop it first")
        try:
            run.config_path.unlink()  # first: without it, listings and the shipper see no run
            shutil.rmtree(run.path)
        except OSError as error:
            return Outcome(
                run.id, f"{run.path} cannot be deleted ({error.strerror}); delete the rest by hand"
            )
        finally:
            lock.release()
        return Outcome(run.id)

    def _call(self, arguments: Sequence[str]) -> tuple[str, str]:
        """What an `rnnlab` command printed, and its error in one line."""
        command = [
            sys.executable,
            "-P",
            "-m",
            "rnnlab.cli.main",
            "--runs-dir",
            str(self.lab.path),
            *arguments,
        ]
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                env=self.installation.environment(),
                start_new_session=True,
                timeout=SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return "", f"'rnnlab {arguments[0]}' did not end well: {error}"
        return done.stdout, _error(done.stderr, done.returncode) if done.returncode else ""


def _error(said: str, code: int) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    if not errors:
        return lines[-1] if lines else f"it ended with code {code}"
    more = f" (and {len(errors) - 1} more)" if errors[1:] else ""
    return errors[0] + more
