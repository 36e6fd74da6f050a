"""What a user keeps: a theme, and other keys. `~/.config/rnnlab/dashboard.toml`:

    theme = "textual-light"

    [keys]
    "runs.delete" = "ctrl+x"

The help of each screen (`?`) shows the name of every key.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from rnnlab.errors import did_you_mean

if TYPE_CHECKING:
    from rnnlab.dashboard.app import Dashboard


@dataclass(frozen=True)
class Settings:
    """As read.

    Attributes:
        theme: the name of one of Textual's, "" for the default.
        keys: name of a binding -> the keys that do it, separated by commas.
        problem: what of the file cannot be used and why, one line; "" if all of it can or there is none.
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
    if not isinstance(keys, dict) or not all(isinstance(each, str) and each for each in keys.values()):
        return Settings(theme, problem=f'{path}: [keys] must be lines like "runs.delete" = "ctrl+x"')
    return Settings(theme, {name: _tidy(each) for name, each in keys.items()})


def _tidy(keys: str) -> str:
    return ",".join(key.strip() for key in keys.split(","))


def apply(app: Dashboard) -> None:
    """Give `app` the user's theme and keys, and show what cannot be used."""
    settings = load()
    if settings.theme in app.available_themes:
        app.theme = settings.theme
    elif settings.theme:
        _warn(app, f"no theme {settings.theme!r}{did_you_mean(settings.theme, app.available_themes)}")
    if settings.problem:
        _warn(app, settings.problem)
    if settings.keys:
        app.set_keymap(dict(settings.keys))

        def check() -> None:
            # This imports every screen, so it waits until there is something to see.
            from rnnlab.dashboard.bindings import left_without, names

            for problem in misnamed(settings.keys, names()):
                _warn(app, problem)
            for name, key in left_without(settings.keys).items():
                _warn(app, f"{name} has no key now: your settings give its {key} away")

        app.call_after_refresh(check)


def misnamed(keys: Mapping[str, str], names: Collection[str]) -> list[str]:
    """One line for each of `keys` that is the name of no binding."""
    return [
        f"{settings_path()}: no key is named {name!r}{did_you_mean(name, names)}"
        for name in keys
        if name not in names
    ]


def _warn(app: Dashboard, problem: str) -> None:
    app.notify(problem, severity="warning", timeout=12, markup=False)
