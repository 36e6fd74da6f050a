"""Reads a metric that not every task has."""

from rnnlab.api import hookimpl


@hookimpl
def rnnlab_eval_end(run, split, step, metrics):
    (run.path / "f1.txt").write_text(str(metrics["f1"]))
