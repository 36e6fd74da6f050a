"""What mlflow.json holds: where a run is in MLflow, and how much of its journal is there."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rnnlab.lab.run import Run, read_json, write_json

ENVIRONMENT = "MLFLOW_TRACKING_URI"
SQLITE = "sqlite:///"


@dataclass
class Record:
    """A run's place in MLflow. Losing it costs nothing: the journal is shipped again and adds no point.

    Attributes:
        uri: server or store, None for the lab's own (so that a lab can be moved with all its records).
        experiment_id, run_id: MLflow's names for it, "" before it is there.
        url: the part of the run's address after the server's, "" before it is there.
        offset: bytes of the journal that MLflow has.
        state: the state last told to MLflow, "" before it is there.
        artifacts: path in the run's folder -> size in bytes and modification time in ns, as last uploaded.
        infinite: metrics left out because they were infinite, as `key at step N`; MLflow cannot hold them.
        error: why the rest is not there yet, "" if all went well.
    """

    uri: str | None = None
    experiment_id: str = ""
    run_id: str = ""
    url: str = ""
    offset: int = 0
    state: str = ""
    artifacts: dict[str, list[int]] = field(default_factory=dict)
    infinite: list[str] = field(default_factory=list)
    error: str = ""

    @classmethod
    def load(cls, run: Run) -> Record:
        """The run's record; a new one, bound for the run's destination, if there is none yet."""
        fields: dict[str, Any] = read_json(run.mlflow_path)
        if not fields:
            return cls(uri=destination(run))
        return cls(**{key: value for key, value in fields.items() if key in cls.__dataclass_fields__})

    def redirect(self, run: Run) -> None:
        """Take the destination named now, if nothing has been shipped yet: a mistyped one can be mended."""
        named = destination(run)
        if named is not None and not self.run_id:
            self.uri = named

    def save(self, run: Run) -> None:
        """Write mlflow.json, atomically."""
        write_json(run.mlflow_path, asdict(self))


def tracked(run: Run) -> bool:
    """Whether the run wants to be shipped (`tracking.enabled`)."""
    return run.config.get("tracking", {}).get("enabled", True)


def destination(run: Run) -> str | None:
    """Where the run's config and this process's environment send it; None for the lab's own store."""
    uri = run.config.get("tracking", {}).get("uri") or os.environ.get(ENVIRONMENT) or None
    if uri and uri.startswith(SQLITE):
        # A relative path means the caller's folder, not that of the shipper it starts.
        return SQLITE + str(Path(uri.removeprefix(SQLITE)).absolute())
    return uri
