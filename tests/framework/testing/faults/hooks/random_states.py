"""Draws from python's generator, which the run draws from too."""

import random

from rnnlab.api import hookimpl


@hookimpl
def rnnlab_interval(run, step, metrics):
    if random.random() < 0.1:
        (run.path / "lucky.txt").write_text(str(step))
