"""Asynchronous sequence to sequence: an encoder f1 reads T steps, a decoder f2 writes M of its own.

h_t = f1(h_{t-1}, x_t) over the source; then h_{T+t} = f2(h_{T+t-1}, y_{t-1}), y_t = g(h_{T+t}), until y_t is
the end (Sutskever et al. 2014; Cho et al. 2014). The two may be cells of different kinds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rnnlab.api import (
    IGNORE,
    Batch,
    Evaluation,
    InputError,
    Loss,
    Schema,
    StackBuilder,
    State,
    Stepper,
    Task,
)
from rnnlab_plugins.tasks import metrics
from rnnlab_plugins.tasks.attention import LuongAttention, Memory
from rnnlab_plugins.tasks.bridge import StateShape, make_bridge
from rnnlab_plugins.tasks.config import TOKEN_EMBEDDING_SIZE, SequenceToSequenceConfig
from rnnlab_plugins.tasks.decoding import greedy_decode
from rnnlab_plugins.tasks.embedding import SourceEmbedding
from rnnlab_plugins.tasks.loss import cross_entropy
from rnnlab_plugins.tasks.padding import reverse_steps


class Encoded(NamedTuple):
    """A source, read.

    Attributes:
        state: the decoder's initial state, each [L, B, S].
        memory: what attention looks back at; None without attention.
    """

    state: State
    memory: Memory | None


class SequenceToSequence(Task):
    """Encoder, bridge, decoder, attention or none, linear layer. Answers are token ids without eos."""

    config: SequenceToSequenceConfig

    def __init__(self, config: SequenceToSequenceConfig, schema: Schema, build_stack: StackBuilder) -> None:
        super().__init__(config, schema, build_stack)
        vocab_size = len(schema.target)
        self.source_embedding = SourceEmbedding(config, schema)
        self.encoder = build_stack(self.source_embedding.output_size, role="encoder")
        target_size = config.embedding_size or TOKEN_EMBEDDING_SIZE
        self.decoder = build_stack(target_size, role="decoder")
        self.bridge = make_bridge(config.bridge, StateShape.of(self.encoder), StateShape.of(self.decoder))
        hidden_size = self.decoder.output_size
        self.attention = (
            LuongAttention(hidden_size, self.encoder.output_size) if config.attention == "luong" else None
        )
        self.dropout = nn.Dropout(config.dropout)
        self.output = nn.Linear(hidden_size, vocab_size)
        if config.tie_embeddings:
            if target_size != hidden_size:
                raise InputError(
                    f"task.tie_embeddings needs embedding_size equal to the decoder's hidden size "
                    f"{hidden_size}, got {target_size}; set task.embedding_size={hidden_size}"
                )
            # One parameter under one name; this scale suits both of its uses (Press and Wolf 2017).
            nn.init.normal_(self.output.weight, std=hidden_size**-0.5)
            self.target_embedding = None
        else:
            self.target_embedding = nn.Embedding(vocab_size, target_size)

    def loss(self, batch: Batch) -> Loss:
        """Cross entropy per target token, eos included, under the config's teacher forcing and smoothing."""
        assert batch.target is not None
        encoded = self.encode(batch)
        if self.config.teacher_forcing_ratio == 1.0:
            logits = self.forced(encoded, batch.target)
        else:
            logits = self.sampled(encoded, batch.target, self.config.teacher_forcing_ratio)
        return cross_entropy(logits, batch.target, self.config.label_smoothing)

    def evaluate(self, batch: Batch) -> Evaluation:
        """The loss with the whole target fed and no smoothing, and what greedy decoding answers."""
        assert batch.target is not None
        encoded = self.encode(batch)
        value, items = cross_entropy(self.forced(encoded, batch.target), batch.target)
        return Evaluation(value.item(), int(items), self._decode(encoded, batch.lengths))

    def predict(self, batch: Batch) -> list[list[int]]:
        return self._decode(self.encode(batch), batch.lengths)

    def score(
        self, predictions: Sequence[list[int]], references: Sequence[list[list[int]]]
    ) -> dict[str, float]:
        """The metrics of the TaskSpec. BLEU and chrF are over 100, as their field gives them.

        A reference's token that training never had equals nothing an answer can hold, `<unk>` included.
        """
        return {
            "exact_match": metrics.exact_match(predictions, references),
            "error_rate": metrics.error_rate(predictions, references),
            "bleu": metrics.bleu(*self._texts(predictions, references, " ")),
            "chrf": metrics.chrf(*self._texts(predictions, references, self.schema.target_separator)),
        }

    def trace(self, batch: Batch) -> list[dict[str, Tensor]]:
        """Gates of the encoder, in the order of the source even where it is read from its end."""
        traces = self.encoder.trace(self._read(batch), batch.lengths)
        if not self.config.reverse_source:
            return traces
        return [{name: reverse_steps(x, batch.lengths) for name, x in gates.items()} for gates in traces]

    def encode(self, batch: Batch) -> Encoded:
        """Read the source."""
        output, state = self.encoder(self._read(batch), batch.lengths)
        memory = self.attention.remember(output, batch.lengths) if self.attention is not None else None
        return Encoded(self.bridge(state), memory)

    def forced(self, encoded: Encoded, target: Tensor) -> Tensor:
        """Run the decoder over a known target, all steps at once.

        Args:
            encoded: the source.
            target: token ids [M, B], IGNORE at padding.

        Returns:
            Logits [M, B, V]; those at padding mean nothing.
        """
        # A decoder looks only back: nothing that counts follows a row's padding, so it needs no lengths.
        hidden, _ = self.decoder(self._embed(self._inputs(target)), None, encoded.state)
        return self._logits(hidden, encoded.memory)

    def sampled(self, encoded: Encoded, target: Tensor, ratio: float) -> Tensor:
        """Scheduled sampling (Bengio et al. 2015): a coin for each token decides what the decoder is fed.

        Args:
            encoded: the source.
            target: token ids [M, B], IGNORE at padding.
            ratio: probability of the right token; otherwise the decoder's own likeliest one is fed.

        Returns:
            Logits [M, B, V]; those at padding mean nothing.
        """
        right = self._inputs(target)
        coins = torch.rand(right.shape, device=right.device) < ratio
        state, steps, own = encoded.state, [], right[0]
        take_step = Stepper(self.decoder)
        for inputs, coin in zip(right, coins, strict=True):
            logits, state = self.step(torch.where(coin, inputs, own), state, encoded.memory, take_step)
            steps.append(logits)
            own = logits.argmax(-1)
        return torch.stack(steps)

    def step(
        self, tokens: Tensor, state: State, memory: Memory | None, take_step: Stepper | None = None
    ) -> tuple[Tensor, State]:
        """One decoder step.

        Args:
            tokens: what was said last [B].
            state: the decoder's state, each [L, B, S].
            memory: what attention looks back at.
            take_step: of the decoder, if the step is one of a sequence that is trained on.

        Returns:
            Logits [B, V] and the next state.
        """
        hidden, state = (take_step or self.decoder.step)(self._embed(tokens), state)
        return self._logits(hidden[None], memory)[0], state

    def _read(self, batch: Batch) -> Tensor:
        source = reverse_steps(batch.source, batch.lengths) if self.config.reverse_source else batch.source
        return self.source_embedding(source, batch.lengths)

    def _inputs(self, target: Tensor) -> Tensor:
        """What a decoder is fed to say `target` [M, B]: bos, then all but the last of it."""
        bos = torch.full_like(target[:1], self.schema.target.bos_id)
        return torch.cat([bos, target[:-1]]).masked_fill_(target == IGNORE, self.schema.target.eos_id)

    def _embed(self, tokens: Tensor) -> Tensor:
        layer = self.output if self.target_embedding is None else self.target_embedding
        return self.dropout(F.embedding(tokens, layer.weight))

    def _logits(self, hidden: Tensor, memory: Memory | None) -> Tensor:
        """Hidden states [M, B, H] to logits [M, B, V]."""
        if self.attention is not None and memory is not None:
            hidden, _ = self.attention(hidden, memory)
        return self.output(self.dropout(hidden))

    def _decode(self, encoded: Encoded, lengths: Tensor) -> list[list[int]]:
        limits = (self.config.max_length_factor * lengths).long() + self.config.max_length_extra
        return greedy_decode(
            lambda tokens, state: self.step(tokens, state, encoded.memory),
            encoded.state,
            limits,
            self.schema.target.bos_id,
            self.schema.target.eos_id,
        )

    def _texts(
        self, predictions: Sequence[list[int]], references: Sequence[list[list[int]]], separator: str
    ) -> tuple[list[str], list[list[str]]]:
        """Ids as texts."""
        decode = self.schema.target.decode
        return (
            [separator.join(decode(answer)) for answer in predictions],
            [[separator.join(decode(right)) for right in rights] for rights in references],
        )
