"""Names a backend that cannot run its cell."""

from rnnlab.api import PresetSpec, hookimpl


@hookimpl
def rnnlab_presets():
    yield PresetSpec("dry-run", f"{__name__}:dry-run.yaml")
