"""What a user keeps: a theme, and other keys. `~/.config/rnnlab/dashboard.toml`:

    theme = "textual-light"

    [keys]
    "runs.delete" = "ctrl+x"

The help of each screen (`?`) shows the name of every key.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """As read.

    Attributes:
        theme: the name of one of Textual's, "" for the default.
        keys: name of a binding -> the keys that do it, separated by commas.
        problem: why the file was not read, one line; "" if it was or there is none.
    """

    theme: str = ""
    keys: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""


def settings_path() -> Path:
    """The file, whether or not it is there."""
    return (
        Path(os.environ.get("XDG_CONFIG_HOME") or Path("~/.config").expanduser())
        / "rnnlab"
        / "dashboard.toml"
    )


def load() -> Settings:
    """Read the file; what cannot be read is a problem, not an error."""
    path = settings_path()
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Settings()
    except (OSError, ValueError) as error:
        return Settings(problem=f"{path} cannot be read: {error}")
    import tomllib

    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return Settings(problem=f"{path} cannot be read: {error}")
    theme, keys = found.get("theme", ""), found.get("keys", {})
    unknown = sorted(found.keys() - {"theme", "keys"})
    if unknown:
        return Settings(problem=f"{path}: expected theme and [keys], got {unknown[0]!r}; take it out")
    if not isinstance(theme, str):
        return Settings(problem=f"{path}: theme must be text, got {theme!r}")
    if not isinstance(keys, dict) or not all(isinstance(each, str) for each in keys.values()):
        return Settings(theme, problem=f'{path}: [keys] must be lines like "runs.delete" = "ctrl+x"')
    return Settings(theme, keys)
