"""Finding plugins: installed distributions, then the folders a user named. Nothing is imported here.

pluggy's own entry-point loader stops at the first plugin that fails and drops the second of two
distributions that chose the same entry-point name; hence this loop, keyed `distribution:name`.
"""

from __future__ import annotations

import importlib.util
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from types import ModuleType

from rnnlab.errors import InputError
from rnnlab.plugins.hookspecs import GROUP
from rnnlab.plugins.provider import Provider

OWN_DISTRIBUTION = "rnnlab"
"""The distribution of the core; its plugins are the ones that `--no-plugins` leaves on."""

PLUGINS_DIR = "RNNLAB_PLUGINS_DIR"
"""Environment: folders of local plugins, joined by os.pathsep."""

NO_PLUGINS = "RNNLAB_NO_PLUGINS"
"""Environment: 1 loads no plugin but those of the core's own distribution."""

LOCAL_PREFIX = "rnnlab_local_"
"""A local plugin `gru.py` is the module `rnnlab_local_gru`, in every process that is given its folder."""


@dataclass(frozen=True)
class Candidate:
    """A plugin found and not yet loaded; `load` imports it and may raise anything."""

    provider: Provider
    load: Callable[[], object]


def installed() -> list[Candidate]:
    """Plugins of installed distributions: the core's own first, then by name.

    The core's own come first so that the names published presets use keep their meaning whatever else
    is installed; a colliding name is refused with both providers named.
    """
    seen: set[str] = set()
    found: list[Candidate] = []
    for distribution in metadata.distributions():
        text = distribution.read_text("entry_points.txt") or ""
        if f"[{GROUP}]" not in text:
            continue
        name, version = _identity(distribution)
        if name not in seen:  # the first on sys.path is the one that would be imported
            seen.add(name)
            found.extend(_entry_points(distribution, name, version))
    return sorted(found, key=lambda each: (each.provider.origin != OWN_DISTRIBUTION, each.provider.plugin))


def _identity(distribution: metadata.Distribution) -> tuple[str, str]:
    try:
        name, version = distribution.metadata["Name"], distribution.version
    except Exception:  # a half-deleted dist-info folder; what it contains may still be whole
        name, version = None, ""
    return re.sub(r"[-_.]+", "-", name or "unknown").lower(), version or ""


def _entry_points(distribution: metadata.Distribution, name: str, version: str) -> Iterator[Candidate]:
    try:
        entries = [entry for entry in distribution.entry_points if entry.group == GROUP]
    except Exception as unreadable:
        yield Candidate(Provider(f"{name}:entry_points.txt", name, version), _raiser(unreadable))
        return
    for entry in entries:
        yield Candidate(Provider(f"{name}:{entry.name}", name, version), entry.load)


def _raiser(error: Exception) -> Callable[[], object]:
    def load() -> object:
        raise ValueError(f"its entry_points.txt cannot be read ({error})") from error

    return load


def folders_from_environment() -> list[str]:
    """The folders that RNNLAB_PLUGINS_DIR names."""
    return [folder for folder in os.environ.get(PLUGINS_DIR, "").split(os.pathsep) if folder]


def disabled_by_environment() -> bool:
    """Whether RNNLAB_NO_PLUGINS is set, to anything that does not mean no."""
    return os.environ.get(NO_PLUGINS, "").lower() not in ("", "0", "false", "no")


def existing_folders(folders: Iterable[str | Path]) -> tuple[Path, ...]:
    """The folders as absolute paths, each once.

    Raises:
        InputError: one of them is no folder.
    """
    paths = tuple(dict.fromkeys(Path(folder).expanduser().absolute() for folder in folders))
    for path in paths:
        if not path.is_dir():
            raise InputError(f"plugins folder {path} does not exist; correct --plugins-dir or {PLUGINS_DIR}")
    return paths


def environment(folders: Iterable[Path], enabled: bool) -> dict[str, str]:
    """The variables that say the same to another process."""
    return {PLUGINS_DIR: os.pathsep.join(map(str, folders)), NO_PLUGINS: "" if enabled else "1"}


def local(folders: Iterable[Path]) -> list[Candidate]:
    """Plugins in `folders`: `*.py` files and packages, unless their name starts with "_" or "."."""
    found: list[Candidate] = []
    taken: dict[str, Path] = {}
    for path in (path for folder in folders for path in sorted(folder.iterdir())):
        source = path / "__init__.py" if path.is_dir() else path
        if path.name.startswith(("_", ".")) or source.suffix != ".py" or not source.is_file():
            continue
        stem = re.sub(r"\W", "_", path.stem if path.is_file() else path.name)
        first = taken.setdefault(stem, path)
        load = _importer(stem, source) if first == path else _refuser(path, first)
        key = f"local:{stem}" if first == path else f"local:{path}"
        found.append(Candidate(Provider(key, str(path)), load))
    return found


def _importer(stem: str, source: Path) -> Callable[[], object]:
    return lambda: import_file(LOCAL_PREFIX + stem, source)


def _refuser(path: Path, first: Path) -> Callable[[], object]:
    def load() -> object:
        raise ValueError(f"a local plugin of that name is loaded from {first} already; rename {path.name}")

    return load


def import_file(name: str, source: Path) -> ModuleType:
    """Import the file `source` as the module `name`, anew if that name is loaded already.

    Raises:
        Exception: whatever its code raises; the module is then not left behind.
    """
    package = source.name == "__init__.py"
    spec = importlib.util.spec_from_file_location(
        name, source, submodule_search_locations=[str(source.parent)] if package else None
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"{source} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    _forget(name)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        _forget(name)
        raise
    return module


def _forget(name: str) -> None:
    for loaded in [each for each in sys.modules if each == name or each.startswith(f"{name}.")]:
        del sys.modules[loaded]
