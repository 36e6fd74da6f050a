"""Says that it labels every step."""

from rnnlab.api import PresetSpec, hookimpl


@hookimpl
def rnnlab_presets():
    yield PresetSpec("described", f"{__name__}:described.yaml")
