"""`rnnlab verify` as a user types it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

RNNLAB = [sys.executable, "-m", "rnnlab.cli.main"]
WRONG = """
from rnnlab.api import Backend, BackendSpec, hookimpl, loop

class Masked(Backend):
    def supports(self, cell, device, dtype):
        return None if cell.equations == "lstm" else "only for LSTMs"

    def run(self, cell, x, state, lengths=None, reverse=False):
        return loop(cell, x, state, None, reverse)

@hookimpl
def rnnlab_backends():
    yield BackendSpec("mask_ignored", f"{__name__}:Masked")
"""


@pytest.fixture
def rnnlab(tmp_path):
    """Run a command in an empty folder; returns the finished process."""

    def call(*arguments, **environment):
        return subprocess.run(
            [*RNNLAB, *arguments],
            cwd=tmp_path,
            env=os.environ | environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return call


def test_a_wrong_backend_is_named_with_its_fault_and_fails_the_command(rnnlab, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "wrong.py").write_text(WRONG)
    plugins = ("--plugins-dir", "mine", "verify", "--device", "cpu", "--dtype", "float32")
    done = rnnlab(*plugins, "--backend", "mask_ignored", "--backend", "reference", "--cell", "lstm")
    assert done.returncode == 1, done.stderr
    lines = [line.split() for line in done.stdout.splitlines() if line.startswith("lstm ")]
    assert [line[1:5] for line in lines if "=" not in line[1]] == [
        ["mask_ignored", "cpu", "float32", "wrong"],
        ["reference", "cpu", "float32", "ok"],
    ]
    (fault,) = [line for line in done.stdout.splitlines() if line.startswith("lstm  ") and "mask_" in line]
    assert "lengths, H=16: steps past a row's length are not masked" in fault
    assert done.stdout.rstrip().endswith("2 ok, 2 wrong, 0 not supported")
    listed = rnnlab(*plugins, "--backend", "mask_ignored", "--hidden-size", "9", "--json")
    assert listed.returncode == 1
    rows = {row["cell"]: row for row in json.loads(listed.stdout)}
    assert rows["lstm"]["where"].startswith("lengths, H=9: ")
    assert (rows["lstm"]["result"], rows["lstm"]["worst_error"]) == ("wrong", None)  # a NaN has no size
    assert (rows["rnn"]["result"], rows["rnn"]["where"]) == ("not supported", "only for LSTMs")


def test_what_is_right_or_not_supported_is_no_failure(rnnlab):
    done = rnnlab("verify", "--cell", "rnn", "--backend", "torch", "--dtype", "float64", "--device", "cpu")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "rnn nonlinearity=sigmoid  torch    cpu     float64  not supported" in done.stdout
    assert "3 ok, 0 wrong, 1 not supported" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--backend", "torhc"], "no backend 'torhc' is installed; did you mean 'torch'?"),
        (["--cell", "elman"], "no cell 'elman' is installed"),
        (["--dtype", "bf16"], "unknown dtype 'bf16'"),
        (["--device", "tpu"], "unknown device 'tpu'"),
    ],
)
def test_unknown_names_are_bad_input(rnnlab, arguments, expected):
    done = rnnlab("verify", *arguments)
    assert done.returncode == 2
    assert expected in done.stderr
    assert done.stdout == ""
