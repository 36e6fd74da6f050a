"""Importing what a Spec names, on first use, and saying in one line why it could not be."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import re
import sys
import traceback
from collections.abc import Iterable
from importlib import metadata
from importlib.machinery import PathFinder
from typing import Any

from rnnlab.errors import InputError
from rnnlab.plugins.provider import Provider

_NOT_THE_AUTHORS = sys.stdlib_module_names | {
    *("numpy", "pandas", "pluggy", "pydantic", "pydantic_core", "rnnlab", "torch")
}
"""Packages whose lines are never a plugin author's, though an author's mistake may show there."""


def import_target(target: str) -> Any:
    """The object that "package.module:Object" names.

    Raises:
        InputError: the module cannot be imported, or has no such attribute.
    """
    module_name, _, path = target.partition(":")
    try:
        found: Any = importlib.import_module(module_name)
    except Exception as error:
        raise InputError(f"cannot import {module_name!r}: {describe(error)}") from error
    for attribute in path.split("."):
        try:
            found = getattr(found, attribute)
        except AttributeError as error:
            raise InputError(f"module {module_name!r} has no {path!r}") from error
    return found


def contract(name: str) -> Any:
    """The class of `rnnlab.api` that plugins extend, imported by name: it lies above this package."""
    return getattr(importlib.import_module("rnnlab.api"), name)


def missing(modules: Iterable[str]) -> tuple[str, ...]:
    """Those of `modules` that cannot be found. None of them, nor a parent package, is imported."""
    return tuple(module for module in modules if not _is_findable(module))


def _is_findable(module: str) -> bool:
    top, *rest = module.split(".")
    try:
        spec = importlib.util.find_spec(top)
    except ValueError:  # in sys.modules without a spec, as __main__ is
        return True
    name = top
    for part in rest:
        if spec is None or spec.submodule_search_locations is None:
            return False
        name = f"{name}.{part}"
        spec = PathFinder.find_spec(name, spec.submodule_search_locations)
    return spec is not None


def install_hint(modules: Iterable[str], provider: Provider) -> str:
    """The command that installs `modules`: the provider's own extras where they have them.

    A module's name is often not its distribution's (sklearn, scikit-learn), so the nearest of the
    provider's optional requirements is taken, if one is near.
    """
    extras = {} if provider.is_local else _optional_requirements(provider.origin)
    wanted: list[str] = []
    for module in modules:
        top = module.partition(".")[0]
        near = difflib.get_close_matches(top.lower().replace("_", "-"), extras, n=1, cutoff=0.6)
        wanted.append(f"'{provider.origin}[{extras[near[0]]}]'" if near else top)
    return f"pip install {' '.join(dict.fromkeys(wanted))}"


def _optional_requirements(distribution: str) -> dict[str, str]:
    """Requirement name -> the first extra that asks for it."""
    try:
        lines = metadata.requires(distribution) or []
    except metadata.PackageNotFoundError:
        return {}
    found: dict[str, str] = {}
    for line in lines:
        name = re.match(r"[\w.-]+", line)
        extra = re.search(r"extra\s*==\s*['\"]([^'\"]+)", line)
        if name and extra:
            found.setdefault(name[0].lower(), extra[1])
    return found


def describe(error: BaseException, called: object = None) -> str:
    """An exception in one line: its type, its message, and the author's last line that it came through.

    Where it came through none, as when a class is called with the wrong arguments, it is
    where `called` begins, the author's function that was asked; without that there is no place.
    """
    if isinstance(error, SyntaxError) and error.filename:
        return f"{type(error).__name__}: {error.msg} ({error.filename}:{error.lineno})"
    message = "".join(f": {line}" for line in str(error).strip().splitlines()[:1])
    place = authors_line(error) or beginning(called)
    return f"{type(error).__name__}{message}{f' ({place})' if place else ''}"


def beginning(function: object) -> str:
    """Where an author's function begins, "file:line"; "" for rnnlab's own and for other objects."""
    code = getattr(function, "__code__", None)
    if code is None or str(getattr(function, "__module__", "")).partition(".")[0] == "rnnlab":
        return ""
    return f"{code.co_filename}:{code.co_firstlineno}"


def authors_line(error: BaseException) -> str:
    """The last line that `error` came through outside rnnlab and the libraries, "file:line"; "" if none."""
    place = ""
    for frame, line in traceback.walk_tb(error.__traceback__):
        file, module = frame.f_code.co_filename, str(frame.f_globals.get("__name__", ""))
        if not file.startswith("<") and module.partition(".")[0] not in _NOT_THE_AUTHORS:
            place = f"{file}:{line}"
    return place


def remedy(error: BaseException, provider: Provider) -> str:
    """What a user can do about a plugin that raised `error`."""
    if isinstance(error, ModuleNotFoundError) and error.name:
        return f"install what it needs: {install_hint([error.name], provider)}"
    if provider.is_local:
        return f"correct {provider.origin}"
    return f"update or remove {provider.origin}, or tell its author"
