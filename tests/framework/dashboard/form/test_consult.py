"""Asking the processes that hold the plugins: the same answers as the commands give."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rnnlab.config.build import load
from rnnlab.dashboard.catalogue import Installation
from rnnlab.dashboard.form import Command, Consultant, Form


@pytest.fixture
def consultant(installation):
    found = Consultant(installation)
    yield found
    found.close()


def test_a_check_resolves_the_experiment_as_run_does(consultant, catalogue, registry):
    form = Form.from_preset(catalogue, "digits")
    form.choose("cell", "leaky")
    form.set("cell.leak", "0.25")
    verdict = consultant.check(form.command())
    assert verdict.problems == ()
    resolved = load("digits", ["cell=leaky", "cell.leak=0.25"], registry).to_dict()
    assert verdict.config == json.loads(json.dumps(resolved))


def test_a_check_tells_every_problem(consultant, catalogue):
    form = Form.from_preset(catalogue, "digits")
    form.choose("cell", "leaky")
    form.set("cell.leak", "0.33")
    form.set("stack.dropout", "0.5")
    verdict = consultant.check(form.command())
    form.take_problems(verdict.problems)
    errors = form.errors()
    assert errors["cell.leak"] == "a third never works; use 0.3"
    assert errors["stack.dropout"].startswith("expected 0 with one layer")
    assert not verdict.config


def test_a_preset_that_is_not_there_is_a_problem(consultant):
    (problem,) = consultant.check(Command("digit")).problems
    assert problem.startswith("no preset 'digit' is installed")


@pytest.mark.slow
def test_sizes(consultant):
    """LSTM: 4H(I + H + 2) of the cell and 10(H + 1) of the output layer, I = 1, H = 96."""
    verdict = consultant.size(Command("digits"))
    assert verdict.parameters == 4 * 96 * (1 + 96 + 2) + 10 * (96 + 1)
    assert verdict.examples == {"train": 1257, "val": 180, "test": 360}
    assert verdict.steps == 40 * 40  # 1257 examples in batches of 32 are 40 batches
    assert verdict.backend == "torch" and verdict.device in ("cpu", "cuda")
    leaky = consultant.size(
        Command("digits", ("cell=leaky", "stack.hidden_size=8", "training.max_steps=7", "dataset.view=rows"))
    )
    assert leaky.parameters == 8 * (8 + 8 + 2) + 8 + 10 * 9  # one gate, the plugin's own 8, the output layer
    assert (leaky.steps, leaky.backend) == (7, "reference")
    huge = consultant.size(Command("digits", ("stack.hidden_size=16384", "stack.recurrent_init=orthogonal")))
    assert huge.parameters == 4 * 16384 * (1 + 16384 + 2) + 10 * 16385  # 4 GB of weights, were they made
    (problem,) = consultant.size(Command("digits", ("cell=leaky", "backend=torch"))).problems
    assert "backend 'torch' cannot run leaky" in problem


def test_a_process_that_was_killed_is_started_again(consultant):
    consultant.check(Command("digits"))
    process = consultant._processes["check"]._process
    process.kill()
    process.wait()
    assert consultant.check(Command("digits")).problems == ()


def test_a_plugin_that_ends_the_process_is_one_line(tmp_path):
    (tmp_path / "killer.py").write_text("import os, sys\nprint('no luck', file=sys.stderr)\nos._exit(3)\n")
    consultant = Consultant(Installation.of([tmp_path]))
    (problem,) = consultant.check(Command("digits")).problems
    assert problem == "no answer from the process that loads the plugins: no luck"
    (tmp_path / "killer.py").unlink()
    assert consultant.check(Command("digits")).problems == ()
    consultant.close()


def test_the_process_ends_with_the_one_that_asks(installation, tmp_path):
    code = (
        "import time\n"
        "from rnnlab.dashboard.catalogue import Installation\n"
        "from rnnlab.dashboard.form import Command, Consultant\n"
        "consultant = Consultant(Installation())\n"
        "consultant.check(Command('digits'))\n"
        "print(consultant._processes['check']._process.pid, flush=True)\n"
        "time.sleep(1000)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as asker:
        assert asker.stdout is not None
        child = int(asker.stdout.readline())
        assert Path(f"/proc/{child}").exists()
        os.kill(asker.pid, signal.SIGKILL)
    deadline = time.monotonic() + 20
    while _lives(child):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _lives(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def test_a_form_and_its_questions_import_nothing_heavy(installation, tmp_path):
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from rnnlab.dashboard.catalogue import CatalogueStore, Installation\n"
        "from rnnlab.dashboard.form import Consultant, Form, Launcher, past_runs\n"
        "from rnnlab.lab.lab import Lab\n"
        "installation = Installation.of([sys.argv[1]])\n"
        "store = CatalogueStore(installation, Path(sys.argv[2]))\n"
        "store.refresh(lambda catalogue: None).join(100)\n"
        "form = Form.from_preset(store.load(), 'digits')\n"
        "form.choose('cell', 'leaky')\n"
        "consultant = Consultant(installation)\n"
        "assert consultant.check(form.command()).problems == ()\n"
        "form.plan().save(Path(sys.argv[2], 'x.yaml'))\n"
        "Form.from_file(store.load(), Path(sys.argv[2], 'x.yaml'))\n"
        "lab = Lab(Path(sys.argv[2], 'runs'))\n"
        "past_runs(lab)\n"
        "bad = form.set('cell.shape', 'x') and Launcher(lab, installation).start(form.plan())\n"
        "assert bad.error.startswith('cell.shape: expected one of tanh, relu'), bad\n"
        "heavy = ('torch', 'mlflow', 'pandas', 'rnnlab.training', 'rnnlab.execution', 'rnnlab_plugins')\n"
        "assert not [name for name in heavy if name in sys.modules]\n"
        "consultant.close()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, installation.folders[0], tmp_path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
