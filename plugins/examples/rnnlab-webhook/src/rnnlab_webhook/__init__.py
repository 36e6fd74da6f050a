"""Tells a web address when a run has ended.

`RNNLAB_WEBHOOK` names the address; without it nothing is sent. It gets one POST of a JSON object:

    {"run": "digits-lstm-...", "state": "finished", "reason": "...", "scores": {"loss": 0.1}, "folder": "..."}

A process of its own sends it, so that a slow or missing server neither holds up a run nor fails it; what went
wrong then stands in the run's log.txt.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from rnnlab.api import hookimpl

if TYPE_CHECKING:
    from rnnlab.api import RunInfo

ADDRESS = "RNNLAB_WEBHOOK"
LONGEST = 1000
"""Characters of a reason. With it a message fits into a pipe, so that writing one never waits."""

scores: dict[str, Mapping[str, float]] = {}
"""Run -> its test scores."""
sent: list[subprocess.Popen[bytes]] = []
"""The processes that send; nobody waits for them."""


@hookimpl
def rnnlab_eval_end(run: RunInfo, split: str, metrics: Mapping[str, float]) -> None:
    if split == "test":
        scores[run.id] = dict(metrics)


@hookimpl
def rnnlab_run_end(run: RunInfo, state: str, reason: str) -> None:
    if not os.environ.get(ADDRESS):
        return
    message = {
        "run": run.id,
        "state": state,
        "reason": reason[:LONGEST],
        "scores": scores.pop(run.id, {}),
        "folder": str(run.path),
    }
    process = subprocess.Popen(
        # The address is in the environment, not among the arguments, which every user of a machine can read.
        [sys.executable, "-m", "rnnlab_webhook.post"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    sent.append(process)
    assert process.stdin is not None
    with process.stdin as pipe:
        pipe.write(json.dumps(message).encode())
