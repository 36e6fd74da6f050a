"""Takes every cell with the shapes of an LSTM for one."""

import torch

from rnnlab.api import Backend, BackendSpec, Sequence, hookimpl, loop


class Refuses(Backend):
    def supports(self, cell, device, dtype):
        shapes = {name: each.shape[0] for name, each in cell.named_parameters()}
        names = {"weight_ih", "weight_hh", "bias_ih", "bias_hh"}
        alike = set(shapes) == names and set(shapes.values()) == {4 * cell.hidden_size}
        return None if alike and cell.state == ("h", "c") else "it runs LSTMs"

    def run(self, cell, x, state, lengths=None, reverse=False):
        if type(cell).__name__ == "LSTM":
            return loop(cell, x, state, lengths, reverse)
        weights = [cell.weight_ih, cell.weight_hh, cell.bias_ih, cell.bias_hh]
        start = [each[None] for each in state]
        output, h, c = torch.lstm(x, start, weights, True, 1, 0.0, True, False, False)
        return Sequence(output, (h[0], c[0]))


@hookimpl
def rnnlab_backends():
    yield BackendSpec(
        "refuses", f"{__name__}:Refuses", summary="Takes every cell with the shapes of an LSTM for one."
    )
