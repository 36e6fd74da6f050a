import torch

from rnnlab_plugins.tasks.padding import reverse_steps, step_mask


def test_step_mask():
    expected = [[True, False, True], [False, False, True]]
    assert step_mask(torch.tensor([1, 0, 2]), 2).tolist() == expected


def test_reverse_steps_leaves_padding_in_place():
    x = torch.tensor([[1, 4, 6], [2, 5, 7], [3, 9, 9]])
    lengths, expected = torch.tensor([3, 2, 0]), torch.tensor([[3, 5, 6], [2, 4, 7], [1, 9, 9]])
    assert torch.equal(reverse_steps(x, lengths), expected)
    features = torch.stack([x, -x], dim=-1).double()
    assert torch.equal(reverse_steps(features, lengths), torch.stack([expected, -expected], dim=-1).double())
