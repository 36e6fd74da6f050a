"""A run's folder: its files, its state, and how one is found by name."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from rnnlab.errors import InputError, in_words
from rnnlab.lab import liveness
from rnnlab.lab.events import RunState, plain


@dataclass(frozen=True)
class RunInfo:
    """What lifecycle hooks learn of a run: its id, its folder and its whole resolved config."""

    id: str
    path: Path
    config: Mapping[str, Any]


@dataclass(frozen=True)
class Run:
    """One run's folder, `runs/<id>/`."""

    path: Path

    @property
    def id(self) -> str:
        """The folder's name."""
        return self.path.name

    @property
    def config_path(self) -> Path:
        """config.yaml, complete and resolved; running it again gives the same run."""
        return self.path / "config.yaml"

    @property
    def events_path(self) -> Path:
        """events.jsonl, the journal."""
        return self.path / "events.jsonl"

    @property
    def status_path(self) -> Path:
        """status.json, the last word of the worker: state, step, reason, scores."""
        return self.path / "status.json"

    @property
    def log_path(self) -> Path:
        """log.txt, the worker's stdout and stderr."""
        return self.path / "log.txt"

    @property
    def lock_path(self) -> Path:
        """run.lock, held by the worker while it lives."""
        return self.path / "run.lock"

    @property
    def schema_path(self) -> Path:
        """schema.json: vocabularies and shapes, what `predict` needs of the data."""
        return self.path / "schema.json"

    @property
    def checkpoints(self) -> Path:
        """checkpoints/, with `best` and `last`."""
        return self.path / "checkpoints"

    @property
    def mlflow_path(self) -> Path:
        """mlflow.json: where this run is in MLflow and how much of the journal is there."""
        return self.path / "mlflow.json"

    @property
    def status(self) -> dict[str, Any]:
        """The content of status.json; {} before there is one."""
        return read_json(self.status_path)

    @property
    def pid(self) -> int:
        """The living worker's process id, 0 if there is none."""
        return liveness.holder(self.lock_path)

    @property
    def state(self) -> RunState:
        """The state now. A run whose worker vanished without a last word is "crashed"."""
        if self.pid:
            return "running"
        written = self.status.get("state", "created")
        return "crashed" if written == "running" else written

    @cached_property
    def config(self) -> dict[str, Any]:
        """The resolved config as plain data.

        Raises:
            InputError: config.yaml cannot be read, or holds no mapping.
        """
        import yaml

        try:
            config = yaml.safe_load(self.config_path.read_text(encoding="utf-8"))
        except (OSError, ValueError, yaml.YAMLError) as error:
            raise InputError(self._unreadable(in_words(error).splitlines()[0])) from None
        if not isinstance(config, dict):
            raise InputError(self._unreadable(f"expected a mapping, got {type(config).__name__}"))
        return config

    def _unreadable(self, why: str) -> str:
        return f"{self.config_path} cannot be read ({why}); mend it, or delete the run's folder"

    def write_status(self, **fields: Any) -> None:
        """Merge `fields` into status.json, atomically."""
        write_json(self.status_path, self.status | fields)


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object, {} if the file is missing or holds none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write_json(path: Path, fields: Mapping[str, Any]) -> None:
    """Replace `path` by a JSON object in one step; numbers that JSON lacks are written as strings."""
    text = json.dumps(plain(fields), ensure_ascii=False, indent=1, allow_nan=False)
    replace_text(path, text)


def replace_text(path: Path, text: str) -> None:
    """Replace `path` in one step: a reader sees the old content or the new, never half."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)
