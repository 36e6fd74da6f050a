"""Running a cell's programs over a batch: some steps a call, over the rows that have not ended."""

from __future__ import annotations

from collections.abc import Sequence as Many
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import Function

from rnnlab.api import Cell, Sequence, State, loop
from rnnlab_plugins.backends.pieces import cut
from rnnlab_plugins.backends.programs import Programs
from rnnlab_plugins.backends.sources import CHUNK, tensors_of
from rnnlab_plugins.backends.stages import differentiable


def run(
    programs: Programs,
    read: Many[str],
    cell: Cell,
    x: Tensor,
    state: State,
    lengths: Tensor | None,
    reverse: bool,
) -> Sequence:
    """`Backend.run` with programs of the cell, which read its tensors of these names."""
    seq_len, batch_size, _ = x.shape
    if not batch_size:
        return loop(cell, x, state, lengths, reverse)
    lengths = torch.full((batch_size,), seq_len) if lengths is None else lengths
    if batch_size == 1:  # the programs are for two rows and more
        lengths, state = F.pad(lengths, (0, 1)), tuple(F.pad(each, (0, 0, 0, 1)) for each in state)
        x = F.pad(x, (0, 0, 0, 1))
    pieces = cut(lengths.long(), seq_len, CHUNK, reverse, full=True, narrowest=2)
    hidden, *final = _Sequence.apply(
        programs,
        torch.is_grad_enabled(),
        len(state),
        pieces.widths,
        cell.project(pieces.gather(x)),
        ~pieces.padding(),
        *pieces.sort(state),
        *tensors_of(cell, read),
    )
    output = pieces.scatter(hidden)[:, :batch_size]
    return Sequence(output, tuple(each[:batch_size] for each in pieces.unsort(tuple(final))))


class _Sequence(Function):
    """All steps as one node of the graph, over pieces of `widths` rows, one after the other."""

    @staticmethod
    def forward(
        ctx: Any,
        programs: Programs,
        recorded: bool,
        count: int,
        widths: list[int],
        projected: Tensor,
        mask: Tensor,
        *rest: Tensor,
    ) -> tuple[Tensor, ...]:
        state = [each.contiguous() for each in rest[:count]]
        tensors = [each.detach().contiguous() for each in rest[count:]]
        hidden: list[Tensor] = []
        ended: list[Many[Tensor]] = []
        kept: list[Tensor] = []
        for width, part, valid in zip(
            widths, _parts(projected.contiguous(), widths), _parts(mask, widths), strict=True
        ):
            ended.append([each[width:] for each in state])
            state = [each[:width] for each in state]
            outputs, state, passing, lasting = programs.forward(part, valid, *state, *tensors)
            hidden.append(outputs.flatten(0, 1))
            if recorded:
                kept += [*passing, *lasting]
                ctx.lasting = len(lasting)
        ctx.programs, ctx.widths, ctx.tensors = programs, widths, len(tensors)
        ctx.save_for_backward(mask, *tensors, *kept)
        return (torch.cat(hidden), *map(torch.cat, zip(state, *reversed(ended), strict=True)))

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        if torch.is_grad_enabled():
            raise RuntimeError(
                "backend 'compiled' has no second derivatives (create_graph=True); use backend=reference"
            )
        programs: Programs = ctx.programs
        mask, *saved = ctx.saved_tensors
        tensors, kept = saved[: ctx.tensors], saved[ctx.tensors :]
        upstream, *final = (each.contiguous() for each in grad_outputs)
        masks, upstreams = _parts(mask, ctx.widths), _parts(upstream, ctx.widths)
        size = len(kept) // len(masks)
        carry: Many[Tensor] = [each[:0] for each in final]
        found: list[Many[Tensor]] = []
        for k in reversed(range(len(masks))):
            # The rows that go on, and those whose last step is in this piece.
            carry = [
                torch.cat([each, last[len(each) : ctx.widths[k]]])
                for each, last in zip(carry, final, strict=True)
            ]
            given = kept[k * size : (k + 1) * size]
            needed, carry = programs.backward(masks[k], upstreams[k], *given, *carry, *tensors)
            found.append([*needed, *given[size - ctx.lasting :]])
        rows = [
            torch.cat([each.flatten(0, 1) for each in column]) for column in zip(*found[::-1], strict=True)
        ]
        carry = [torch.cat([each, last[len(each) :]]) for each, last in zip(carry, final, strict=True)]
        numbers = iter(programs.weights(*rows, *tensors))
        weights = [next(numbers) if differentiable(each) else None for each in tensors]
        return None, None, None, None, rows[0], None, *carry, *weights


def _parts(values: Tensor, widths: list[int]) -> list[Tensor]:
    """Values that lie in pieces [total, F] as each piece has them [CHUNK, its rows, F]."""
    areas = values.split([CHUNK * width for width in widths])
    return [area.unflatten(0, (CHUNK, -1)) for area in areas]
