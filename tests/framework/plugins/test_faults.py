"""Faults of a plugin's own code, in one line."""

import pytest

from rnnlab.cli.plugins import plugins
from rnnlab.errors import InputError
from rnnlab.plugins.registry import Registry

CONFIG = """from pydantic import Field
from rnnlab.api import CellConfig


class Options(CellConfig):
    {line}
"""
PLUGIN = """from rnnlab.api import CellSpec, hookimpl


@hookimpl
def rnnlab_cells():
    yield CellSpec("late", f"{__name__}.config:Cell", f"{__name__}.config:Options")
"""

LINES = {
    "beta = 1.0": "option beta has no type: write beta: float = 1.0",
    "beta = 'x'": "option beta has no type: write beta: str = 'x'",
    "beta = Field(1.0)": "option beta has no type: write beta: TYPE = ...",
    "bias = False": "option bias has no type: write bias: TYPE = ...",
}


@pytest.fixture
def package(folder):
    path = folder / "late"
    path.mkdir()
    (path / "__init__.py").write_text(PLUGIN)
    return path


@pytest.mark.parametrize("line", LINES)
def test_an_option_without_a_type(package, line):
    (package / "config.py").write_text(CONFIG.format(line=line))
    registry = Registry.discover([package.parent])
    with pytest.raises(InputError) as refused:
        registry.config_model(registry.get("cell", "late"))
    assert str(refused.value) == f"cell 'late' of {package}: {LINES[line]} ({package / 'config.py'}:5)"


def test_a_file_with_such_an_option_does_not_load(folder):
    (folder / "early.py").write_text(CONFIG.format(line="beta = 1.0"))
    (problem,) = Registry.discover([folder]).problems
    place = f"{folder / 'early.py'}:5"
    assert problem.reason == f"option beta has no type: write beta: float = 1.0 ({place})"


def test_the_list_has_the_reason_of_what_is_broken(package):
    from types import SimpleNamespace

    from click.testing import CliRunner

    (package / "config.py").write_text(CONFIG.format(line="beta = 1.0"))
    app = SimpleNamespace(registry=Registry.discover([package.parent]))
    lines = CliRunner().invoke(plugins, ["list"], obj=app).output.splitlines()
    assert "1 problem" in lines
    assert lines[-1].split("  ")[0] == "local:late"
    assert f"{LINES['beta = 1.0']} ({package / 'config.py'}:5)" in lines[-1]
    assert lines[-1].endswith(f"correct {package}")
