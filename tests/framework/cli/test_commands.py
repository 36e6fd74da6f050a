"""The commands as a user types them: real processes, a real terminal, real signals."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time

import pytest
import torch

RNNLAB = [sys.executable, "-m", "rnnlab.cli.main"]
SMALL = ["dataset.limit=128", "stack.hidden_size=8", "training.log_every=1", "tracking.enabled=false"]
PATIENCE = 120.0


@pytest.fixture
def rnnlab(tmp_path):
    """Run a command in an empty folder; returns the finished process."""

    def call(*arguments, stdin="", **environment):
        return subprocess.run(
            [*RNNLAB, *arguments],
            cwd=tmp_path,
            env=os.environ | environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    return call


@pytest.fixture
def rows(rnnlab):
    return lambda: json.loads(rnnlab("runs", "--json").stdout)


def wait_until(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_run_list_compare_and_predict(rnnlab, rows):
    first = rnnlab("run", "digits-rows", *SMALL, "training.epochs=2")
    assert first.returncode == 0, first.stderr
    assert "finished (all 8 steps done)" in first.stdout
    second = rnnlab("run", "digits-rows", *SMALL, "training.epochs=2", "cell=rnn", "backend=reference")
    assert second.returncode == 0, second.stderr
    old, new = rows()
    assert [(row["cell"], row["backend"], row["state"]) for row in (old, new)] == [
        ("lstm", "torch", "finished"),
        ("rnn", "reference", "finished"),
    ]
    assert (old["metric"], old["step"], old["steps"]) == ("test/accuracy", 8, 8)
    assert f"test/accuracy {old['score']:.4f}" in first.stdout
    assert old["baseline"] == pytest.approx(0.1, abs=0.03)
    compared = json.loads(rnnlab("compare", old["run"], new["run"], "--json").stdout)
    assert compared[old["run"]]["options"]["cell.type"] == "lstm"
    assert compared[new["run"]]["scores"]["test/accuracy"] == new["score"]
    table = rnnlab("compare", old["run"], new["run"]).stdout
    assert "backend.type" in table
    assert "training.learning_rate" not in table
    rowed = ";".join([",".join(["0"] * 8)] * 8)
    answer = rnnlab("predict", old["run"], rowed)
    assert answer.stdout.strip() in list("0123456789")
    listed = json.loads(rnnlab("predict", old["run"], "--json", stdin=f"{rowed}\n\n{rowed}\n").stdout)
    assert [entry["answer"] for entry in listed] == [answer.stdout.strip()] * 2


def test_a_dry_run_is_a_file_that_runs(rnnlab, tmp_path, rows):
    dry = rnnlab("run", "digits-rows", *SMALL, "training.max_steps=2", "--dry-run")
    (tmp_path / "mine.yaml").write_text(dry.stdout)
    assert rows() == []
    assert rnnlab("run", "mine.yaml", "--dry-run").stdout == dry.stdout
    assert rnnlab("run", "mine.yaml").returncode == 0
    assert rows()[0]["state"] == "finished"


def test_a_dry_run_tells_what_the_run_says_of_itself(rnnlab, tmp_path):
    given = ["run", "digits-rows", *SMALL, "cell=gru", "training.max_steps=2", "training.device=cpu"]
    own = {"RNNLAB_AUTO": "", "XDG_CACHE_HOME": str(tmp_path / "cache")}
    before = rnnlab(*given, "--dry-run", **own)
    assert before.returncode == 0 and "backend torch: by rank, not measured here yet" in before.stderr
    assert not (tmp_path / "cache" / "rnnlab" / "auto").exists()
    ran = rnnlab(*given, **own)
    (started,) = [line for line in ran.stdout.splitlines() if "  start: " in line]
    (log,) = (tmp_path / "runs").glob("*/log.txt")
    whole = log.read_text().splitlines()[0]
    facts = started.partition("  start: ")[2].partition(", backend ")[0]
    assert rnnlab(*given, "--dry-run", **own).stderr == f"{facts}, {whole}\n"
    (name, cost) = re.match(r"backend (\w+): (\S+ ms a step) against ", whole).groups()
    assert started.endswith(f", backend {name} ({cost})")


def test_a_dry_run_refuses_what_the_run_refuses(rnnlab, tmp_path):
    (tmp_path / "leak.py").write_text(
        "from rnnlab.api import Cell, CellSpec, Step, hookimpl\n"
        "class Leak(Cell):\n"
        "    def step(self, projected, state):\n"
        "        return Step((state[0] / 2 + (projected + state[0] @ self.weight_hh.T).tanh(),))\n"
        "@hookimpl\n"
        "def rnnlab_cells():\n"
        "    yield CellSpec('leak', f'{__name__}:Leak')\n"
    )
    given = ["--plugins-dir", ".", "run", "digits-rows", *SMALL, "cell=leak", "stack.recurrent_dropout=0.1"]
    dry, ran = rnnlab(*given, "--dry-run"), rnnlab(*given)
    assert dry.stderr.startswith(
        "error: stack.recurrent_dropout: expected a cell that reads h through weights"
    )
    assert (dry.returncode, dry.stderr) == (ran.returncode, ran.stderr) == (2, dry.stderr)
    assert dry.stderr.count("\n") == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_run_and_resume_finishes_it(rnnlab, tmp_path, rows, number):
    command = [*RNNLAB, "run", "digits-rows", *SMALL, "training.epochs=200"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        wait_until(lambda: (found := rows()) and found[0]["step"] >= 4)
        process.send_signal(number)
        output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert "stopping: each run finishes its step and saves" in output
    assert "stopped (asked to stop by SIGTERM)" in output
    (row,) = rows()
    assert row["state"] == "stopped"
    config = tmp_path / "runs" / row["run"] / "config.yaml"
    config.write_text(config.read_text().replace("max_steps: null", f"max_steps: {row['step'] + 2}"))
    resumed = rnnlab("resume", row["run"])
    assert resumed.returncode == 0, resumed.stdout
    assert f"resume at step {row['step']}" in resumed.stdout
    assert rows()[0]["state"] == "finished"


def test_a_detached_run_outlives_its_terminal_and_is_stopped_by_name(rnnlab, tmp_path, rows):
    started = rnnlab("run", "digits-rows", *SMALL, "training.epochs=500", "--detach", "--json")
    run = json.loads(started.stdout)["run"]
    wait_until(lambda: rows()[0]["step"] >= 4)
    stopped = rnnlab("stop", run)
    assert stopped.returncode == 0, stopped.stderr
    assert f"{run}: stopped at step" in stopped.stdout
    assert rows()[0]["state"] == "stopped"


def test_a_terminal_shows_progress_with_time_left(tmp_path):
    main, other = pty.openpty()
    command = [*RNNLAB, "run", "digits-rows", *SMALL, "training.epochs=60"]
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "80"}
    process = subprocess.Popen(command, cwd=tmp_path, stdout=other, stderr=other, env=environment)
    os.close(other)
    shown = b""
    while select.select([main], [], [], PATIENCE)[0]:
        try:
            shown += os.read(main, 4096)
        except OSError:  # what a closed pseudo-terminal reads as
            break
    os.close(main)
    assert process.wait(timeout=PATIENCE) == 0
    text = shown.decode()
    assert "240/240" in text
    assert "tokens/s" in text
    assert "val accuracy" in text


BAD = {
    "an unknown command": (["rum"], "no command 'rum'; did you mean 'run'?"),
    "an unknown preset": (["run", "digit"], "did you mean 'digits'?"),
    "a file that is not there": (["run", "no/such.yaml"], "no/such.yaml"),
    "a preset without its files": (["run", "trec"], "this preset needs your files: dataset.train=FILE"),
    "an empty name": (["stop", ""], "expected the name of a run"),
    "no preset": (["run"], "expected a preset or a file"),
    "an unknown key": (["run", "digits", "training.learning_rat=1"], "did you mean 'learning_rate'?"),
    "a run that is not there": (["resume", "digits"], "has no runs; start one"),
    "one run to compare": (["compare", "a"], "no run 'a'"),
    "a backend that cannot": (
        ["run", "digits-rows", *SMALL, "cell=rnn", "cell.nonlinearity=sigmoid", "backend=torch"],
        "nn.RNN has tanh and relu only",
    ),
    "files that are missing": (
        ["run", "trec", "dataset.train=nowhere.txt", "dataset.test=nowhere.txt"],
        "nowhere.txt",
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_input_is_one_clear_line_and_leaves_nothing(rnnlab, rows, what):
    arguments, expected = BAD[what]
    done = rnnlab(*arguments)
    assert done.returncode == 2, done.stdout + done.stderr
    output = done.stdout + done.stderr
    assert expected in output
    assert "Traceback" not in output
    assert rows() == []


def test_every_error_at_once(rnnlab):
    done = rnnlab("run", "digits", "cell=lstn", "training.epochs=0", "tasks.pooling=last")
    assert done.returncode == 2
    lines = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(lines) == 3
    assert any("did you mean 'lstm'?" in line for line in lines)


def test_without_a_command_the_runs_are_listed(rnnlab):
    done = rnnlab()
    assert done.returncode == 0
    assert "has no runs; start one with 'rnnlab run digits'" in done.stdout


def test_a_killed_worker_is_a_failure_and_can_be_resumed(rnnlab, tmp_path, rows):
    command = [*RNNLAB, "run", "digits-rows", *SMALL, "training.epochs=200", "training.eval_every=4"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=tmp_path, stdout=pipe, stderr=pipe, text=True) as process:
        wait_until(lambda: (found := rows()) and found[0]["step"] >= 8)
        status = json.loads((tmp_path / "runs" / rows()[0]["run"] / "status.json").read_text())
        os.kill(status["pid"], signal.SIGKILL)
        _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert "ended without a last word" in errors
    assert rows()[0]["state"] == "crashed"
    resumed = rnnlab("resume", "latest", "--detach")
    assert resumed.returncode == 0
    wait_until(lambda: rows()[0]["state"] == "running")
    assert rnnlab("stop", "latest").returncode == 0


def test_a_run_stopped_the_moment_it_is_detached(rnnlab, rows):
    rnnlab("run", "digits-rows", *SMALL, "training.epochs=500", "--detach")
    stopped = rnnlab("stop", "latest")
    assert stopped.returncode == 0, stopped.stderr
    assert rows()[0]["state"] == "stopped"


def test_one_unreadable_run_does_not_hide_the_others(rnnlab, tmp_path, rows):
    rnnlab("run", "digits-rows", *SMALL, "training.max_steps=1")
    for name, text in (("empty", ""), ("torn", "a: [")):
        (tmp_path / "runs" / name).mkdir()
        (tmp_path / "runs" / name / "config.yaml").write_text(text)
    found = {row["run"]: row["reason"] for row in rows()}
    assert len(found) == 3
    assert "config.yaml cannot be read" in found["empty"]
    assert "config.yaml cannot be read" in found["torn"]
    for arguments in (["resume", "torn"], ["resume", "empty"], ["compare", "torn", "empty"]):
        done = rnnlab(*arguments)
        assert (done.returncode, "config.yaml cannot be read" in done.stderr) == (2, True)


def test_damaged_files_of_a_run_are_named(rnnlab, tmp_path, rows):
    rnnlab("run", "digits-rows", *SMALL, "training.max_steps=1")
    run = tmp_path / "runs" / rows()[0]["run"]
    (run / "checkpoints" / "best" / "model.safetensors").write_bytes(b"junk")
    done = rnnlab("predict", run.name, "1,2,3,4,5,6,7,8")
    assert (done.returncode, "model.safetensors is damaged" in done.stderr) == (2, True)
    (run / "schema.json").write_text("{}")
    done = rnnlab("predict", run.name, "1,2,3,4,5,6,7,8")
    assert (done.returncode, "schema.json is missing or damaged" in done.stderr) == (2, True)
    (run / "status.json").write_text("null")
    assert rows()[0]["run"] == run.name


def test_a_lab_that_cannot_be_is_bad_input(rnnlab, tmp_path):
    (tmp_path / "file").write_text("")
    done = rnnlab("--runs-dir", "file", "run", "digits-rows", *SMALL)
    assert (done.returncode, "name another folder with --runs-dir" in done.stderr) == (2, True)
    assert rnnlab("--runs-dir", "file", "doctor").returncode == 1


def test_a_sync_that_cannot_ship_fails(rnnlab):
    tracked = [option for option in SMALL if not option.startswith("tracking")]
    done = rnnlab(
        "run", "digits-rows", *tracked, "training.max_steps=1", MLFLOW_TRACKING_URI="http://127.0.0.1:9"
    )
    assert done.returncode == 0, done.stderr
    away = rnnlab("sync", MLFLOW_TRACKING_URI="http://127.0.0.1:9")
    assert (away.returncode, "does not answer" in away.stderr) == (1, True)
    mended = rnnlab("sync", MLFLOW_TRACKING_URI="sqlite:///mended.db")
    assert mended.returncode == 0, mended.stderr
    assert "1 of 1 runs are wholly in MLflow" in mended.stdout


def test_a_run_whose_cell_is_not_at_hand_can_be_stopped(rnnlab, tmp_path, rows):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "plain.py").write_text(
        "from rnnlab.api import Cell, CellSpec, Step, hookimpl\n"
        "print('noise')\n"
        "class Plain(Cell):\n"
        "    def step(self, projected, state):\n"
        "        return Step(((projected + state[0] @ self.weight_hh.T).tanh(),))\n"
        "@hookimpl\n"
        "def rnnlab_cells():\n"
        "    yield CellSpec('plain', f'{__name__}:Plain')\n"
    )
    started = rnnlab(
        "--plugins-dir", "mine", "run", "digits-rows", *SMALL, "cell=plain", "--detach", "--json"
    )
    run = json.loads(started.stdout)["run"]
    stopped = rnnlab("stop", run)
    assert stopped.returncode == 0, stopped.stderr
    assert rows()[0]["state"] == "stopped"
    refused = rnnlab("resume", run)
    assert (refused.returncode, "no cell 'plain' is installed" in refused.stderr) == (2, True)


def test_doctor_says_what_is_there(rnnlab):
    done = rnnlab("doctor", "--json")
    assert done.returncode == 0, done.stderr
    findings = {finding["what"]: finding for finding in json.loads(done.stdout)}
    assert all(findings[what]["health"] == "ok" for what in ("torch", "mlflow", "lab"))
    assert findings["backend reference"]["detail"].startswith(
        "runs rnn, lstm, gru, mgu, peephole_lstm, layernorm_lstm, slstm on "
    )


@pytest.mark.skipif(torch.cuda.is_available(), reason="has a GPU")
def test_doctor_says_why_kernels_do_not_run(rnnlab):
    for interpret, health, detail in (
        ("0", "note", "runs no cell on cpu; kernels need a GPU, got cpu"),
        ("1", "ok", "runs rnn, lstm on cpu; there are kernels for the equations"),
    ):
        done = rnnlab("doctor", "--json", TRITON_INTERPRET=interpret)
        findings = {finding["what"]: finding for finding in json.loads(done.stdout)}
        assert findings["backend triton"]["health"] == health
        assert findings["backend triton"]["detail"].startswith(detail)
