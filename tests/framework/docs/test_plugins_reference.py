"""The reference page is what `make reference` writes, and has all that plugins may import."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

import rnnlab.api
from rnnlab.plugins.hookspecs import Lifecycle, Registration

SCRIPT = Path(__file__).parents[3] / "framework" / "docs" / "plugins_reference.py"


@pytest.fixture(scope="module")
def reference():
    spec = importlib.util.spec_from_file_location("plugins_reference", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_is_up_to_date(reference):
    assert reference.PAGE.read_text() == reference.page(), "run 'make reference'"


def test_it_has_everything_that_plugins_may_import(reference):
    shown = {name for names in reference.KINDS.values() for name in names} | {*reference.EVERYONE, "hookimpl"}
    assert shown == set(rnnlab.api.__all__)


def test_it_has_every_hook(reference):
    page = reference.page()
    hooks = [name for each in (Registration, Lifecycle) for name in vars(each) if name.startswith("rnnlab_")]
    assert len(hooks) == 11 and all(f"def {name}(" in page for name in hooks)


def test_bodies_and_private_names_are_left_out(reference):
    page = reference.page()
    assert "raise NotImplementedError" not in page and "def _" not in page.replace("def __init__", "")
    assert '    equations: ClassVar[str] = ""' in page  # a public field is there, as it is written
