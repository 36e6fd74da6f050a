"""What somebody reads who runs a cell of a folder: where it is wrong, and what to write instead."""

import json
import os
import subprocess
import sys

import pytest

SMALL = ["dataset.limit=64", "stack.hidden_size=8", "training.max_steps=2", "tracking.enabled=false"]
STEP = """from rnnlab.api import Cell, CellSpec, Step, hookimpl


class Mine(Cell):
    def step(self, projected, state):
        {body}
        return Step((h,))


@hookimpl
def rnnlab_cells():
    yield CellSpec("mine", f"{{__name__}}:Mine")
"""
STEPS = "h = (projected + state[0] @ self.weight_hh.T).tanh()"
MISSHAPED = "h = projected + state[0].new_zeros(3)"
LATER = f"assert len(projected) < 3, 'too many rows'; {STEPS}"


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "my cells"
    path.mkdir()
    return path


@pytest.fixture
def rnnlab(tmp_path):
    def call(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "rnnlab.cli.main", *arguments],
            cwd=tmp_path,
            env=os.environ | {"RNNLAB_RUNS_DIR": str(tmp_path / "runs")},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return call


def test_a_cell_that_does_not_step_is_refused_with_its_line(rnnlab, folder, tmp_path):
    file = folder / "mine.py"
    file.write_text(STEP.format(body=MISSHAPED))
    given = ["--plugins-dir", str(folder), "run", "digits-rows", *SMALL, "cell=mine"]
    dry, ran = rnnlab(*given, "--dry-run"), rnnlab(*given)
    assert (dry.returncode, ran.returncode, dry.stderr) == (2, 2, ran.stderr)
    assert ran.stderr.startswith(
        "error: cell 'mine' does not step: RuntimeError: The size of tensor a (8) must"
    )
    assert ran.stderr.endswith(f" ({file}:6); see 'rnnlab --plugins-dir '{folder}' plugins check mine'\n")
    assert ran.stderr.count("\n") == 1
    assert list((tmp_path / "runs").iterdir()) == []
    shown = rnnlab("--debug", *given).stderr
    assert "Traceback" in shown and f'File "{file}", line 6, in step' in shown


def test_a_cell_that_fails_in_training_is_named_with_its_line(rnnlab, folder, tmp_path):
    file = folder / "mine.py"
    file.write_text(STEP.format(body=LATER))
    ran = rnnlab("run", "--plugins-dir", str(folder), "digits-rows", *SMALL, "cell=mine", "backend=reference")
    (log,) = (tmp_path / "runs").glob("*/log.txt")
    assert ran.returncode == 1
    assert ran.stderr == (
        f"error: cell 'mine' failed: AssertionError: too many rows ({file}:6); "
        f"see 'rnnlab --plugins-dir '{folder}' plugins check mine', or {log}\n"
    )
    assert f'File "{file}", line 6, in step' in log.read_text()
    shown = rnnlab("--debug", "resume", "latest", "--plugins-dir", str(folder)).stderr
    assert f'File "{file}", line 6, in step' in shown


def test_a_run_says_where_its_cell_came_from(rnnlab, folder, tmp_path):
    file = folder / "mine.py"
    file.write_text(STEP.format(body=STEPS))
    ran = rnnlab("run", "digits-rows", *SMALL, "cell=mine", "--plugins-dir", str(folder))
    assert ran.returncode == 0, ran.stderr
    assert "  MLflow was not told, tracking.enabled is false; 'rnnlab sync digits-rows-mine-" in ran.stdout
    (config,) = (tmp_path / "runs").glob("*/config.yaml")
    told = f"no cell 'mine' is installed; the run had it from {file}: add --plugins-dir '{folder}'\n"
    for command in (["predict", "latest", "1"], ["run", str(config)]):
        done = rnnlab(*command)
        assert (done.returncode, done.stderr) == (2, f"error: cell.type: {told}")
    assert rnnlab("run", str(config), "--dry-run", "--plugins-dir", str(folder)).returncode == 0
    file.write_text("1 +\n")
    broken = rnnlab("--plugins-dir", str(folder), "predict", "latest", "1").stderr
    assert f"(local:mine did not load whole: 'rnnlab --plugins-dir '{folder}' plugins list')" in broken


@pytest.mark.parametrize("before", [True, False])
def test_the_folder_of_plugins_may_be_named_anywhere(rnnlab, folder, before):
    (folder / "mine.py").write_text(STEP.format(body=STEPS))
    option = ["--plugins-dir", str(folder)]
    for command in (["plugins", "list", "--json"], ["plugins", "show", "cell", "mine", "--json"]):
        done = rnnlab(*option, *command) if before else rnnlab(*command, *option)
        assert done.returncode == 0, done.stderr
        assert '"mine"' in done.stdout
    inside = rnnlab("plugins", *option, "show", "cell", "mine", "--json")
    assert json.loads(inside.stdout)["name"] == "mine"


def test_every_command_takes_the_folder_of_plugins(rnnlab):
    from rnnlab.cli.main import COMMANDS, cli

    for name in COMMANDS:
        command = cli.get_command(None, name)
        assert any("--plugins-dir" in parameter.opts for parameter in command.params), name


WORDS = {
    "an option of the run": (
        ["run", "digits-rows", "--epochs", "2"],
        "no option '--epochs'; options of a run are written training.epochs=2; see 'rnnlab run --help'",
    ),
    "with an equals sign": (
        ["run", "digits-rows", "--hidden-size=64"],
        "no option '--hidden-size'; options of a run are written stack.hidden_size=64; "
        "see 'rnnlab run --help'",
    ),
    "a slip": (
        ["run", "digits-rows", "--dry-rn"],
        "no option '--dry-rn'; did you mean '--dry-run'?; see 'rnnlab run --help'",
    ),
    "no preset": (
        ["run", "cell=mine"],
        "name a preset first, as in 'rnnlab run digits-rows cell=mine'; see 'rnnlab run --help'",
    ),
    "a name that begins with a digit": (
        ["plugins", "new", "cell", "3cell"],
        "expected a name of at most 24 lower-case letters and digits, a letter first, "
        "parts joined by - or _, got '3cell'; for example my-cell",
    ),
}


@pytest.mark.parametrize("what", WORDS)
def test_what_was_meant_is_said(rnnlab, what):
    arguments, expected = WORDS[what]
    done = rnnlab(*arguments)
    assert (done.returncode, done.stderr) == (2, f"error: {expected}\n")


def test_new_without_arguments_is_one_line(rnnlab):
    done = rnnlab("plugins", "new")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert (
        "Choose from: cell, task, dataset, backend, executor; see 'rnnlab plugins new --help'" in done.stderr
    )
