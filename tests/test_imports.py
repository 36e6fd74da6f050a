"""Who may import whom: every import-linter contract holds, and fails when it is broken on purpose."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HEAVY = ("torch", "mlflow", "pandas", "textual", "torchmetrics", "sklearn")

# contract id -> (the file an offending line is added to, the line)
OFFENCES = {
    "layers": ("framework/rnnlab/lab/run.py", "import rnnlab.training.trainer"),
    "core-knows-no-plugin": ("framework/rnnlab/recurrent/stack.py", "import rnnlab_plugins.cells.lstm"),
    "plugins-use-the-api": ("plugins/rnnlab_plugins/cells/lstm.py", "import rnnlab.recurrent.cell"),
    "kinds-are-independent": ("plugins/rnnlab_plugins/tasks/__init__.py", "import rnnlab_plugins.cells"),
    "kernels-stand-alone": ("kernels/rnnlab_kernels/__init__.py", "import numpy"),
    "training-without-mlflow": ("framework/rnnlab/tracking/launch.py", "import mlflow"),
    "only-tracking-knows-mlflow": ("framework/rnnlab/cli/main.py", "import mlflow"),
    "dashboard-is-light": ("framework/rnnlab/dashboard/screens/frame.py", "import rnnlab.training.size"),
}


def lint(folder):
    """Run import-linter over the source tree in `folder`; returns its exit code and output."""
    code = (
        "import sys; sys.path[:0] = ['framework', 'plugins', 'kernels'];"
        "from importlinter.cli import lint_imports_command; lint_imports_command()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A copy of the sources, which a test may spoil."""
    folder = tmp_path_factory.mktemp("tree")
    for name in ("framework", "plugins", "kernels"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def test_all_contracts_hold(tree):
    code, output = lint(tree)
    assert code == 0, output
    assert "0 broken" in output


def test_every_contract_is_broken_on_purpose_below():
    import tomllib

    config = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert {contract["id"] for contract in config["tool"]["importlinter"]["contracts"]} == set(OFFENCES)


@pytest.mark.parametrize("contract", OFFENCES)
def test_a_contract_fails_when_it_is_broken(tree, contract):
    import tomllib

    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (name,) = [entry["name"] for entry in contracts if entry["id"] == contract]
    path, line = OFFENCES[contract]
    file = tree / path
    sound = file.read_text()
    file.write_text(f"{sound}\n{line}\n")
    try:
        code, output = lint(tree)
    finally:
        file.write_text(sound)
    assert code == 1, output
    assert f"{name} BROKEN" in output


@pytest.mark.parametrize(
    "arguments",
    ["--help", "plugins list", "plugins list --json", "run --list", "runs", "run --help"],
)
def test_light_commands_import_nothing_heavy(arguments, tmp_path):
    code = (
        "import sys\n"
        "sys.argv = ['rnnlab', *sys.argv[1:]]\n"
        "from rnnlab.cli.main import main\n"
        "try:\n    main()\n"
        "except SystemExit as ended:\n    assert not ended.code, ended.code\n"
        f"heavy = [name for name in {HEAVY} if name in sys.modules]\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments.split()],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_no_top_folder_is_importable(tmp_path):
    """From anywhere but the repository's root, whose folders python sees as namespace packages."""
    code = (
        "from importlib.util import find_spec\n"
        "found = [name for name in ('framework', 'plugins', 'kernels') if find_spec(name)]\n"
        "assert not found, found\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
