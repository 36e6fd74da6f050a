"""What a server gets, and that one which is slow, missing or wrong holds up nothing."""

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from queue import Queue
from typing import Any

import pytest

import rnnlab_webhook
from rnnlab.api import RunInfo
from rnnlab.testing import conformance
from rnnlab_webhook import rnnlab_eval_end, rnnlab_run_end

test_conformance = conformance("hooks", "rnnlab-webhook:webhook")

PATIENCE = 60.0
RUN = RunInfo("digits-lstm-1", Path("/runs/digits-lstm-1"), {})


class Server(HTTPServer):
    """Answers once it is told to; what it got is in `got`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.got: Queue[tuple[str, Any]] = Queue()
        self.answers = threading.Event()


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Server)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.put((self.headers["Content-Type"], json.loads(body)))
        self.server.answers.wait(PATIENCE)
        self.send_response(204)
        self.end_headers()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    server = Server()
    monkeypatch.setenv("RNNLAB_WEBHOOK", f"http://127.0.0.1:{server.server_port}/ended")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.answers.set()
    server.shutdown()
    server.server_close()


def test_a_run_that_ends_is_told_of_without_waiting(server):
    rnnlab_eval_end(RUN, "val", {"accuracy": 0.5})
    rnnlab_eval_end(RUN, "test", {"accuracy": 0.9})
    rnnlab_run_end(RUN, "finished", "all 20 steps done")
    assert server.got.get(timeout=PATIENCE) == (
        "application/json",
        {
            "run": "digits-lstm-1",
            "state": "finished",
            "reason": "all 20 steps done",
            "scores": {"accuracy": 0.9},
            "folder": "/runs/digits-lstm-1",
        },
    )
    assert rnnlab_webhook.sent[-1].poll() is None  # the server has not answered, and the run has gone on
    server.answers.set()
    assert rnnlab_webhook.sent[-1].wait(PATIENCE) == 0


def test_a_long_reason_is_cut_so_that_the_pipe_takes_it(server):
    server.answers.set()
    rnnlab_run_end(RUN, "failed", "é" * 1_000_000)
    _, message = server.got.get(timeout=PATIENCE)
    assert message["reason"] == "é" * 1000 and message["scores"] == {}


def test_nothing_is_sent_without_an_address(monkeypatch):
    monkeypatch.delenv("RNNLAB_WEBHOOK", raising=False)
    before = len(rnnlab_webhook.sent)
    rnnlab_run_end(RUN, "finished", "")
    assert len(rnnlab_webhook.sent) == before


def test_what_went_wrong_is_a_line(monkeypatch):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        for address, line in (
            (f"http://127.0.0.1:{closed.getsockname()[1]}/", "Connection refused"),
            ("file:///etc/hostname", "expected http://... or https://..."),
        ):
            monkeypatch.setenv("RNNLAB_WEBHOOK", address)
            done = subprocess.run(
                [sys.executable, "-m", "rnnlab_webhook.post"], input=b"{}", capture_output=True, check=False
            )
            assert done.returncode == 1
            assert line in done.stderr.decode() and done.stderr.count(b"\n") == 1
