"""`rnnlab plugins`: complete in a pipe, healthy and broken plugins alike."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner, Result

from rnnlab.cli.plugins import plugins
from rnnlab.errors import InputError
from rnnlab.plugins.registry import Registry

PLUGIN = '''
from rnnlab.api import Cell, CellConfig, CellSpec, PresetSpec, Step, hookimpl

class LeakyConfig(CellConfig):
    leak: float = 0.5
    """How much of the old state stays."""

class Leaky(Cell):
    """A leaky integrator."""

    def step(self, projected, state):
        (h,) = state
        return Step((0.5 * h + projected.tanh(),))

@hookimpl
def rnnlab_cells():
    yield CellSpec("leaky", f"{__name__}:Leaky", f"{__name__}:LeakyConfig", SUMMARY)
    yield CellSpec("needy", f"{__name__}:Leaky", requires=("no_such_module",))

@hookimpl
def rnnlab_presets():
    yield PresetSpec("leak", f"{__name__}:leak.yaml")

@hookimpl
def rnnlab_run_end(reason): ...

SUMMARY = "a leaky integrator, " + "described at length, " * 10 + "[bold]to the end"
'''


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    folder: Path = tmp_path_factory.mktemp("plugins")
    (folder / "leaky.py").write_text(PLUGIN)
    (folder / "leak.yaml").write_text("about: {summary: leaks}\ncell: leaky\n")
    (folder / "broken.py").write_text("def broken(:\n")
    yield SimpleNamespace(registry=Registry.discover([folder]), folder=folder)


def invoke(app: SimpleNamespace, *args: str) -> Result:
    return CliRunner().invoke(plugins, args, obj=app)


def test_list_is_complete_in_a_pipe(app):
    result = invoke(app, "list")
    assert result.exit_code == 0
    lines = result.output.splitlines()
    (leaky,) = [line for line in lines if line.startswith("cell") and " leaky " in line]
    assert leaky.split()[:3] == ["cell", "leaky", "ok"] and str(app.folder / "leaky.py") in leaky
    assert leaky.endswith("described at length, [bold]to the end")
    assert any(line.split()[:4] == ["cell", "needy", "needs", "no_such_module"] for line in lines)
    assert any(line.split()[:2] == ["preset", "leak"] and line.endswith("leaks") for line in lines)
    assert any(line.split()[:2] == ["hooks", "local:leaky"] and "rnnlab_run_end" in line for line in lines)
    (broken,) = [line for line in lines if line.startswith("local:broken")]
    assert "SyntaxError" in broken and broken.endswith(f"correct {app.folder / 'broken.py'}")


def test_list_as_json(app):
    found = json.loads(invoke(app, "list", "--json").output)
    (leaky,) = [each for each in found["plugins"] if each["name"] == "leaky"]
    assert leaky["kind"] == "cell" and leaky["health"] == "ok" and leaky["version"] == ""
    (broken,) = [each for each in found["problems"] if each["plugin"] == "local:broken"]
    assert set(broken) == {"plugin", "origin", "version", "stage", "reason", "remedy"}
    assert found["blocked"] == []


def test_show_a_cell_with_its_formula(app):
    output = invoke(app, "show", "cell", "leaky").output
    assert "leak a number 0.5 How much of the old state stays." in " ".join(output.split())
    assert "A leaky integrator." in output
    assert "def step(self, projected, state):\n    (h,) = state\n    return Step(" in output


def test_show_as_json(app):
    shown = json.loads(invoke(app, "show", "cell", "leaky", "--json").output)
    assert shown["target"] == "rnnlab_local_leaky:Leaky"
    assert [option["name"] for option in shown["options"]] == ["bias", "leak"]
    assert shown["step"].startswith("def step")


def test_show_a_preset_and_one_that_lacks_a_module(app):
    assert invoke(app, "show", "preset", "leak").output.endswith(
        "file\nabout: {summary: leaks}\ncell: leaky\n"
    )
    needy = invoke(app, "show", "cell", "needy").output
    assert "needs no_such_module" in needy and "bias" in needy and "def step" not in needy


def test_show_an_unknown_name_is_an_input_error(app):
    result = invoke(app, "show", "cell", "leeky")
    assert isinstance(result.exception, InputError)
    assert "did you mean 'leaky'?" in str(result.exception)
