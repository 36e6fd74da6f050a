"""The names of a stack's parameters in its state dict: those of nn.LSTM."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

from torch import nn

if TYPE_CHECKING:
    from rnnlab.recurrent.stack import Stack


def name_as_torch(stack: Stack) -> None:
    """Have `stack` write its cells' parameters to state dicts as nn.LSTM does, and read them so.

    `cells.3.weight_hh`, in two directions, is `weight_hh_l1_reverse` there. Whatever else the stack has keeps
    its own name.
    """
    # Functions that are given the module, not closures over it: a copy of the stack takes them along.
    stack.register_state_dict_post_hook(_to_torch_names)
    stack.register_load_state_dict_pre_hook(_from_torch_names)


def _torch_names(stack: Stack, prefix: str) -> Iterator[tuple[str, str]]:
    """The name of each entry in the modules' own state dict, and in that of nn.LSTM."""
    for k, cell in enumerate(stack.cells):
        layer, direction = divmod(k, stack.num_directions)
        suffix = f"_l{layer}" + ("_reverse" if direction else "")
        for name in cell.state_dict():
            yield f"{prefix}cells.{k}.{name}", f"{prefix}{name}{suffix}"


def _to_torch_names(stack: nn.Module, state_dict: dict[str, Any], prefix: str, *_: Any) -> None:
    for own, torch_name in _torch_names(cast("Stack", stack), prefix):
        state_dict[torch_name] = state_dict.pop(own)


def _from_torch_names(stack: nn.Module, state_dict: dict[str, Any], prefix: str, *_: Any) -> None:
    for own, torch_name in _torch_names(cast("Stack", stack), prefix):
        if torch_name in state_dict:
            state_dict[own] = state_dict.pop(torch_name)
