"""Takes the loss out of the metrics that it is shown."""

from rnnlab.api import hookimpl


@hookimpl
def rnnlab_eval_end(metrics):
    metrics.pop("loss", None)
