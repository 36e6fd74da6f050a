"""The suite as a pytest test."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from rnnlab.errors import InputError, did_you_mean
from rnnlab.plugins.registry import Registry
from rnnlab.testing.catalogue import CHECKED, checks, subject
from rnnlab.testing.check import Check, Checked
from rnnlab.testing.report import ask, expect_known
from rnnlab.testing.subject import Subject


def conformance(
    kind: Checked,
    name: str,
    *,
    options: Mapping[str, Any] | None = None,
    plugins_dir: str | os.PathLike[str] | Iterable[str | os.PathLike[str]] = (),
    without: Mapping[str, str] | None = None,
) -> Callable[[Check], None]:
    """A test, parametrised by every check of `kind`, whose name is the test's id.

        test_conformance = conformance("cell", "mycell")

    `pytest -k padding` then runs one check. Plugins are looked for when the first test runs, not before.

    Args:
        kind: "cell", "task", "dataset", "backend", "executor", "preset", or "hooks".
        name: the object's name; for "hooks" the plugin's key, "distribution:entry_point" or
            "local:file_stem".
        options: of the object, those that differ from their defaults; for a preset, dotted key -> value.
        plugins_dir: folders of plugins that are not installed, one or several.
        without: name of a check -> why it is not asked; it is skipped with that reason.

    Raises:
        InputError: there is no such kind, or no such check, or no reason to leave one out.
    """
    import pytest

    if kind not in CHECKED:
        raise InputError(f"unknown kind {kind!r}{did_you_mean(kind, CHECKED)}")
    left_out = dict(without or {})
    asked = checks(kind)
    expect_known(left_out, [kind])
    folders = [plugins_dir] if isinstance(plugins_dir, str | os.PathLike) else list(plugins_dir)

    @cache
    def of() -> Subject:
        return subject(_registry(tuple(map(Path, folders))), kind, name, options)

    @pytest.mark.parametrize("check", asked, ids=str)
    def test_conformance(check: Check) -> None:
        """A plugin keeps what its contract says."""
        __tracebackhide__ = True
        if reason := left_out.get(check.name):
            pytest.skip(reason)
        found = ask(check, of())
        if found.result == "skipped":
            pytest.skip(found.reason)
        if found.result == "failed":
            raise AssertionError(f"{kind} {name!r}, {check}: {found.line}") from found.error

    return test_conformance


@cache
def _registry(folders: tuple[Path, ...]) -> Registry:
    return Registry.discover(folders)
