"""The catalogue from another process: complete, cached, and never in the way."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from rnnlab.dashboard.catalogue import Catalogue, CatalogueStore, Installation

LEAKY = '''
print("a plugin that talks while it is imported")
from rnnlab.api import Cell, CellConfig, CellSpec, hookimpl

class LeakyConfig(CellConfig):
    leak: float = 0.5
    """How much of the old state stays."""

class Leaky(Cell):
    """A leaky integrator."""

    def step(self, projected, state):
        return state

@hookimpl
def rnnlab_cells():
    yield CellSpec("leaky", f"{__name__}:Leaky", f"{__name__}:LeakyConfig")
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "plugins"
    path.mkdir()
    (path / "leaky.py").write_text(LEAKY)
    (path / "broken.py").write_text("def broken(:\n")
    return path


@pytest.fixture
def store(folder: Path, tmp_path: Path) -> CatalogueStore:
    return CatalogueStore(Installation.of([folder]), tmp_path / "cache")


def refreshed(store: CatalogueStore) -> list[Catalogue]:
    found: list[Catalogue] = []
    store.refresh(found.append).join(100)
    return found


def test_it_comes_in_two_steps_and_is_kept(store, folder):
    assert not store.load()
    quick, whole = refreshed(store)
    assert (quick.complete, quick.fresh, quick.error) == (False, True, "")
    assert (whole.complete, whole.fresh, whole.error) == (True, True, "")
    leaky = whole.get("cell", "leaky")
    assert leaky.docs == "A leaky integrator." and leaky.options["properties"]["leak"]["default"] == 0.5
    (broken,) = [problem for problem in whole.problems if problem.plugin == "local:broken"]
    assert "SyntaxError" in broken.reason and broken.remedy == f"correct {folder / 'broken.py'}"
    assert {entry.name for entry in whole.of("cell")} >= {"lstm", "rnn", "leaky"}
    assert store.load(pytest.fail) == whole  # from disk, and no refresh begins


def test_what_changed_is_shown_as_it_was_until_it_is_known_anew(store, folder):
    before = refreshed(store)[-1]
    (folder / "leaky.py").write_text(LEAKY.replace("leak: float = 0.5", "leak: float = 0.25"))
    stale = store.load()
    assert stale.entries == before.entries and not stale.fresh
    assert refreshed(store)[-1].get("cell", "leaky").options["properties"]["leak"]["default"] == 0.25
    assert store.load().fresh


def test_a_source_file_edited_in_place_makes_it_stale(store):
    refreshed(store)
    kept = json.loads(store.path.read_text())
    assert any(name.endswith("cells/lstm.py") for name in kept["files"])
    name = next(name for name in kept["files"] if name.endswith("digits.yaml"))
    kept["files"][name][0] -= 1
    store.path.write_text(json.dumps(kept))
    assert not store.load().fresh


@pytest.mark.parametrize("text", ["", "{", "[]", '{"fingerprint": 1}', "null"])
def test_a_cache_that_cannot_be_read_is_no_cache(store, text):
    store.path.parent.mkdir(parents=True)
    store.path.write_text(text)
    assert store.load() == Catalogue()


def test_no_place_for_the_cache_costs_nothing_but_time(folder, tmp_path):
    (tmp_path / "file").write_text("")
    store = CatalogueStore(Installation.of([folder]), tmp_path / "file" / "cache")
    assert refreshed(store)[-1].complete
    assert not store.load()


def test_a_process_that_dies_is_one_line_beside_what_was_known(store, folder):
    known = refreshed(store)[-1]
    (folder / "killer.py").write_text("import os, sys\nprint('out of luck', file=sys.stderr)\nos._exit(3)\n")
    found: list[Catalogue] = []
    store.refresh(found.append, known).join(100)
    assert [each.error for each in found] == ["the plugins could not be looked at: out of luck"]
    assert found[0].entries == known.entries


def test_a_refresh_that_is_closed_ends(store, folder):
    (folder / "slow.py").write_text("import time\ntime.sleep(1000)\n")
    found: list[Catalogue] = []
    thread = store.refresh(found.append)
    while store._process is None:
        assert thread.is_alive()
    assert store.refresh(pytest.fail) is thread
    store.close()
    thread.join(30)
    assert not thread.is_alive()
    assert found[0].error and not found[0].entries


def test_reading_it_imports_nothing_heavy(store):
    refreshed(store)
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from rnnlab.dashboard.catalogue import CatalogueStore, Installation\n"
        "store = CatalogueStore(Installation.of([sys.argv[1]]), Path(sys.argv[2]))\n"
        "assert store.load().get('cell', 'leaky') is not None\n"
        "heavy = ('torch', 'mlflow', 'pandas', 'pydantic', 'rnnlab.training', 'rnnlab_plugins')\n"
        "assert not [name for name in heavy if name in sys.modules]\n"
    )
    folder, cache = store.installation.folders[0], store.path.parent
    done = subprocess.run(
        [sys.executable, "-c", code, folder, cache], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
