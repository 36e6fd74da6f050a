"""The code of kernels/README.md runs as it stands."""

import re
from pathlib import Path

import torch
from triton import knobs

README = (Path(__file__).parents[3] / "kernels" / "README.md").read_text()


def test_the_ten_lines_run(monkeypatch):
    # On a CPU, as for whoever reads them there: on the ground truth, not in Triton's interpreter.
    monkeypatch.setattr(knobs.runtime, "interpret", False)
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    lines = [line for line in code.splitlines() if line.strip()]
    assert len([line for line in lines if "import" not in line]) <= 10
    names = {}
    exec(code, names)
    for line in lines:
        for name, shape in re.findall(r"^(x|output) .*# \[(\d.*?)\]", line):
            assert list(names[name].shape) == [int(size) for size in shape.split(", ")]
    assert names["h_n"].shape == names["c_n"].shape == (4, 8, 64)
    gates, lengths = torch.stack([names[gate] for gate in "ifgo"]), names["lengths"]
    assert gates.shape == (4, 100, 8, 64)
    valid = torch.arange(100, device=lengths.device)[:, None] < lengths
    assert not gates[:, ~valid].any()
    assert (gates[[0, 1, 3]][:, valid] > 0).all()
    assert names["layer"].weight_hh_l1_reverse.grad.isfinite().all()
