"""Moving a lab: MLflow bakes absolute artifact paths into its database, so they are put right on opening."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

DATABASE = "mlflow.db"
ROOT_TAG = "rnnlab.root"
"""Experiment tag with the folder that the store was in when it was last opened; it travels with the store."""

_PATHS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)


def relocate(root: Path) -> int:
    """Rewrite the artifact paths of a moved or copied store to where it is now.

    Only paths under a folder that the store itself remembers having been in are touched.

    Args:
        root: the folder that holds mlflow.db, resolved.

    Returns:
        How many paths were rewritten; 0 if the store has not moved.
    """
    database = root / DATABASE
    if not database.exists():
        return 0
    with closing(sqlite3.connect(database, timeout=60, isolation_level=None)) as connection:
        columns = {
            (table, column)
            for table in ("experiment_tags", *dict(_PATHS))
            for (column,) in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))
        }
        if ("experiment_tags", "value") not in columns:
            return 0
        query = "SELECT DISTINCT value FROM experiment_tags WHERE key = ? AND value <> ?"
        former = [value for (value,) in connection.execute(query, (ROOT_TAG, str(root)))]
        if not former:
            return 0
        rewritten = 0
        connection.execute("BEGIN IMMEDIATE")
        for old in former:
            for table, column in _PATHS:
                if (table, column) in columns:
                    rewritten += connection.execute(
                        f"UPDATE {table} SET {column} = ?1 || substr({column}, length(?2) + 1) "
                        f"WHERE substr({column}, 1, length(?2) + 1) = ?2 || '/'",
                        (str(root), old),
                    ).rowcount
        connection.execute("UPDATE experiment_tags SET value = ? WHERE key = ?", (str(root), ROOT_TAG))
        connection.execute("COMMIT")
        return rewritten
