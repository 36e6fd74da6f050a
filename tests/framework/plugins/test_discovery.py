"""Discovery: which plugins are found, in what order, and what turns them off."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rnnlab.errors import InputError
from rnnlab.plugins import discovery
from rnnlab.plugins.registry import Registry

CELL = """
from rnnlab.api import CellSpec, hookimpl

class Target: ...

@hookimpl
def rnnlab_cells():
    yield CellSpec({name!r}, f"{{__name__}}:Target")
"""


def names(registry: Registry) -> set[str]:
    return {spec.name for spec in registry.specs("cell")}


def test_same_entry_point_name_in_two_distributions_loads_both(install):
    install("twin-a", CELL.format(name="twin_a"), entry="cells")
    install("twin-b", CELL.format(name="twin_b"), entry="cells")
    registry = Registry.discover()
    assert {"twin_a", "twin_b"} <= names(registry)
    assert {"twin-a:cells", "twin-b:cells"} <= {owner.plugin for owner in registry.plugins}


def test_distributions_come_in_the_order_of_their_names_after_our_own(install):
    install("zebra", CELL.format(name="zebra"))
    install("ant", CELL.format(name="ant"))
    origins = [candidate.provider.origin for candidate in discovery.installed()]
    assert origins.index("rnnlab") < origins.index("ant") < origins.index("zebra")


def test_unreadable_entry_points_are_one_plugins_problem(install):
    site = install("garbled", "")
    (site / "garbled-1.0.dist-info" / "entry_points.txt").write_text("[rnnlab]\nno equals sign\n")
    install("whole", CELL.format(name="whole"))
    registry = Registry.discover()
    assert "whole" in names(registry)
    (problem,) = [each for each in registry.problems if each.origin == "garbled"]
    assert "entry_points.txt cannot be read" in problem.reason


def test_local_files_and_packages_load_and_hidden_ones_do_not(folder):
    (folder / "my-cell.py").write_text(CELL.format(name="from_file"))
    (folder / "_helper.py").write_text("raise SystemExit")
    (folder / "notes.txt").write_text("no plugin")
    package = folder / "packed"
    package.mkdir()
    (package / "__init__.py").write_text(CELL.format(name="from_package").replace(":Target", ".deep:Target"))
    (package / "deep.py").write_text("class Target: ...")
    registry = Registry.discover([folder])
    assert {"from_file", "from_package"} <= names(registry)
    assert registry.get("cell", "from_file").target == "rnnlab_local_my_cell:Target"
    assert not [each for each in registry.problems if each.plugin.startswith("local:")]


def test_the_same_stem_in_two_folders_is_refused_naming_the_first(folder, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (folder / "gru.py").write_text(CELL.format(name="first"))
    (other / "gru.py").write_text(CELL.format(name="second"))
    registry = Registry.discover([folder, other])
    assert "first" in names(registry) and "second" not in names(registry)
    (problem,) = [each for each in registry.problems if each.plugin.startswith("local:")]
    assert str(folder / "gru.py") in problem.reason


def test_a_missing_folder_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match=r"plugins folder .*nowhere does not exist; correct --plugins-dir"):
        Registry.discover([tmp_path / "nowhere"])


def test_folders_come_from_the_environment(folder, tmp_path, monkeypatch):
    other = tmp_path / "other"
    other.mkdir()
    (folder / "one.py").write_text(CELL.format(name="one"))
    (other / "two.py").write_text(CELL.format(name="two"))
    monkeypatch.setenv(discovery.PLUGINS_DIR, os.pathsep.join([str(folder), str(other)]))
    assert {"one", "two"} <= names(Registry.discover())


@pytest.mark.parametrize("how", ["argument", "environment"])
def test_no_plugins_leaves_our_own_distribution(how, install, folder, monkeypatch):
    install("foreign", CELL.format(name="foreign"))
    (folder / "mine.py").write_text("raise SystemExit('this code must not run')")
    if how == "environment":
        monkeypatch.setenv(discovery.NO_PLUGINS, "1")
    registry = Registry.discover([folder], enabled=how != "argument")
    assert {owner.origin for owner in registry.plugins} == {"rnnlab"}
    blocked = {owner.plugin for owner in registry.blocked}
    assert {"foreign:plugin", "local:mine"} <= blocked
    assert registry.problems == [each for each in registry.problems if each.origin == "rnnlab"]


def test_another_process_rediscovers_the_same_plugins(folder, monkeypatch):
    (folder / "mine.py").write_text(CELL.format(name="mine"))
    monkeypatch.chdir(folder.parent)
    registry = Registry.discover([folder.name])
    code = (
        "import importlib; from rnnlab.plugins.registry import Registry; registry = Registry.discover();"
        "spec = registry.get('cell', 'mine'); print(spec.target, registry.owner(spec).origin);"
        "importlib.import_module(spec.target.partition(':')[0]).Target"
    )
    environment = os.environ | registry.environment()
    found = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd="/", capture_output=True, text=True, check=True
    )
    assert found.stdout.split(maxsplit=1) == ["rnnlab_local_mine:Target", f"{folder / 'mine.py'}\n"]


def test_discovery_and_listing_import_nothing_heavy(folder: Path):
    (folder / "mine.py").write_text(CELL.format(name="mine"))
    code = (
        "import json, sys\n"
        "from types import SimpleNamespace\n"
        "from click.testing import CliRunner\n"
        "from rnnlab.cli.plugins import plugins\n"
        "from rnnlab.plugins.registry import Registry\n"
        f"app = SimpleNamespace(registry=Registry.discover([{str(folder)!r}]))\n"
        "result = CliRunner().invoke(plugins, ['list'], obj=app)\n"
        "assert result.exit_code == 0 and 'mine' in result.output, result\n"
        "heavy = {'torch', 'mlflow', 'pandas', 'textual'}\n"
        "print(json.dumps(sorted(heavy & sys.modules.keys())))\n"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(found.stdout) == []
