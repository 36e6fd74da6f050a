"""Opening an MLflow store or server, and speaking with it so that its failures are two clear errors."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from rnnlab.errors import RnnlabError
from rnnlab.tracking.links import is_server, shown
from rnnlab.tracking.record import SQLITE
from rnnlab.tracking.relocate import DATABASE, ROOT_TAG, relocate

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run as MlflowRun

_ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    # MLflow's own answer to an absent server is to block for minutes; the shipper has a better one.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
}
RUN_ID_TAG = "rnnlab.run_id"


class Unreachable(RnnlabError):
    """The server or database does not answer; every run bound for it has to wait."""


class Refused(RnnlabError):
    """MLflow answered, and would not take something of one run."""


class Store:
    """One MLflow store or server. Every method raises Unreachable or Refused and nothing else of MLflow's.

    Args:
        lab_path: the lab's folder, home of its own store.
        uri: another store or server, None for the lab's own.
    """

    def __init__(self, lab_path: Path, uri: str | None) -> None:
        for name, value in _ENVIRONMENT.items():
            os.environ.setdefault(name, value)
        self.uri = uri or f"{SQLITE}{lab_path.resolve() / DATABASE}"
        self._root = _root(lab_path, self.uri)
        self._experiments: dict[str, str] = {}
        with self.talking():
            self.client = self._open()

    def _open(self) -> MlflowClient:
        import logging

        from mlflow import MlflowClient

        logging.getLogger("alembic").setLevel(logging.WARNING)
        if not self.uri.startswith(SQLITE):
            return MlflowClient(self.uri)
        assert self._root is not None
        self._root.mkdir(parents=True, exist_ok=True)
        # Four processes that open a fresh database at once crash in its migrations.
        with FileLock(self._root / ".mlflow.lock", timeout=120):
            relocate(self._root)
            client = MlflowClient(self.uri)
            with closing(sqlite3.connect(self.uri.removeprefix(SQLITE), timeout=60)) as connection:
                connection.execute("PRAGMA journal_mode=WAL")
        return client

    @contextmanager
    def talking(self) -> Iterator[None]:
        """Turn MLflow's exceptions into Unreachable or Refused, one line each."""
        from mlflow.exceptions import MlflowException
        from requests import RequestException
        from sqlalchemy.exc import SQLAlchemyError

        try:
            yield
        except (MlflowException, RequestException, SQLAlchemyError) as error:
            cause = error if isinstance(error, RequestException) else error.__cause__ or error.__context__
            text = str(error).strip().splitlines()[0]
            response = getattr(cause, "response", None)
            away = isinstance(cause, RequestException) and response is None and "too many 500" not in text
            if away or isinstance(error, SQLAlchemyError):
                raise Unreachable(
                    f"MLflow at {shown(self.uri)} does not answer ({_reason(error)}); nothing is lost: "
                    "start that server or correct tracking.uri, then run 'rnnlab sync'"
                ) from error
            raise Refused(f"MLflow at {shown(self.uri)} said: {text[:300]}") from error

    def experiment(self, name: str) -> str:
        """The id of the experiment `name`, made if need be."""
        from mlflow.exceptions import MlflowException

        if name in self._experiments:
            return self._experiments[name]
        with self.talking():
            found = self.client.get_experiment_by_name(name)
            if found is None:
                try:
                    self.client.create_experiment(name, self._artifacts(), self._tags())
                except MlflowException as error:
                    if error.error_code != "RESOURCE_ALREADY_EXISTS":
                        raise
                found = self.client.get_experiment_by_name(name)
        if found is None or found.lifecycle_stage == "deleted":
            raise Refused(
                f"experiment {name!r} is deleted in MLflow at {shown(self.uri)}; restore it there "
                f"('mlflow experiments restore') or set tracking.experiment to another name"
            )
        self._experiments[name] = found.experiment_id
        return found.experiment_id

    def find(self, experiment_id: str, run_id: str) -> MlflowRun | None:
        """The MLflow run made for the lab's run `run_id`, deleted ones included."""
        from mlflow.entities import ViewType

        query = f"tags.`{RUN_ID_TAG}` = '{run_id}'"
        with self.talking():
            runs = self.client.search_runs([experiment_id], query, ViewType.ALL, max_results=1)
        return runs[0] if runs else None

    def get(self, mlflow_run_id: str) -> MlflowRun | None:
        """The MLflow run of that id, None if the store has none (it was made anew, say)."""
        from mlflow.exceptions import MlflowException

        with self.talking():
            try:
                return self.client.get_run(mlflow_run_id)
            except MlflowException as error:
                if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                    raise
                return None

    def _artifacts(self) -> str | None:
        """Where artifacts go: beside a database, wherever the server likes otherwise; never ./mlruns."""
        return str(self._root / "artifacts") if self._root is not None else None

    def _tags(self) -> dict[str, str]:
        kind = {"mlflow.experimentKind": "custom_model_development"}  # else the UI takes it for GenAI traces
        return kind | ({ROOT_TAG: str(self._root)} if self.uri.startswith(SQLITE) else {})


class Stores:
    """The stores of one shipping process, each opened when it is first needed."""

    def __init__(self, lab_path: Path) -> None:
        self._lab_path = lab_path
        self._open: dict[str | None, Store] = {}

    def at(self, uri: str | None) -> Store:
        """The store of `uri`; raises Unreachable or Refused if it cannot be opened."""
        if uri not in self._open:
            self._open[uri] = Store(self._lab_path, uri)
        return self._open[uri]


def _root(lab_path: Path, uri: str) -> Path | None:
    """The folder that holds a database store and its artifacts; None for a server."""
    if uri.startswith(SQLITE):
        return Path(uri.removeprefix(SQLITE)).resolve().parent
    if is_server(uri) or "://" not in uri:
        return None
    return lab_path.resolve()


def _reason(error: BaseException) -> str:
    """The operating system's own words, from wherever in the chain of exceptions they are."""
    chain: list[BaseException] = []
    current: object = error
    while isinstance(current, BaseException) and current not in chain:
        chain.append(current)
        reasons = [item for item in current.args if isinstance(item, BaseException)]
        nested = getattr(current, "reason", None) or (reasons[0] if reasons else None)
        current = nested or current.__cause__ or current.__context__
    for link in reversed(chain):
        if isinstance(link, TimeoutError) or "timed out" in str(link):
            return "timed out"
        if isinstance(link, OSError) and link.strerror:
            return link.strerror.lower()
    return str(chain[-1]).strip().splitlines()[0][:160]
