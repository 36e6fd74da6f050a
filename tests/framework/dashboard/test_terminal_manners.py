"""How the dashboard treats its terminal, in a real one: what it leaves behind, and what it does without."""

import os
import re
import shlex
import signal
import subprocess
import sys
import termios
import time

import psutil
import pytest

from rnnlab.lab.journal import read

from .terminal import Terminal

RNNLAB = [sys.executable, "-P", "-m", "rnnlab.cli.main"]
ON_BEFORE = {"7", "25"}
"""Line wrap and the cursor are on in any terminal."""
ESCAPE = "\x1b[27u"
"""As a terminal with the new protocol sends it: what follows is no part of it, however soon it comes."""


@pytest.fixture
def dashboard(lab):
    """Open the dashboard, or another command, in a terminal of its own; all are closed at the end."""
    terminals = []

    def start(command=None, **given):
        terminal = Terminal(command or [*RNNLAB, "--runs-dir", str(lab.path)], **given)
        terminals.append(terminal)
        return terminal

    yield start
    for terminal in terminals:
        terminal.close()


def modes_on(raw):
    """The terminal's private modes that are on after these bytes, of those that were touched."""
    last = {}
    for numbers, switch in re.findall(rb"\x1b\[\?([\d;]+)([hl])", raw):
        last |= dict.fromkeys(numbers.decode().split(";"), switch)
    return {number for number, switch in last.items() if switch == b"h"}


def fresh_modes():
    """The modes of a terminal that nothing has been done to, as `stty` sees them."""
    pair = os.openpty()
    modes = termios.tcgetattr(pair[1])
    for end in pair:
        os.close(end)
    return modes


def is_as_before(terminal):
    touched = set(re.findall(rb"\x1b\[\?([\d;]+)h", terminal.raw))
    assert {b"1049", b"1000", b"1003", b"1006"} <= touched  # the other screen, and the mouse
    assert modes_on(terminal.raw) == ON_BEFORE
    assert terminal.raw.count(b"\x1b[>") - terminal.raw.count(b"\x1b[<u") <= 0  # the keyboard's protocol
    assert terminal.modes()[:4] == fresh_modes()[:4]
    assert terminal.modes()[6] == fresh_modes()[6]


@pytest.mark.parametrize("key", ["q", "\x11"], ids=["q", "ctrl+q"])
def test_a_key_that_quits_leaves_the_terminal_as_it_was(dashboard, key):
    terminal = dashboard()
    terminal.see("0 runs")
    terminal.press(key)
    assert terminal.code() == 0
    is_as_before(terminal)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT], ids=lambda each: each.name)
def test_a_signal_leaves_the_terminal_as_it_was(dashboard, number):
    terminal = dashboard()
    terminal.see("0 runs")
    terminal.send(number)
    assert terminal.code() == 128 + number
    is_as_before(terminal)


def test_ctrl_c_says_how_to_quit_and_that_runs_go_on(dashboard):
    terminal = dashboard()
    terminal.see("0 runs")
    terminal.press("ctrl+c")
    terminal.see("q closes the dashboard. Runs go on")
    terminal.press("2")
    terminal.see("no run")
    terminal.press("q")
    assert terminal.code() == 0
    is_as_before(terminal)


@pytest.mark.slow
def test_closing_the_window_ends_the_dashboard_and_touches_no_run(dashboard, lab):
    def rnnlab(*words):
        subprocess.run(
            [*RNNLAB, "--runs-dir", str(lab.path), *words], check=True, capture_output=True, timeout=120
        )

    rnnlab("run", "digits", "training.epochs=60", "--detach")
    (run,) = lab.runs()
    rnnlab("stop", run.id)
    assert run.state == "stopped"
    terminal = dashboard()
    terminal.see("stopped")
    terminal.press("u")
    terminal.see("running")
    terminal.until(lambda: run.pid)
    terminal.hang_up()
    assert terminal.code() == 128 + signal.SIGHUP
    assert run.state == "running"
    step = max(event.step for event in read(run.events_path))
    terminal.until(lambda: max(event.step for event in read(run.events_path)) > step)
    os.kill(run.pid, signal.SIGTERM)
    terminal.until(lambda: run.state == "stopped")


def test_a_terminal_that_vanishes_unread_ends_it_all_the_same(dashboard):
    terminal = dashboard()
    terminal.see("0 runs")
    process = psutil.Process(terminal.pid)
    used = -1.0
    while used != (used := sum(process.cpu_times()[:2])):  # until it waits for what it wrote to be read
        terminal.press("2", "6")
        time.sleep(0.5)
    terminal.hang_up()
    assert terminal.code() == 128 + signal.SIGHUP


def test_a_tiny_terminal_does_not_crash_it(dashboard, finished_run):
    finished_run("small")
    terminal = dashboard(columns=40, rows=10)
    terminal.see("1 run")
    for size in ((40, 10), (12, 3), (1, 1), (140, 40), (40, 10)):
        terminal.resize(*size)
        for key in ("2", "3", "4", "6", "?", ESCAPE, "\x10", ESCAPE, "1"):
            terminal.press(key)
            terminal.text()
    terminal.until(lambda: terminal.press("1") or "1 run" in terminal.text())
    # What stands there may be older than the last keys, and those may still be in a field.
    terminal.until(lambda: terminal.ended() or terminal.press(ESCAPE, "1", "q"))
    assert terminal.code() == 0
    is_as_before(terminal)


def test_no_color_gives_greys(dashboard, finished_run):
    finished_run()
    terminal = dashboard(env={"NO_COLOR": "1"})
    terminal.see("1 run", "finished")
    terminal.press("2")
    terminal.see("train")
    terminal.press("q")
    assert terminal.code() == 0
    colours = set(re.findall(rb"[34]8;2;(\d+);(\d+);(\d+)", terminal.raw))
    assert len(colours) > 3
    assert {colour for colour in colours if len(set(colour)) > 1} == set()


def test_a_terminal_that_reads_no_utf_8_is_given_ascii(dashboard, finished_run):
    finished_run()
    terminal = dashboard(env={"PYTHONUTF8": "0", "PYTHONIOENCODING": "iso-8859-1"})
    terminal.see("1 run", "finished")
    for key, seen in (("2", "train"), ("3", ""), ("6", "installed"), ("?", "This screen")):
        terminal.press(key)
        terminal.see(seen)
    terminal.press(ESCAPE)
    terminal.until(lambda: "This screen" not in terminal.text())
    terminal.press("\x10")
    terminal.see("Open Live")
    terminal.press(ESCAPE)
    terminal.until(lambda: "Open Live" not in terminal.text())
    terminal.press("4")
    terminal.see("hidden size")
    terminal.press("1")
    terminal.see("1 run")
    terminal.press("q")
    assert terminal.code() == 0
    assert terminal.raw.decode("ascii")
    is_as_before(terminal)


@pytest.mark.parametrize(
    ("line", "env"),
    [("{} | cat", {}), ("{} < /dev/null", {}), ("{} 2> /dev/null", {}), ("{}", {"TERM": "dumb"})],
    ids=["output to a pipe", "no input", "no errors", "TERM=dumb"],
)
def test_without_a_terminal_there_is_a_plain_table(dashboard, lab, finished_run, line, env):
    run = finished_run(cell={"type": "gru"})
    command = line.format(shlex.join([*RNNLAB, "--runs-dir", str(lab.path)]))
    terminal = dashboard(["/bin/sh", "-c", command], env=env, columns=200)
    assert terminal.code() == 0
    assert modes_on(terminal.raw) == set()  # no screen of its own, no mouse
    head, row = terminal.text().rstrip().splitlines()
    assert head.split()[:4] == ["run", "state", "cell", "backend"]
    assert row.split()[:3] == [run.id, "finished", "gru"]
