"""Small models and batches for the tests of tasks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from rnnlab.api import IGNORE, Batch, Schema, Stack, Task, Vocabulary
from rnnlab.config.section import StackConfig
from rnnlab_plugins.backends.reference import ReferenceBackend
from rnnlab_plugins.cells.config import LSTMConfig, RNNConfig
from rnnlab_plugins.cells.lstm import LSTM
from rnnlab_plugins.cells.rnn import RNN

CELLS = {"rnn": (RNN, RNNConfig()), "lstm": (LSTM, LSTMConfig())}


@pytest.fixture
def make_task() -> Callable[..., Task]:
    """A task in float64 over a stack of the given cells; the same weights each time it is called."""

    def make(
        task: type[Task],
        config,
        schema: Schema,
        cell: str = "lstm",
        decoder_cell: str | None = None,
        dtype: torch.dtype = torch.float64,
        **stack,
    ) -> Task:
        torch.manual_seed(0)
        stack_config = StackConfig(**{"hidden_size": 6} | stack)

        def build_stack(input_size: int, *, role: str = "encoder") -> Stack:
            decoder = role == "decoder"
            cell_class, options = CELLS[(decoder_cell if decoder else None) or cell]
            own = {"bidirectional": False, "learned_initial_state": False} if decoder else {}
            config = stack_config.model_copy(update=own)
            return Stack(lambda i, h: cell_class(i, h, options), input_size, config, ReferenceBackend())

        return task(config, schema, build_stack).to(dtype)

    return make


@pytest.fixture
def make_schema() -> Callable[..., Schema]:
    """A schema of vocabularies of given sizes; `features` for a real-valued source."""

    def make(mode, source: int = 9, target: int | Sequence[str] = 4, features: int = 0) -> Schema:
        tokens = [f"y{i}" for i in range(target)] if isinstance(target, int) else target
        if mode == "asynchronous":
            tokens = ("<unk>", "<bos>", "<eos>", *tokens)
        words = None if features else Vocabulary(("<unk>", *(f"x{i}" for i in range(1, source))))
        return Schema(mode, words, features, Vocabulary(tuple(tokens)))

    return make


@pytest.fixture
def collate() -> Callable[..., Batch]:
    """A padded batch from rows: lists of token ids, or features [T, F]; `eos_id` ends every target row."""

    def make(sources: Sequence, targets: Sequence | None = None, eos_id: int | None = None) -> Batch:
        lengths = torch.tensor([len(row) for row in sources])
        rows = [row if isinstance(row, Tensor) else torch.tensor(row).long() for row in sources]
        source = pad_sequence(rows)
        target = target_lengths = None
        if targets is not None and isinstance(targets[0], int):
            target = torch.tensor(targets)
        elif targets is not None:
            end = [] if eos_id is None else [eos_id]
            ended = [torch.tensor([*row, *end]).long() for row in targets]
            target = pad_sequence(ended, padding_value=IGNORE)
            target_lengths = torch.tensor([len(row) for row in ended]) if end else None
        return Batch(source, lengths, target, target_lengths, torch.arange(len(sources)))

    return make


@pytest.fixture
def pad_more() -> Callable[[Batch], Batch]:
    """The same batch with three more padded steps, and garbage at every padded source step."""

    def pad(batch: Batch) -> Batch:
        more = [0, 0] * (batch.source.dim() - 1) + [0, 3]
        source = nn.functional.pad(batch.source, more)
        padded = torch.arange(source.shape[0])[:, None] >= batch.lengths
        source[padded] = float("nan") if source.is_floating_point() else 1
        target = batch.target
        if target is not None and target.dim() == 2:
            target = nn.functional.pad(target, [0, 0, 0, 3], value=IGNORE)
        return Batch(source, batch.lengths, target, batch.target_lengths, batch.indices)

    return pad


@pytest.fixture
def gradients() -> Callable[[Task, Batch], dict[str, Tensor]]:
    """Every parameter's gradient of a batch's loss."""

    def compute(task: Task, batch: Batch) -> dict[str, Tensor]:
        task.zero_grad(set_to_none=True)
        task.loss(batch).value.backward()
        found = {name: p.grad for name, p in task.named_parameters()}
        missing = [name for name, gradient in found.items() if gradient is None]
        assert not missing, f"no gradient reaches {missing}"
        return {name: gradient for name, gradient in found.items() if gradient is not None}

    return compute


@pytest.fixture
def learn() -> Callable[..., None]:
    """Train on one batch with Adam."""

    def train(task: Task, batch: Batch, steps: int, learning_rate: float) -> None:
        optimizer = torch.optim.Adam(task.parameters(), lr=learning_rate)
        for _ in range(steps):
            optimizer.zero_grad()
            task.loss(batch).value.backward()
            nn.utils.clip_grad_norm_(task.parameters(), 1.0)
            optimizer.step()
        task.eval()

    return train


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
