"""The address of a run in MLflow's UI. Imports no mlflow: the dashboard prints these links."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from rnnlab.lab import liveness
from rnnlab.lab.run import Run, read_json
from rnnlab.tracking.record import Record

UI_LOCK = ".mlflow-ui.lock"
UI_ADDRESS = ".mlflow-ui.json"
HOST, DEFAULT_PORT = "127.0.0.1", 5000


def run_url(run: Run) -> str | None:
    """The run's page in MLflow's UI, None while MLflow does not have the run.

    For a run in the lab's own store the address is that of the lab's running `rnnlab ui`, or the one it
    will have if it is started now.
    """
    if not run.mlflow_path.exists():
        return None
    record = Record.load(run)
    if not record.url:
        return None
    if record.uri is None:
        base = ui_address(run.path.parent) or f"http://{HOST}:{DEFAULT_PORT}"
    elif is_server(record.uri):
        base = shown(record.uri).rstrip("/")
    else:
        return None
    return f"{base}/{record.url}"


def ui_address(lab_path: Path) -> str | None:
    """Where the lab's `rnnlab ui` answers now, None if it is not running."""
    if not liveness.holder(lab_path / UI_LOCK):
        return None
    return read_json(lab_path / UI_ADDRESS).get("address")


def is_server(uri: str) -> bool:
    """Whether `uri` is a server spoken to over HTTP."""
    return urlsplit(uri).scheme in ("http", "https")


def shown(uri: str) -> str:
    """`uri` without user name and password, fit to print."""
    parts = urlsplit(uri)
    if "@" not in parts.netloc:
        return uri
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
