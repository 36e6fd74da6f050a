import torch

from rnnlab_plugins.tasks.decoding import greedy_decode

BOS, EOS, VOCAB = 0, 1, 12


def script(*rows: list[int]):
    """A decoder that says the given tokens whatever it is fed; notes what it was fed."""
    fed: list[list[int]] = []

    def step(tokens, state):
        fed.append(tokens.tolist())
        said = torch.tensor([row[len(fed) - 1] for row in rows])
        return torch.nn.functional.one_hot(said, VOCAB).double(), state

    return step, fed


def test_rows_end_at_eos_and_decoding_when_all_have():
    step, fed = script([5, 6, EOS, 9, 9], [EOS, 7, 7, 7, 7], [8, EOS, 4, 4, 4])
    limits = torch.tensor([5, 5, 5])
    assert greedy_decode(step, (), limits, BOS, EOS) == [[5, 6], [], [8]]
    # bos first, then each row's own answer; an ended row is fed eos.
    assert fed == [[BOS, BOS, BOS], [5, EOS, 8], [6, EOS, EOS]]


def test_each_row_has_its_own_limit():
    step, fed = script([5, 6, 7, 8], [5, 6, 7, 8])
    assert greedy_decode(step, (), torch.tensor([3, 1]), BOS, EOS) == [[5, 6, 7], [5]]
    assert len(fed) == 3


def test_the_state_is_handed_on():
    def step(tokens, state):
        (count,) = state
        return torch.nn.functional.one_hot(count + 2, VOCAB).double(), (count + 1,)

    assert greedy_decode(step, (torch.tensor([0, 4]),), torch.tensor([3, 2]), BOS, EOS) == [[2, 3, 4], [6, 7]]
