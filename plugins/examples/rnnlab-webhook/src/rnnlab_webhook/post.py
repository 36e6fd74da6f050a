"""Sends what stands on stdin: `python -m rnnlab_webhook.post`, with the address in RNNLAB_WEBHOOK."""

from __future__ import annotations

import os
import sys
import urllib.request

from rnnlab_webhook import ADDRESS

SECONDS = 10.0
"""How long a server may take to answer."""


def main() -> int:
    """POST stdin as JSON; 1 if it could not be delivered, which is said on stderr in a line."""
    body = sys.stdin.buffer.read()
    address = os.environ[ADDRESS]
    try:
        if not address.startswith(("http://", "https://")):
            raise ValueError(f"expected http://... or https://..., got {address[:20]!r}")
        request = urllib.request.Request(address, body, {"Content-Type": "application/json"})
        urllib.request.urlopen(request, timeout=SECONDS).close()
    except (OSError, ValueError) as error:
        print(f"rnnlab-webhook: not delivered: {error}; correct {ADDRESS}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
