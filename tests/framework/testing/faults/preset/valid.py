"""Names an option that is none."""

from rnnlab.api import PresetSpec, hookimpl


@hookimpl
def rnnlab_presets():
    yield PresetSpec("valid", f"{__name__}:valid.yaml")
