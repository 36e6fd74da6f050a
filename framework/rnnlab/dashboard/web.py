"""The dashboard in a browser on this machine: textual-serve, which starts one dashboard a browser tab."""

from __future__ import annotations

import shlex
import signal
import socket
import sys
import time
from collections.abc import Awaitable, Callable
from types import FrameType

from rnnlab.dashboard.catalogue.installation import Installation
from rnnlab.dashboard.guarded import Guarded
from rnnlab.errors import InputError, RnnlabError
from rnnlab.lab.lab import Lab

HOST, PORT = "127.0.0.1", 8000
START_SECONDS = 30.0


def serve(lab: Lab, installation: Installation, port: int | None, announce: Callable[[str], None]) -> None:
    """Serve until Ctrl-C, SIGTERM or SIGHUP; blocks meanwhile.

    However this process ends, `kill -9` included, the server and its dashboards end with it; runs go on.

    Args:
        lab, installation: what to show.
        port: None for 8000, or any free one if that is taken.
        announce: called with each line for the user.

    Raises:
        InputError: `port` is taken.
        RnnlabError: the server does not come up, or ends by itself.
    """
    chosen = _free_port(port)
    words = [sys.executable, "-P", "-m", "rnnlab.cli.main", "--runs-dir", str(lab.path)]
    command = shlex.join([*words, *installation.options(), "dash"])
    former = {
        number: signal.signal(number, _interrupt) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    server = Guarded(
        [sys.executable, "-P", "-m", "rnnlab.dashboard.web", str(chosen), command], installation.environment()
    )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not _answers(chosen):
            if not server.alive or time.monotonic() > deadline:
                raise RnnlabError(f"the server did not come up: {server.last_words() or 'it said nothing'}")
            time.sleep(0.05)
        announce(f"The dashboard: http://{HOST}:{chosen}  (Ctrl-C ends it)")
        announce("Whoever has an account on this machine can open it: there is no login.")
        server.wait()
        raise RnnlabError(f"the server ended by itself: {server.last_words() or 'it said nothing'}")
    except KeyboardInterrupt:
        announce("The dashboard has ended; runs go on.")
    finally:
        for number in former:
            signal.signal(number, signal.SIG_IGN)  # the second Ctrl-C of the impatient
        server.end()
        for number, handler in former.items():
            signal.signal(number, handler)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _free_port(port: int | None) -> int:
    for wanted in (port or PORT, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, wanted))
            except OSError as error:
                if port is not None:
                    raise InputError(
                        f"port {port} on {HOST} cannot be had ({error.strerror}); name another"
                    ) from None
                continue
            return probe.getsockname()[1]
    raise RnnlabError(f"there is no free port on {HOST}")


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((HOST, port)) == 0


def main(port: int, command: str) -> None:
    """The server's process: serve `command`, a shell's line, on `port`."""
    from aiohttp import web
    from textual_serve.server import Server

    places = [f"{name}:{port}" for name in (HOST, "localhost")]
    here = " ".join(f"http://{place} ws://{place}" for place in places)
    # The page asks another site for a font: that tells it of the page, and takes long without a network.
    policy = f"default-src {here} data:; script-src {here} 'unsafe-inline'; style-src {here} 'unsafe-inline'"

    @web.middleware
    async def from_here(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        # A page of another site may not drive the dashboard through the reader's browser.
        origin = request.headers.get("Origin")
        if request.host not in places or origin not in (None, *(f"http://{place}" for place in places)):
            raise web.HTTPForbidden(text="The dashboard is served to this machine's own pages alone.")
        return await handler(request)

    async def forbid_elsewhere(request: web.Request, response: web.StreamResponse) -> None:
        response.headers["Content-Security-Policy"] = f"{policy}; frame-ancestors 'none'"

    class Here(Server):
        async def _make_app(self) -> web.Application:
            app = await super()._make_app()
            app.middlewares.append(from_here)
            app.on_response_prepare.append(forbid_elsewhere)
            return app

        async def on_startup(self, app: web.Application) -> None:
            """The starter says where it is."""

    Here(command, host=HOST, port=port, title="rnnlab").serve()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
