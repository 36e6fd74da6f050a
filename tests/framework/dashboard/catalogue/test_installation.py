"""The fingerprint changes with what is installed, and with nothing else."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from rnnlab.dashboard.catalogue import Installation
from rnnlab.dashboard.catalogue.installation import stamps, unchanged
from rnnlab.errors import InputError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "plugins"
    path.mkdir()
    (path / "one.py").write_text("a = 1\n")
    return path


def test_it_is_the_same_while_nothing_changes(folder):
    here = Installation.of([folder])
    first = here.fingerprint()
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "one.pyc").write_bytes(b"")
    assert here.fingerprint() == first == Installation.of([folder]).fingerprint()


def test_a_local_file_that_changes_comes_or_goes_changes_it(folder):
    here = Installation.of([folder])
    seen = {here.fingerprint()}
    (folder / "one.py").write_text("a = 10\n")
    seen.add(here.fingerprint())
    (folder / "package").mkdir()
    (folder / "package" / "__init__.py").write_text("")
    seen.add(here.fingerprint())
    (folder / "one.py").unlink()
    seen.add(here.fingerprint())
    assert len(seen) == 4


def test_a_distribution_that_comes_or_is_updated_changes_it(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path), str(tmp_path / "no such folder")])
    here = Installation()
    seen = {here.fingerprint()}
    (tmp_path / "thing-1.0.dist-info").mkdir()
    seen.add(here.fingerprint())
    (tmp_path / "thing-1.0.dist-info").rename(tmp_path / "thing-1.1.dist-info")
    seen.add(here.fingerprint())
    assert len(seen) == 3


def test_other_choices_have_other_keys(folder):
    keys = {Installation().key, Installation((folder,)).key, Installation((folder,), enabled=False).key}
    assert len(keys) == 3


def test_options_and_environment_say_the_same(folder):
    here = Installation.of([folder], enabled=False)
    assert here.options() == ["--plugins-dir", str(folder), "--no-plugins"]
    environment = here.environment()
    assert (environment["RNNLAB_PLUGINS_DIR"], environment["RNNLAB_NO_PLUGINS"]) == (str(folder), "1")


def test_the_environment_is_followed_and_a_missing_folder_refused(folder, monkeypatch):
    monkeypatch.setenv("RNNLAB_PLUGINS_DIR", str(folder))
    assert Installation.of().folders == (folder,)
    with pytest.raises(InputError, match="does not exist"):
        Installation.of([folder / "other"])


def test_stamps_tell_a_changed_and_a_missing_file(folder):
    known = stamps([str(folder / "one.py"), str(folder / "two.py")])
    assert unchanged(known)
    (folder / "two.py").write_text("")
    assert not unchanged(known)
