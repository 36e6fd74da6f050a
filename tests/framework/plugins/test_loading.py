"""What is said of an exception: its words, and the author's line."""

from __future__ import annotations

import pytest
import torch

from rnnlab.config.section import StackConfig
from rnnlab.plugins.loading import describe, import_target


def own_line(error):
    return f"({__file__}:{error.__traceback__.tb_lineno})"


def test_the_authors_line_is_named_and_not_that_of_the_library_it_called():
    with pytest.raises(RuntimeError) as raised:
        torch.nn.Linear(2, 3)(torch.zeros(1, 5))
    said = describe(raised.value)
    assert said.startswith("RuntimeError: mat1 and mat2 shapes cannot be multiplied")
    assert said.endswith(own_line(raised.value))
    with pytest.raises(ValueError, match="hidden_size") as raised:
        StackConfig(hidden_size=0)
    assert describe(raised.value).endswith(own_line(raised.value))


def test_lines_of_rnnlab_are_no_place():
    with pytest.raises(Exception, match="no_such_module") as raised:
        import_target("no_such_module:Thing")
    cause = raised.value.__cause__
    assert cause is not None
    assert describe(cause) == "ModuleNotFoundError: No module named 'no_such_module'"
