"""Which plugins a lab is opened with: given to every process that is started, and known by a fingerprint."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnnlab import __version__

DISTRIBUTIONS = (".dist-info", ".egg-info")
IGNORED = "__pycache__"


@dataclass(frozen=True)
class Installation:
    """The plugins of this python, with local folders.

    Attributes:
        folders: folders of local plugins, absolute.
        enabled: whether third-party plugins are on.
    """

    folders: tuple[Path, ...] = ()
    enabled: bool = True

    @classmethod
    def of(cls, plugins_dirs: Iterable[str | Path] = (), enabled: bool = True) -> Installation:
        """As the options `--plugins-dir` and `--no-plugins`, or else the environment, say.

        Raises:
            InputError: a folder does not exist.
        """
        from rnnlab.plugins import discovery

        folders = list(plugins_dirs) or discovery.folders_from_environment()
        return cls(discovery.existing_folders(folders), enabled and not discovery.disabled_by_environment())

    def environment(self) -> dict[str, str]:
        """The environment of a process that is to discover these plugins."""
        from rnnlab.plugins import discovery

        return {**os.environ, **discovery.environment(self.folders, self.enabled)}

    def options(self) -> list[str]:
        """The options of `rnnlab` that say the same."""
        folders = [word for folder in self.folders for word in ("--plugins-dir", str(folder))]
        return folders if self.enabled else [*folders, "--no-plugins"]

    @property
    def key(self) -> str:
        """Names this choice of plugins, whatever is in it at the moment."""
        return _digest([sys.prefix, list(map(str, self.folders)), self.enabled])[:16]

    def fingerprint(self) -> str:
        """Changes whenever a distribution, a file of a local folder, python or rnnlab does."""
        return _digest(
            [
                __version__,
                sys.version,
                sys.executable,
                os.environ.get("PYTHONPATH", ""),
                list(_distributions()),
                [_stamp(path) for folder in self.folders for path in _files(folder)],
            ]
        )


def _distributions() -> Iterator[tuple[str, int]]:
    """The folders of metadata on sys.path, whose names hold name and version, with when they changed."""
    for place in dict.fromkeys(sys.path):
        try:
            found = sorted(entry.path for entry in os.scandir(place) if entry.name.endswith(DISTRIBUTIONS))
        except OSError:  # a zip file, or a folder that is not there
            continue
        for path in found:
            yield path, Path(path).stat().st_mtime_ns


def _files(folder: Path) -> Iterator[str]:
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name != IGNORED and not name.startswith("."))
        for name in sorted(files):
            if not name.startswith("."):
                yield str(Path(place, name))


def stamps(paths: Iterable[str]) -> dict[str, Any]:
    """Path -> when it changed and its size, None if it is not there."""
    return {path: _stamp(path)[1:] for path in paths}


def unchanged(known: Mapping[str, Any]) -> bool:
    """Whether every file of `stamps`, read back from JSON, is as it was."""
    return all(_stamp(path)[1:] == list(stamp) for path, stamp in known.items())


def _stamp(path: str) -> list[Any]:
    try:
        found = Path(path).stat()
    except OSError:
        return [path, None, None]
    return [path, found.st_mtime_ns, found.st_size]


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()
