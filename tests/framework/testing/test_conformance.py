"""The suite as pytest users meet it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from rnnlab.errors import InputError
from rnnlab.testing import conformance

SUITE = """
from rnnlab.testing import conformance

test_right = conformance("cell", "rnn", without={{"gradcheck": "asked elsewhere"}})
test_wrong = conformance("cell", "padding", plugins_dir={folder!r})
"""


@pytest.fixture(scope="module")
def output(tmp_path_factory, faults):
    folder = tmp_path_factory.mktemp("suite")
    (folder / "test_suite.py").write_text(SUITE.format(folder=str(faults / "cell")))
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-v",
            "-rs",
            "-p",
            "no:cacheprovider",
            "-k",
            "padding or gradcheck or equations",
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout


def test_check_names_are_test_ids(output):
    assert "test_suite.py::test_right[padding] PASSED" in output
    assert "test_suite.py::test_wrong[padding] FAILED" in output
    assert "test_suite.py::test_wrong[gradcheck] PASSED" in output


def test_a_skip_gives_its_reason(output):
    assert "test_suite.py::test_right[gradcheck] SKIPPED (asked elsewhere)" in output
    assert "it promises no equations" in output


def test_a_failure_says_what_and_where_to_look(output):
    assert "cell 'padding', padding: padding, 3 steps of NaN after each row: gradient of x" in output
    assert "look at project and step: a division, logarithm or norm" in output


def test_unknown_kinds_and_checks_are_refused():
    with pytest.raises(InputError, match="unknown kind 'cel'; did you mean 'cell'"):
        conformance("cel", "rnn")  # pyright: ignore[reportArgumentType]
    with pytest.raises(InputError, match="no check 'pading' for a cell; did you mean 'padding'"):
        conformance("cell", "rnn", without={"pading": "?"})


def test_importing_the_suite_imports_neither_torch_nor_pytest():
    code = "import sys, rnnlab.testing; assert not {'torch', 'pytest'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
