"""The inventory: every plugin as plain data, healthy or not, whatever it does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rnnlab.config import inventory
from rnnlab.plugins.entry import Entry
from rnnlab.plugins.registry import Registry

PLUGIN = '''
from dataclasses import dataclass
from pydantic import ConfigDict, Field
from rnnlab.api import Cell, CellConfig, CellSpec, Section, hookimpl

class Odd:
    """Of no type that JSON schemas know."""

class OddConfig(CellConfig):
    model_config = ConfigDict(arbitrary_types_allowed=True)
    odd: Odd = Odd()
    """An odd
    thing."""
    made: list[int] = Field(default_factory=lambda: [1, 2])

class Leaky(Cell):
    """A leaky integrator."""

    def step(self, projected, state):
        return state

class NoCell:
    pass

@hookimpl
def rnnlab_cells():
    yield CellSpec("leaky", f"{__name__}:Leaky", f"{__name__}:OddConfig", "leaks")
    yield CellSpec("needy", f"{__name__}:Leaky", requires=("no_such_module",))
    yield CellSpec("gone", "no_such_module.at_all:Cell")
    yield CellSpec("wrong", f"{__name__}:NoCell")
    yield CellSpec("unconfigured", f"{__name__}:Leaky", f"{__name__}:Nothing")
'''


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("plugins")
    (path / "leaky.py").write_text(PLUGIN)
    return path


@pytest.fixture(scope="module")
def found(folder: Path) -> dict[tuple[str, str], Entry]:
    registry = Registry.discover([folder])
    return {(entry.kind, entry.name): entry for entry in inventory.entries(registry, load=True)}


def test_an_entry_survives_json(found):
    for entry in found.values():
        assert Entry.from_dict(json.loads(json.dumps(entry.to_dict()))) == entry


def test_a_third_partys_cell(found, folder):
    leaky = found["cell", "leaky"]
    assert (leaky.health, leaky.reason, leaky.summary, leaky.docs) == (
        "ok",
        "",
        "leaks",
        "A leaky integrator.",
    )
    assert (leaky.origin, leaky.local, leaky.built_in) == (str(folder / "leaky.py"), True, False)
    assert leaky.step.startswith("def step(self, projected, state):")


def test_an_option_of_no_known_type_keeps_its_help_and_the_others_their_names(found):
    options = found["cell", "leaky"].options["properties"]
    assert list(options) == ["bias", "odd", "made"]
    assert options["odd"]["description"] == "An odd thing."
    assert options["made"]["default"] == [1, 2]


def test_what_cannot_be_used_says_why_and_what_to_do(found, folder):
    needy = found["cell", "needy"]
    assert (needy.health, needy.reason) == ("unavailable", "needs no_such_module")
    assert needy.remedy == "pip install no_such_module" and needy.needs == ("no_such_module",)
    for name, reason in (
        ("gone", "cannot import 'no_such_module.at_all'"),
        ("wrong", "must be a subclass of rnnlab.api.Cell"),
        ("unconfigured", "has no 'Nothing'"),
    ):
        entry = found["cell", name]
        assert entry.health == "broken" and reason in entry.reason and "\n" not in entry.reason
        assert entry.remedy == f"correct {folder / 'leaky.py'}"


def test_targets_are_only_imported_when_asked(folder):
    entries = {each.name: each for each in inventory.entries(Registry.discover([folder]))}
    assert entries["gone"].health == "ok" and entries["leaky"].docs == ""
    assert entries["unconfigured"].health == "broken"


def test_the_built_in_plugins_are_all_healthy_and_described(found):
    built_in = [entry for entry in found.values() if entry.built_in]
    assert {entry.kind for entry in built_in} == {"cell", "task", "dataset", "backend", "executor", "preset"}
    for entry in built_in:
        assert entry.health in ("ok", "unavailable"), entry
        assert entry.summary
    task = found["task", "sequence_to_sequence"]
    assert task.decoder and task.modes == ("asynchronous",) and task.metrics["error_rate"] == "min"
    assert found["dataset", "digits"].modes == ("class",)


def test_a_preset_has_its_experiment_without_what_describes_it(found):
    digits = found["preset", "digits"]
    assert digits.experiment["cell"] == {"type": "lstm", "forget_bias": 1.0}
    assert "about" not in digits.experiment and digits.about["mode"] == "class"
    assert digits.file.startswith("about:")


def test_the_core_sections_have_help_and_default_everywhere():
    sections = inventory.sections()
    assert list(sections) == ["", "stack", "training", "tracking"]
    assert sections[""]["required"] == ["name"]
    for section in sections.values():
        for name, option in section["properties"].items():
            assert option["description"], name
            assert "default" in option or name == "name"
