"""`rnnlab dash --web`: served to this machine alone, and gone when it ends."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import psutil
import pytest

PATIENCE = 40.0
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def until(condition):
    """Wait for it."""
    deadline = time.monotonic() + PATIENCE
    while not (outcome := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return outcome


@pytest.fixture
def served(lab):
    """Serve a lab; gives the process and its port. What is left of it at the end is killed."""
    started = []

    def start(*options):
        command = [
            sys.executable,
            "-P",
            "-m",
            "rnnlab.cli.main",
            "--runs-dir",
            str(lab.path),
            "dash",
            "--web",
        ]
        process = subprocess.Popen(
            [*command, *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        started.append(process)
        line = process.stdout.readline()
        assert line.startswith("The dashboard: http://127.0.0.1:"), line + process.stdout.read()
        return process, int(re.findall(r":(\d+) ", line)[0])

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def fetch(port, path="/", **headers):
    """The status, the headers and the text of an answer."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers)
    try:
        with DIRECT.open(request, timeout=10) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


def descendants(process):
    return psutil.Process(process.pid).children(recursive=True)


def is_taken(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def browser(port):
    """A browser's side of a dashboard: opens it and reads what it draws until its tabs are there."""
    code = (
        "import asyncio, sys, aiohttp\n"
        "async def main():\n"
        "    async with aiohttp.ClientSession() as session:\n"
        "        async with session.ws_connect(sys.argv[1]) as socket:\n"
        "            seen = b''\n"
        "            while b'1 Runs' not in seen:\n"
        "                seen += (await socket.receive_bytes())\n"
        "            print('drawn', flush=True)\n"
        "            await asyncio.sleep(600)\n"
        "asyncio.run(main())\n"
    )
    address = f"ws://127.0.0.1:{port}/ws?width=100&height=30"
    process = subprocess.Popen([sys.executable, "-c", code, address], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "drawn\n"
    return process


def test_it_draws_and_a_closed_tab_ends_its_dashboard(served, free_port):
    process, port = served("--port", str(free_port))
    assert port == free_port
    before = len(descendants(process))
    tab = browser(port)
    assert len(descendants(process)) > before
    tab.kill()
    tab.communicate()
    until(lambda: len(descendants(process)) == before)


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 0), (signal.SIGTERM, 0), (signal.SIGHUP, 0), (signal.SIGKILL, -9)],
    ids=["SIGINT", "SIGTERM", "SIGHUP", "SIGKILL"],
)
def test_nothing_is_left_however_it_ends(served, free_port, number, code):
    process, port = served("--port", str(free_port))
    tab = browser(port)
    left = descendants(process)
    assert len(left) >= 3  # the guard, the server and a dashboard
    os.kill(process.pid, number)
    assert process.wait(PATIENCE) == code
    _, alive = psutil.wait_procs(left, timeout=PATIENCE)
    assert alive == []
    assert not is_taken(port)
    tab.kill()
    tab.communicate()
    if code == 0:
        assert process.stdout.read().splitlines()[-1] == "The dashboard has ended; runs go on."


def test_only_this_machines_own_pages_may_use_it(served, free_port):
    _, port = served("--port", str(free_port))
    here, localhost = f"127.0.0.1:{port}", f"localhost:{port}"
    assert fetch(port)[0] == 200
    assert fetch(port, Host=localhost)[0] == 200
    assert fetch(port, Origin=f"http://{here}")[0] == 200
    for bad in (
        {"Host": f"evil.example:{port}"},
        {"Origin": "http://evil.example"},
        {"Origin": f"https://{here}"},
        {"Origin": here},
        {"Origin": "null"},
    ):
        status, _, text = fetch(port, **bad)
        assert (status, text) == (403, "The dashboard is served to this machine's own pages alone."), bad
    socket_of = {"Upgrade": "websocket", "Connection": "Upgrade", "Origin": "http://evil.example"}
    assert fetch(port, "/ws", **socket_of)[0] == 403
    listening = {each.laddr for each in psutil.net_connections("inet") if each.status == "LISTEN"}
    assert {address.ip for address in listening if address.port == port} == {"127.0.0.1"}


def test_the_page_asks_nobody_else_for_anything(served, free_port):
    _, port = served("--port", str(free_port))
    _, headers, _ = fetch(port)
    policy = dict(part.strip().partition(" ")[::2] for part in headers["Content-Security-Policy"].split(";"))
    places = f"http://127.0.0.1:{port} ws://127.0.0.1:{port} http://localhost:{port} ws://localhost:{port}"
    assert policy["default-src"] == f"{places} data:"
    assert policy["style-src"] == f"{places} 'unsafe-inline'"
    assert policy["frame-ancestors"] == "'none'"


def test_a_taken_port_is_refused_if_it_was_named(lab):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        command = [sys.executable, "-P", "-m", "rnnlab.cli.main", "--runs-dir", str(lab.path)]
        done = subprocess.run(
            [*command, "dash", "--web", "--port", str(port)], capture_output=True, text=True, timeout=60
        )
    assert done.returncode == 2
    said = f"error: port {port} on 127.0.0.1 cannot be had (Address already in use); name another\n"
    assert done.stderr == said
    assert done.stdout == ""
