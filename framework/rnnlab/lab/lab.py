"""The lab: a folder of runs."""

from __future__ import annotations

import os
import secrets
import time
from dataclasses import dataclass
from pathlib import Path

from rnnlab.errors import InputError, did_you_mean
from rnnlab.lab.run import Run

ENVIRONMENT = "RNNLAB_RUNS_DIR"


@dataclass(frozen=True)
class Lab:
    """A folder of runs, by default ./runs, or what RNNLAB_RUNS_DIR or `--runs-dir` names."""

    path: Path

    @classmethod
    def open(cls, path: Path | str | None = None) -> Lab:
        """The lab at `path`; the folder is made when the first run is."""
        return cls(Path(path or os.environ.get(ENVIRONMENT) or "runs").absolute())

    def create_run(self, name: str) -> Run:
        """Make the folder of a new run, named `name`, the time, and four random letters."""
        while True:
            stamp = time.strftime("%m%d-%H%M%S")
            path = self.path / f"{name}-{stamp}-{secrets.token_hex(2)}"
            try:
                path.mkdir(parents=True)
            except FileExistsError:
                if not self.path.is_dir():
                    raise InputError(self._unusable("it is a file")) from None
                continue
            except OSError as error:
                raise InputError(self._unusable(error.strerror or str(error))) from None
            (path / "checkpoints").mkdir()
            return Run(path)

    def _unusable(self, why: str) -> str:
        return f"no run can be made in {self.path}: {why}; name another folder with --runs-dir"

    def runs(self) -> list[Run]:
        """Every run, oldest first."""
        runs = [Run(entry.parent) for entry in self.path.glob("*/config.yaml") if entry.is_file()]
        return sorted(runs, key=lambda run: run.config_path.stat().st_mtime)

    def find(self, name: str) -> Run:
        """The run called `name`: its id, the only one that begins so, a path, or "latest".

        Raises:
            InputError: there is none, or several.
        """
        if Path(name).parts[1:] and Run(Path(name)).config_path.exists():
            return Run(Path(name).absolute())
        if not name:
            raise InputError("expected the name of a run, got an empty one; 'rnnlab runs' lists them")
        runs = self.runs()
        if not runs:
            raise InputError(f"no run {name!r}: {self.path} has no runs; start one with 'rnnlab run PRESET'")
        if name == "latest":
            return runs[-1]
        exact = [run for run in runs if run.id == name]
        found = exact or [run for run in runs if run.id.startswith(name)]
        if len(found) == 1:
            return found[0]
        if found:
            listed = ", ".join(run.id for run in found[:5])
            raise InputError(f"{name!r} begins {len(found)} runs ({listed}, ...); give more of the name")
        raise InputError(f"no run {name!r} in {self.path}{did_you_mean(name, [run.id for run in runs])}")
