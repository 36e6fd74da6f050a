"""What `rnnlab plugins new` makes is complete, clean, and the same in a package and in a file."""

from __future__ import annotations

import ast
import json
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from rnnlab.errors import InputError
from rnnlab.scaffold.naming import LONGEST, SCAFFOLDED

ROOT = Path(__file__).parents[3]
LONG = "a" * (LONGEST - 2) + "-b"


@pytest.fixture(scope="module")
def made(make, tmp_path_factory) -> Path:
    """A folder with a package of each kind, and `one/` with a file of each; again with the longest names."""
    folder = tmp_path_factory.mktemp("made")
    for kind in SCAFFOLDED:
        for name in (f"my-{kind}", f"{kind[0]}{LONG[1:]}"):
            for options in ((), ("--file",)):
                place = folder / ("one" if options else "packages") / name
                result = make(kind, name, "--to", str(place), *options)
                assert result.exit_code == 0, result.output
    return folder


def code(path: Path) -> dict[str, str]:
    """Classes and functions of a file by name, without what differs between a package and a file."""
    nodes = ast.parse(path.read_text()).body
    return {node.name: ast.dump(node) for node in nodes if isinstance(node, ast.ClassDef | ast.FunctionDef)}


@pytest.mark.parametrize("kind", SCAFFOLDED)
def test_a_package_is_complete(made, kind):
    package = made / "packages" / f"my-{kind}" / f"rnnlab-my-{kind}"
    source = package / "src" / f"rnnlab_my_{kind}"
    files = {str(path.relative_to(package)) for path in package.rglob("*") if path.is_file()}
    code = {str(path.relative_to(package)) for path in source.iterdir()}
    assert files == code | {
        "pyproject.toml",
        "README.md",
        "LICENSE",
        ".gitignore",
        f"tests/test_my_{kind}.py",
    }
    project = tomllib.loads((package / "pyproject.toml").read_text())["project"]
    assert project["entry-points"] == {"rnnlab": {f"my_{kind}": f"rnnlab_my_{kind}"}}
    assert project["license"] == "Apache-2.0"
    assert (package / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()
    readme = (package / "README.md").read_text()
    assert "To choose your own" in readme and all(f"`{path}`" in readme for path in code)


@pytest.mark.parametrize("kind", SCAFFOLDED)
def test_a_package_and_a_file_hold_the_same_code(made, kind):
    package = made / "packages" / f"my-{kind}" / f"rnnlab-my-{kind}" / "src" / f"rnnlab_my_{kind}"
    apart = {name: text for path in package.glob("*.py") for name, text in code(path).items()}
    together = code(made / "one" / f"my-{kind}" / f"my_{kind}.py")
    hook = f"rnnlab_{kind}s"
    assert {**apart, hook: ""} == {**together, hook: ""} and hook in apart and hook in together


@pytest.mark.parametrize("check", ["check --isolated", "format --isolated --check"])
def test_ruff_finds_nothing_by_its_default_rules(made, check):
    places = [str(made)] if check.startswith("check") else [str(path) for path in made.glob("*/my-*")]
    done = subprocess.run(
        [sys.executable, "-m", "ruff", *check.split(), *places], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_what_to_do_next_is_said(make, tmp_path):
    folder = str(tmp_path / "two words")
    package = make("cell", "mycell", "--to", folder).output.split("\nnext\n")[1]
    quoted = shlex.quote(folder)
    assert [line.strip() for line in package.splitlines()] == [
        f"pip install --editable {shlex.quote(folder + '/rnnlab-mycell')}",
        "rnnlab plugins check cell mycell",
        "rnnlab run digits-rows cell=mycell",
    ]
    one = make("backend", "mine", "--file", "--to", folder).output.split("\nnext\n")[1]
    assert [line.strip() for line in one.splitlines()] == [
        f"rnnlab plugins check --plugins-dir {quoted} backend mine",
        f"rnnlab --plugins-dir {quoted} run digits-rows cell=rnn backend=mine",
    ]


def test_nothing_is_overwritten(make, tmp_path):
    (tmp_path / "rnnlab-mycell").mkdir()
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_mycell.py").write_text("mine")
    for options, there in (((), "rnnlab-mycell"), (("--file",), "tests/test_mycell.py")):
        error = make("cell", "mycell", "--to", str(tmp_path), *options).exception
        assert isinstance(error, InputError) and error.exit_code == 2
        expected = f"{tmp_path / there} exists, and nothing is overwritten; take another name or --to DIR"
        assert str(error) == expected
    assert not (tmp_path / "mycell.py").exists() and not list((tmp_path / "rnnlab-mycell").iterdir())
    assert (tmp_path / "tests" / "test_mycell.py").read_text() == "mine"


@pytest.mark.parametrize(
    ("kind", "name", "line"),
    [
        ("cell", "MyCell", "expected a name of at most 24 lower-case letters and digits"),
        ("cell", "2nd", "expected a name"),
        ("cell", "my--cell", "expected a name"),
        ("cell", "../up", "expected a name"),
        ("cell", "a" * (LONGEST + 1), "expected a name"),
        ("cell", "lstm", "cell 'lstm' is already provided by rnnlab"),
        ("backend", "auto", "that name has a meaning of its own; take another"),
        ("dataset", "plugins", "would make the module rnnlab_plugins"),
        ("task", "local-x", "would make the module rnnlab_local_x"),
        ("cell", "cell", "would make the class Cell"),
        ("cell", "none", "would make the class None"),
        ("executor", "executor", "would make the class Executor"),
        ("dataset", "token-dataset", "would make the class TokenDataset"),
    ],
)
def test_a_name_that_cannot_be_is_refused_in_a_line(make, tmp_path, kind, name, line):
    error = make(kind, name, "--to", str(tmp_path)).exception
    assert isinstance(error, InputError) and error.exit_code == 2
    assert line in str(error) and "\n" not in str(error)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_an_error_in_a_line(make, tmp_path):
    (tmp_path / "file").write_text("")
    error = make("cell", "mycell", "--to", str(tmp_path / "file")).exception
    assert isinstance(error, InputError)
    assert str(error).endswith("cannot be written (Not a directory); name another folder by --to DIR")


def test_kinds_are_those_of_the_templates(make):
    result = make("preset", "x")
    assert result.exit_code == 2 and "'preset' is not one of 'cell'" in result.output


@pytest.mark.slow
def test_every_package_is_installed_and_healthy(made, environment, tmp_path):
    environment.run(f"pip install --quiet {shlex.quote(str(made))}/packages/my-*/*", tmp_path)
    described = json.loads(environment.run("python -m rnnlab.dashboard.catalogue", tmp_path).splitlines()[-1])
    found = {
        entry["name"]: entry for entry in described["entries"] if entry["origin"].startswith("rnnlab-my")
    }
    assert {name: (entry["kind"], entry["health"]) for name, entry in found.items()} == {
        f"my-{kind}": (kind, "ok") for kind in SCAFFOLDED
    }
    assert described["problems"] == [] and described["complete"]
