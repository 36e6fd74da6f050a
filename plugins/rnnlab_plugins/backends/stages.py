"""A step of a cell and its gradients, cut into what runs step by step and what runs once for all steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import getitem
from typing import Any

import torch
from torch import Tensor
from torch.func import vjp
from torch.fx import GraphModule, Interpreter, Node
from torch.fx.experimental.proxy_tensor import make_fx

from rnnlab.api import State

Tensors = Sequence[Tensor]

StepFunction = Callable[[Tensor, State, Tensors], State]
"""(projected [B, P], state, each [B, S], the cell's tensors) -> the new state."""


class Stages:
    """A step that takes each row for itself, as three functions that hand on what a later one needs.

    What is handed on has one row for each row of the batch, [B, ...]: products, activations, states. Views
    and comparisons of these, and what comes of the cell's tensors alone, are made again.
    """

    def __init__(self, step: StepFunction, projected: Tensor, state: State, tensors: Tensors) -> None:
        """Trace the step and its gradients with these arguments."""

        def joint(projected: Tensor, state: State, tensors: Tensors, upstream: State) -> Tensors:
            def numeric(projected: Tensor, state: State, numbers: Tensors) -> State:
                rest = iter(numbers)
                return step(
                    projected, state, [next(rest) if differentiable(each) else each for each in tensors]
                )

            pulled: Any = vjp(numeric, projected, state, [*filter(differentiable, tensors)])
            new, pull = pulled
            by_projected, by_state, by_numbers = pull(upstream)
            return (*new, by_projected, *by_state, *by_numbers)

        # Of their own: tracing would take the same tensor for the same input.
        upstream = tuple(each.clone() for each in state)
        trace: Any = make_fx(joint, tracing_mode="symbolic")
        self._graph: GraphModule = trace(projected, state, tuple(tensors), upstream)
        graph = self._graph.graph
        inputs = iter(graph.find_nodes(op="placeholder"))
        self._rowwise = [next(inputs) for _ in (projected, *state)]
        self._tensors = [next(inputs) for _ in tensors]
        self._upstream = list(inputs)
        self._shapes = [each.shape[1:] for each in (projected, *state, *upstream)]
        results: Any = graph.output_node().args[0]
        outputs = iter(results)
        self._new = [next(outputs) for _ in state]
        by_projected = next(outputs)
        self._by_state = [next(outputs) for _ in state]
        self._by_tensors = list(outputs)

        late = set(self._upstream)
        for node in graph.nodes:
            if not late.isdisjoint(node.all_input_nodes):
                late.add(node)
        rows = self._rowwise[0].meta["val"].shape[0]
        summed = _nearest(self._by_tensors, lambda node: _one_for_each(rows, node))
        self._found = list(dict.fromkeys([by_projected, *(node for node in summed if node in late)]))
        self._lasting = [node for node in summed if node not in late]
        needed = _nearest(
            [*self._found, *self._by_state], lambda node: node not in late and _one_for_each(rows, node)
        )
        self._passing = [node for node in needed if node not in self._lasting]

    def forward(
        self, projected: Tensor, state: State, tensors: Tensors
    ) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
        """The new state; what `backward` alone needs; what `weights` needs, and perhaps `backward`."""
        values = self._values(projected, tensors, zip(self._rowwise, (projected, *state), strict=True))
        return _of(values, self._new), _of(values, self._passing), _of(values, self._lasting)

    def backward(
        self, passing: Tensors, lasting: Tensors, upstream: State, tensors: Tensors
    ) -> tuple[list[Tensor], list[Tensor]]:
        """What else `weights` needs, the gradient of projected first; the gradients of the state.

        Args:
            passing, lasting: what `forward` handed on.
            upstream: gradients of the new state.
            tensors: the cell's.
        """
        nodes = [*self._passing, *self._lasting, *self._upstream]
        values = self._values(upstream[0], tensors, zip(nodes, (*passing, *lasting, *upstream), strict=True))
        return _of(values, self._found), _of(values, self._by_state)

    def weights(self, given: Tensors, tensors: Tensors) -> list[Tensor]:
        """Gradients of the cell's differentiable tensors: sums over rows, which may be those of many steps.

        Args:
            given: what `backward` gave for it, then what `forward` did.
            tensors: the cell's.
        """
        values = self._values(given[0], tensors, zip([*self._found, *self._lasting], given, strict=True))
        return _of(values, self._by_tensors)

    def _values(
        self, like: Tensor, tensors: Tensors, known: Iterable[tuple[Node, Tensor]]
    ) -> Mapping[Node, Any]:
        """The value of each node, for as many rows as `like` has.

        Inputs that are not known are zero. Nothing that is asked for hangs on more of them than their shape,
        and compiling drops what is not asked for.
        """
        blank = [like.new_zeros(like.shape[0], *shape) for shape in self._shapes]
        values: dict[Node, Any] = dict(zip([*self._rowwise, *self._upstream], blank, strict=True))
        values |= zip(self._tensors, tensors, strict=True)
        values |= known
        interpreter = Interpreter(self._graph, garbage_collect_values=False)
        interpreter.run(initial_env=values, enable_io_processing=False)
        return interpreter.env


def differentiable(tensor: Tensor) -> bool:
    """Whether a tensor has gradients: not one of positions or of what is true."""
    return tensor.is_floating_point() or tensor.is_complex()


def _of(values: Mapping[Node, Any], nodes: Iterable[Node]) -> list[Tensor]:
    return [values[node] for node in nodes]


def _nearest(wanted: Iterable[Node], serves: Callable[[Node], bool]) -> list[Node]:
    """The first that `serves` on each way up from the nodes wanted."""
    found: list[Node] = []
    seen: set[Node] = set()
    pending = list(wanted)
    while pending:
        node = pending.pop()
        if node in seen or isinstance(node.meta.get("val"), torch.SymInt):
            continue
        seen.add(node)
        if serves(node):
            found.append(node)
        else:
            pending.extend(node.all_input_nodes)
    return found


def _one_for_each(rows: Any, node: Node) -> bool:
    """Whether a node's value has one row for each of the rows, and is no view of another and no mask."""
    value = node.meta.get("val")
    if not isinstance(value, Tensor) or not value.dim() or _is_view(node):
        return False
    if value.dtype == torch.bool:  # a loop that writes bytes beside numbers is not vectorised
        return False
    first, *others = map(_expression, value.shape)
    symbol = _expression(rows)
    return first == symbol and not any(symbol in getattr(each, "free_symbols", ()) for each in others)


def _expression(size: Any) -> Any:
    return size.node.expr if isinstance(size, torch.SymInt) else size


def _is_view(node: Node) -> bool:
    source = node.args[0] if node.target is getitem else node
    return isinstance(source, Node) and getattr(source.target, "is_view", False)
