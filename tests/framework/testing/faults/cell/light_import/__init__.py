"""Imports torch to register a cell."""

import torch

from rnnlab.api import CellSpec, hookimpl


@hookimpl
def rnnlab_cells():
    assert torch.__version__
    yield CellSpec("light-import", f"{__name__}.cell:LightImport", summary="Imports torch to register.")
