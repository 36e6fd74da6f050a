"""One fault of a cell gives one message in the cell's own terms, and honest cells raise no false alarm."""

from __future__ import annotations

import textwrap

import pytest

from rnnlab.plugins.registry import Registry
from rnnlab.testing import findings

HEAD = '''"""A small cell."""
import torch
import torch.nn.functional as F
from rnnlab.api import Cell, CellConfig, CellSpec, InputError, Step, hookimpl

class Config(CellConfig):
{options}

class Small(Cell):
{body}

@hookimpl
def rnnlab_cells():
    yield CellSpec("small", f"{{__name__}}:Small", f"{{__name__}}:Config", summary="A small cell.")
'''

PLAIN = """
def step(self, projected, state):
    (h,) = state
    return Step((torch.tanh(projected + F.linear(h, self.weight_hh, self.bias_hh)),))
"""


@pytest.fixture
def asked(tmp_path):
    def ask(body, options="pass"):
        source = HEAD.format(
            options=textwrap.indent(options, "    "), body=textwrap.indent(textwrap.dedent(body), "    ")
        )
        (tmp_path / "small_cell.py").write_text(source)
        found = findings(Registry.discover([tmp_path]), "cell", "small")
        return {each.check.name: each for each in found if each.check.name != "light-import"}

    return ask


def failed(found):
    return {name: each.line for name, each in found.items() if each.result == "failed"}


FAULTS = {
    "chunk": (
        """
        gates = ("z", "r")
        def step(self, projected, state):
            (h,) = state
            z, r = (projected + F.linear(h, self.weight_hh)).chunk(3, dim=-1)
            return Step((torch.tanh(z) * r,), (z, r))
        """,
        "small: Small.step failed: ValueError: too many values to unpack (expected 2) (FILE:14); "
        "given projected [B, 2H] and h [B, H]; "
        "2 gate(s) z, r, weight_ih [2H, I], weight_hh [2H, H] (B=3, I=5, H=8)",
    ),
    "tuple": (
        """
        def step(self, projected, state):
            (h,) = state
            return (torch.tanh(projected + F.linear(h, self.weight_hh)),)
        """,
        "small: Small.step must return Step((h,)), got a tuple that is no Step (FILE:11)",
    ),
    "bare": (
        """
        def step(self, projected, state):
            (h,) = state
            return Step(torch.tanh(projected + F.linear(h, self.weight_hh)))
        """,
        "small: Small.step must return Step((h,)), got a Tensor [3, 8] where the tuple of its state belongs "
        "(FILE:11)",
    ),
    "constructor": (
        """
        def __init__(self, hidden_size, config):
            super().__init__(1, hidden_size, config)
        """,
        "small: Small(input_size, hidden_size, config) cannot be made: TypeError: Small.__init__() takes 3 "
        "positional arguments but 4 were given (FILE:11)",
    ),
    "width": (
        """
        def state_sizes(self):
            return (2 * self.hidden_size,)
        def step(self, projected, state):
            return Step((torch.tanh(projected),))
        """,
        "small: Small.step: the next h must be [B, 2H] as state_sizes() says, got [B, H]; no gates, "
        "weight_ih [H, I], weight_hh [H, H] (B=3, I=5, H=8) (FILE:13)",
    ),
    "option": (
        """
        def step(self, projected, state):
            return Step((self.config.leek * state[0],))
        """,
        "AttributeError: 'Config' object has no attribute 'leek' (FILE:12)",
    ),
    "states": (
        """
        states = ("h", "c")
        def step(self, projected, state):
            h, c = state
            return Step((torch.tanh(projected + h), c))
        """,
        "Small.states is nothing that a cell declares; did you mean state?",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_step_that_does_not_run_is_one_failure(name, asked, tmp_path):
    body, message = FAULTS[name]
    found = asked(body)
    lines = failed(found)
    assert set(lines) == {"steps"}
    assert message.replace("FILE", str(tmp_path / "small_cell.py")) in lines["steps"]
    assert ("look at" in lines["steps"]) == (name in ("tuple", "bare", "width", "states"))
    later = list(found)[list(found).index("steps") + 1 :]
    assert {found[each].reason for each in later} == {"its step does not run"}


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ('state = ("h")', "state must be a tuple of names, got the text 'h'; write state = ('h',)"),
        ('gate = ("z",)', "Small.gate is nothing that a cell declares; did you mean gates?"),
    ],
)
def test_misspelt_declarations_are_named(declared, message, asked):
    lines = failed(asked(declared + PLAIN))
    assert set(lines) == {"declarations"} and message in lines["declarations"]


HONEST = {
    "a gate that starts at zero": (
        """
        def make_parameters(self):
            self.alpha = torch.nn.Parameter(torch.zeros(()))
        def reset_parameters(self):
            super().reset_parameters()
            torch.nn.init.zeros_(self.alpha)
        def step(self, projected, state):
            (h,) = state
            return Step((h + self.alpha * torch.tanh(projected + F.linear(h, self.weight_hh, self.bias_hh)),))
        """,
        "pass",
    ),
    "no parameters": (
        """
        def __init__(self, input_size, hidden_size, config):
            torch.nn.Module.__init__(self)
            self.input_size, self.hidden_size, self.config = input_size, hidden_size, config
        def project(self, x):
            return x.mean(-1, keepdim=True).expand(*x.shape[:-1], self.hidden_size)
        def step(self, projected, state):
            return Step((torch.tanh(projected + 0.5 * state[0]),))
        """,
        "pass",
    ),
    "three heads": (
        """
        def __init__(self, input_size, hidden_size, config):
            if hidden_size % config.heads:
                raise InputError(f"expected H divisible by heads={config.heads}, got {hidden_size}")
            super().__init__(input_size, hidden_size, config)
        def step(self, projected, state):
            (h,) = state
            z = projected + F.linear(h, self.weight_hh, self.bias_hh)
            return Step((z.unflatten(-1, (self.config.heads, -1)).softmax(-1).flatten(-2),))
        """,
        'heads: int = 3\n"""How many groups of units sum to one."""',
    ),
    "no bfloat16": (
        """
        def step(self, projected, state):
            (h,) = state
            z = projected + F.linear(h, self.weight_hh, self.bias_hh)
            return Step((torch.polar(torch.ones_like(z), z).real,))
        """,
        "pass",
    ),
}


@pytest.mark.parametrize("name", HONEST)
def test_honest_cells_raise_no_alarm(name, asked):
    found = asked(*HONEST[name])
    assert not failed(found)
    if name == "no bfloat16":
        assert found["dtypes"].reason == "right in float64 and float32; bfloat16 it does not do"


def test_an_idle_option_lists_each_value_once(asked):
    line = failed(asked(PLAIN, 'leak: float = 1.0\n"""Not read."""'))["options"]
    tried = line.partition("gives what ")[2].partition(" gives")[0].split(", ")
    assert len(tried) == len(set(tried)) > 2


def test_a_cell_whose_own_biases_ignore_the_option_is_caught(asked):
    body = """
    def __init__(self, input_size, hidden_size, config):
        super().__init__(input_size, hidden_size, CellConfig())
    """
    assert "option bias changes nothing" in failed(asked(textwrap.dedent(body) + PLAIN))["options"]
