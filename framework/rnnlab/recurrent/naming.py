"""The names of a stack's parameters in its state dict: those of nn.LSTM."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakKeyDictionary

from torch import nn

if TYPE_CHECKING:
    from rnnlab.recurrent.stack import Stack

_LOADING: WeakKeyDictionary[nn.Module, tuple[dict[str, str], list[str]]] = WeakKeyDictionary()
"""A stack that loads a state dict -> nn.LSTM's names of its entries, and PyTorch's list of faults so far."""


def name_as_torch(stack: Stack) -> None:
    """Have `stack` write its cells' parameters to state dicts as nn.LSTM does, and read them so.

    `cells.3.weight_hh`, in two directions, is `weight_hh_l1_reverse` there. Whatever else the stack has keeps
    its own name. What `load_state_dict` finds wrong is told in these names too.
    """
    # Functions that are given the module, not closures over it: a copy of the stack takes them along.
    stack.register_state_dict_post_hook(_to_torch_names)
    stack.register_load_state_dict_pre_hook(_from_torch_names)
    stack.register_load_state_dict_post_hook(_tell_torch_names)


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


def _from_torch_names(
    stack: nn.Module,
    state_dict: dict[str, Any],
    prefix: str,
    _metadata: dict[str, Any],
    _strict: bool,
    _missing: list[str],
    _unexpected: list[str],
    faults: list[str],
) -> None:
    names = dict(_torch_names(cast("Stack", stack), prefix))
    _LOADING[stack] = names, faults
    for own, torch_name in names.items():
        if torch_name in state_dict:
            state_dict[own] = state_dict.pop(torch_name)


def _tell_torch_names(stack: nn.Module, incompatible: Any) -> None:
    """Rename what was found wrong with the entries of the cells, which know their own names only."""
    names, faults = _LOADING.pop(stack)
    missing: list[str] = incompatible.missing_keys
    missing[:] = [names.get(key, key) for key in missing]
    faults[:] = [re.sub(r'[^\s:",]+', lambda word: names.get(word[0], word[0]), fault) for fault in faults]
