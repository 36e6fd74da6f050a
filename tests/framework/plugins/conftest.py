"""Real plugins, small: distributions with metadata and entry points on sys.path, and local files."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rnnlab.plugins.discovery import NO_PLUGINS, PLUGINS_DIR

Install = Callable[..., Path]


@pytest.fixture(autouse=True)
def clean_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No plugin settings from outside, and no module of a test left for the next."""
    monkeypatch.delenv(PLUGINS_DIR, raising=False)
    monkeypatch.delenv(NO_PLUGINS, raising=False)
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith(("plug_", "rnnlab_local_")):
            del sys.modules[name]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Install a distribution of one module, `plug_<name>`, in a folder of its own."""

    def make(name: str, source: str, version: str = "1.0", entry: str = "plugin", requires: str = "") -> Path:
        module = f"plug_{name.replace('-', '_')}"
        site = tmp_path / "site" / name
        info = site / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir(parents=True)
        (site / f"{module}.py").write_text(source)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requires}")
        (info / "entry_points.txt").write_text(f"[rnnlab]\n{entry} = {module}\n")
        monkeypatch.syspath_prepend(str(site))
        return site

    return make


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for local plugins."""
    path = tmp_path / "my plugins"
    path.mkdir()
    return path
