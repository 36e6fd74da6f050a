from __future__ import annotations

import pytest
import torch

from rnnlab.api import Backend, BackendSpec, InputError
from rnnlab.recurrent.selection import select_backend

CPU = torch.device("cpu")


class Fake(Backend):
    """Refuses cells of the given input sizes."""

    def __init__(self, *refused: int) -> None:
        self.refused = refused

    def supports(self, cell, device, dtype):
        return f"input size {cell.input_size} is odd here" if cell.input_size in self.refused else None

    def run(self, cell, x, state, lengths=None, reverse=False):
        raise AssertionError("choosing a backend must not run it")


class Shy(Fake):
    """Advises against itself for cells of the given input sizes."""

    def __init__(self, *unproven: int, refused: tuple[int, ...] = ()) -> None:
        super().__init__(*refused)
        self.unproven = unproven

    def advice(self, cell, device, dtype):
        assert self.supports(cell, device, dtype) is None, "advice on a cell that it cannot run"
        return f"input size {cell.input_size} is slow here" if cell.input_size in self.unproven else None


def candidates(**backends: tuple[int, Fake]):
    return [(BackendSpec(name, "somewhere:Fake", rank=rank), fake) for name, (rank, fake) in backends.items()]


def choose(installed, requested, probes, dtype=torch.float32):
    return select_backend(installed, requested, "leaky", probes, CPU, dtype)


def test_auto_takes_the_highest_rank(leaky):
    installed = candidates(plain=(0, Fake()), fast=(10, Fake()), faster=(20, Fake()))
    selection = choose(installed, "auto", [leaky(3, 4)])
    assert selection.name == "faster"
    assert selection.backend is installed[2][1]
    assert selection.reason == "faster: highest-ranked backend that runs leaky on cpu in float32"


def test_auto_tells_what_stood_in_the_way_of_the_higher_ranks(leaky):
    installed = candidates(plain=(0, Fake()), faster=(20, Fake(3)), fast=(10, Fake(8)))
    selection = choose(installed, "auto", [leaky(3, 4), leaky(8, 4)], torch.float64)
    assert selection.name == "plain"
    assert selection.reason == (
        "plain: faster cannot run leaky on cpu in float64 (input size 3 is odd here); "
        "fast cannot run leaky on cpu in float64 (input size 8 is odd here)"
    )


def test_equal_ranks_go_by_name_whatever_the_order_of_installation(leaky):
    b, a = candidates(b=(1, Fake()), a=(1, Fake()))
    assert choose([b, a], "auto", [leaky(3, 4)]).name == choose([a, b], "auto", [leaky(3, 4)]).name == "a"


def test_a_requested_backend_is_taken_whatever_its_rank(leaky):
    installed = candidates(plain=(0, Fake()), fast=(10, Fake()))
    selection = choose(installed, "plain", [leaky(3, 4)])
    assert selection.backend is installed[0][1]
    assert selection.reason == "plain: requested"


def test_a_requested_backend_that_cannot_is_an_error_with_the_ones_that_can(leaky):
    installed = candidates(plain=(0, Fake()), fast=(10, Fake(3)), other=(5, Fake(3)))
    with pytest.raises(InputError) as error:
        choose(installed, "fast", [leaky(3, 4)])
    assert str(error.value) == (
        "backend 'fast' cannot run leaky on cpu in float32: input size 3 is odd here; "
        "use backend=auto or backend=plain"
    )


def test_a_requested_backend_that_cannot_while_no_other_can(leaky):
    with pytest.raises(InputError, match="use another cell, device or dtype"):
        choose(candidates(fast=(10, Fake(3))), "fast", [leaky(3, 4)])


def test_an_unknown_name_gets_the_nearest(leaky):
    with pytest.raises(InputError, match="unknown backend 'fats'; did you mean 'fast'"):
        choose(candidates(fast=(10, Fake())), "fats", [leaky(3, 4)])


def test_no_backend_can(leaky):
    with pytest.raises(InputError, match="no backend can run leaky on cpu in float32: fast cannot run"):
        choose(candidates(fast=(10, Fake(3))), "auto", [leaky(3, 4)])
    with pytest.raises(InputError, match="none is installed"):
        choose([], "auto", [leaky(3, 4)])


def test_by_default_a_backend_has_no_advice(leaky):
    assert Fake().advice(leaky(3, 4), CPU, torch.float32) is None


def test_auto_passes_over_a_backend_that_advises_against_itself_and_says_why(leaky):
    installed = candidates(plain=(0, Fake()), fast=(10, Fake(3)), faster=(20, Shy(3)))
    selection = choose(installed, "auto", [leaky(8, 4), leaky(3, 4)])
    assert selection.name == "plain"
    assert selection.reason == (
        "plain: faster is passed over for leaky on cpu in float32 (input size 3 is slow here); "
        "fast cannot run leaky on cpu in float32 (input size 3 is odd here)"
    )
    assert choose(installed, "auto", [leaky(8, 4)]).name == "faster"


def test_auto_takes_the_highest_ranked_that_advises_against_itself_if_nothing_else_can(leaky):
    installed = candidates(
        plain=(0, Fake(3)), shy=(5, Shy(3)), shyer=(10, Shy(3)), none=(20, Shy(refused=(3,)))
    )
    selection = choose(installed, "auto", [leaky(3, 4)])
    assert selection.backend is installed[2][1]
    assert selection.reason == (
        "shyer: no other backend runs leaky on cpu in float32 (input size 3 is slow here)"
    )


def test_a_requested_backend_is_not_asked_for_advice(leaky):
    installed = candidates(plain=(0, Fake()), shy=(10, Shy(3)))
    assert choose(installed, "shy", [leaky(3, 4)]).reason == "shy: requested"
    with pytest.raises(InputError, match="use backend=auto or backend=shy"):
        choose(candidates(fast=(10, Fake(3)), shy=(10, Shy(3))), "fast", [leaky(3, 4)])
