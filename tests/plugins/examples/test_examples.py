"""The example plugins, installed as a stranger would; one is run from the dashboard's form."""

from __future__ import annotations

import json

import pytest

from rnnlab.dashboard.catalogue import Catalogue
from rnnlab.dashboard.form import Form
from rnnlab.lab.lab import Lab

NAMES = ("rnnlab-antisymmetric", "rnnlab-attentive", "rnnlab-nino", "rnnlab-webhook")
SMALL = {
    "dataset.limit": "128",
    "training.max_steps": "5",
    "stack.hidden_size": "8",
    "tracking.enabled": "false",
}


def test_they_are_listed_and_nothing_is_wrong_with_them(installed, tmp_path):
    found = json.loads(installed.run("rnnlab plugins list --json", tmp_path))
    assert found["problems"] == []
    rows = {(row["kind"], row["name"]): row for row in found["plugins"] if row["provided_by"] in NAMES}
    assert set(rows) == {
        ("cell", "antisymmetric"),
        ("task", "attentive_classification"),
        ("dataset", "nino"),
        ("preset", "nino"),
        ("hooks", "rnnlab-webhook:webhook"),
    }
    assert {row["health"] for row in rows.values()} == {"ok"}


@pytest.mark.slow
def test_the_check_is_content(installed, tmp_path):
    said = installed.run("rnnlab plugins check rnnlab-nino", tmp_path).splitlines()
    assert said[0] == "dataset nino (rnnlab-nino:nino)" and "preset nino (rnnlab-nino:nino)" in said
    assert " 0 failed, " in said[-1]


@pytest.mark.slow
def test_the_dashboards_form_starts_a_run_of_the_cell(installed, tmp_path):
    described = installed.run("python -m rnnlab.dashboard.catalogue", tmp_path).splitlines()[-1]
    form = Form.from_preset(Catalogue.from_dict(json.loads(described), fresh=True), "digits-rows")
    form.choose("cell", "antisymmetric")
    assert [field.name for field in form.fields("cell")] == ["bias", "step_size", "diffusion"]
    assert form.set("cell.step_size", "2") == "expected a number > 0 and <= 1, got 2"
    for key, text in {"cell.step_size": "0.5", **SMALL}.items():
        assert form.set(key, text) == ""
    assert form.errors() == {}
    command = form.command()
    assert command is not None
    installed.run(command.line(), tmp_path, RNNLAB_RUNS_DIR=str(tmp_path / "runs"))
    (run,) = Lab(tmp_path / "runs").runs()
    assert (run.state, run.status["step"]) == ("finished", 5)
    assert run.config["cell"] == {"type": "antisymmetric", "bias": True, "step_size": 0.5, "diffusion": 0.01}


@pytest.mark.slow
def test_the_task_the_data_set_and_the_hooks_meet_in_one_run(installed, tmp_path):
    """The address that is told is none: the run ends well all the same."""
    small = " ".join(f"{key}={value}" for key, value in SMALL.items())
    installed.run(
        f"rnnlab run nino task=attentive_classification {small}",
        tmp_path,
        RNNLAB_RUNS_DIR=str(tmp_path / "runs"),
        RNNLAB_WEBHOOK="nowhere",
    )
    (run,) = Lab(tmp_path / "runs").runs()
    assert run.state == "finished" and "test/accuracy" in run.status["scores"]
