"""`rnnlab bench` as a user types it: what the document holds, not how fast anything was."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys

import pytest

RNNLAB = [sys.executable, "-m", "rnnlab.cli.main"]
SMALL = ["bench", "--quick", "--device", "cpu", "--cell", "rnn", "--shapes", "3,2,2,3 4,1,2,3"]
WRONG = """
from rnnlab.api import Backend, BackendSpec, Sequence, hookimpl, loop

class Doubled(Backend):
    def supports(self, cell, device, dtype):
        return None

    def run(self, cell, x, state, lengths=None, reverse=False):
        output, final = loop(cell, x, state, lengths, reverse)
        return Sequence(2 * output, final)

@hookimpl
def rnnlab_backends():
    yield BackendSpec("doubled", f"{__name__}:Doubled", rank=5)
"""


@pytest.fixture
def rnnlab(tmp_path):
    """Run a command in an empty folder; returns the finished process."""

    def call(*arguments):
        return subprocess.run(
            [*RNNLAB, *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=240, check=False
        )

    return call


def test_a_document_that_names_all_it_stands_on(rnnlab, tmp_path):
    chosen = ["--backend", "reference", "--backend", "torch", "--lengths"]
    done = rnnlab(*SMALL, *chosen, "--json", "out.json")
    assert done.returncode == 0, done.stderr
    assert "written to out.json" in done.stdout
    document = json.loads((tmp_path / "out.json").read_text())
    assert document["command"] == " ".join(
        ["rnnlab", *SMALL[:-1], "'3,2,2,3 4,1,2,3'", *chosen, "--json out.json"]
    )
    assert document["versions"]["torch"] == importlib.metadata.version("torch")
    assert (document["shapes"], document["lengths"]) == (["3,2,2,3", "4,1,2,3"], True)
    assert (document["quick"], document["threads"]) == (True, 1)
    assert document["device"]
    rows = document["rows"]
    assert [(row["shape"], row["direction"], row["backend"]) for row in rows[:4]] == [
        ("3,2,2,3", direction, backend)
        for direction in ("forward", "forward+backward")
        for backend in ("reference", "torch")
    ]
    assert len(rows) == 8
    for reference, torch_row in zip(rows[::2], rows[1::2], strict=True):
        ratio = reference["milliseconds"] / torch_row["milliseconds"]
        assert torch_row["speed_of_reference"] == pytest.approx(ratio)
        assert reference["speed_of_reference"] == 1.0
        assert max(reference["speed_of_fastest"], torch_row["speed_of_fastest"]) == 1.0


def test_a_wrong_backend_is_shown_and_fails_the_command(rnnlab, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "wrong.py").write_text(WRONG)
    chosen = ["--backend", "reference", "--backend", "doubled"]
    done = rnnlab("--plugins-dir", "mine", *SMALL, *chosen)
    assert done.returncode == 1, done.stderr
    wrong = [line for line in done.stdout.splitlines() if " doubled " in line]
    assert len(wrong) == 2
    assert all(" wrong " in line and "output is off by 1.0e+00 of its norm" in line for line in wrong)
    listed = json.loads(rnnlab("--plugins-dir", "mine", *SMALL, *chosen, "--json").stdout)
    assert {row["milliseconds"] for row in listed["rows"] if row["backend"] == "doubled"} == {None}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--shapes", "3,2"], "expected T,B,I,H"),
        (["--backend", "torhc"], "did you mean 'torch'?"),
        (["--device", "tpu"], "unknown device 'tpu'"),
        (["--cell", "rnm"], "did you mean 'rnn'?"),
    ],
)
def test_bad_input_is_one_line(rnnlab, arguments, expected):
    done = rnnlab("bench", "--quick", *arguments)
    assert done.returncode == 2
    assert expected in done.stderr
