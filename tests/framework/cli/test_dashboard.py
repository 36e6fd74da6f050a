"""`rnnlab` and `rnnlab dash` without a terminal, and their options. With one: tests/framework/dashboard."""

import subprocess
import sys

import pytest

from rnnlab.lab.lab import Lab


@pytest.fixture
def rnnlab(tmp_path):
    """Run it with no terminal at all; gives the exit code and what it wrote."""

    def run(*words):
        command = [
            sys.executable,
            "-P",
            "-m",
            "rnnlab.cli.main",
            "--runs-dir",
            str(tmp_path / "runs"),
            *words,
        ]
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False
        )
        return done.returncode, done.stdout, done.stderr

    return run


@pytest.mark.parametrize("words", [(), ("dash",)], ids=["rnnlab", "rnnlab dash"])
def test_the_table_of_runs_without_a_terminal(rnnlab, tmp_path, words):
    run = Lab(tmp_path / "runs").create_run("demo")
    run.config_path.write_text("cell: {type: gru}\nbackend: {type: torch}\n")
    run.write_status(state="finished", step=7)
    code, out, err = rnnlab(*words)
    head, row = out.splitlines()
    assert head.split()[:6] == ["run", "state", "cell", "backend", "step", "steps"]
    assert row.split()[:5] == [run.id, "finished", "gru", "torch", "7"]
    assert (code, err) == (0, "")


def test_a_lab_without_runs_says_how_to_start_one(rnnlab, tmp_path):
    said = f"{tmp_path / 'runs'} has no runs; start one with 'rnnlab run digits'\n"
    assert rnnlab() == (0, said, "")
    assert not (tmp_path / "runs").exists()


def test_a_port_needs_web(rnnlab):
    code, out, err = rnnlab("dash", "--port", "8000")
    assert (code, out) == (2, "")
    assert err.startswith("error: --port is for --web; add it; see '")


@pytest.mark.parametrize("port", ["0", "65536", "x"])
def test_a_port_that_is_none(rnnlab, port):
    code, out, err = rnnlab("dash", "--web", "--port", port)
    assert (code, out) == (2, "")
    assert err.startswith("error: Invalid value for '--port'")
    assert len(err.splitlines()) == 1


def test_without_a_terminal_nothing_of_textual_is_loaded(tmp_path):
    code = (
        "import sys\n"
        "from rnnlab.cli.main import cli\n"
        "cli.main(['--runs-dir', sys.argv[1]], standalone_mode=False)\n"
        "print(sorted(name for name in ('textual', 'numpy', 'torch', 'mlflow') if name in sys.modules))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "[]"
