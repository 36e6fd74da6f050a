"""Kernels are advised only where a committed benchmark shows them to be no slower."""

import json

import pytest
import torch

from rnnlab_kernels import measured

H100 = "NVIDIA H100 80GB HBM3"
ROWS = [
    {"cell": cell, "dtype": dtype, "hidden_size": hidden_size, "batch_size": batch_size, "ratio": ratio}
    for cell, dtype, hidden_size, batch_size, ratio in (
        ("lstm", "bfloat16", 64, 1, 3.0),
        ("lstm", "bfloat16", 64, 64, 1.0),
        ("lstm", "bfloat16", 256, 1, 2.0),
        ("lstm", "bfloat16", 256, 64, 1.5),
        ("lstm", "bfloat16", 512, 1, 2.0),
        ("lstm", "bfloat16", 512, 64, 0.75),
        ("lstm", "float32", 64, 1, 0.5),
    )
]


@pytest.fixture
def published(tmp_path, monkeypatch):
    """The file of an H100, in a folder of its own."""
    monkeypatch.setattr(measured, "FOLDER", tmp_path / "measured_speed")
    return measured.publish(H100, "python bench.py --publish", {"torch": "2.13.0"}, ROWS)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (H100, "nvidia-h100"),
        ("NVIDIA H100 PCIe", "nvidia-h100"),
        ("NVIDIA H100 NVL", "nvidia-h100"),
        ("NVIDIA H200", "nvidia-h200"),
        ("NVIDIA A100-SXM4-40GB", "nvidia-a100"),
        ("NVIDIA GeForce RTX 4090", "nvidia-geforce-rtx-4090"),
        ("AMD Instinct MI300X", "amd-instinct-mi300x"),
        ("NVIDIA H100 80GB HBM3 MIG 1g.10gb", "nvidia-h100-mig-1g.10gb"),
    ],
)
def test_devices_of_one_speed_have_one_class(name, expected):
    assert measured.device_class(name) == expected


def test_what_is_published_names_its_origin(published):
    assert published.name == "nvidia-h100.json"
    assert json.loads(published.read_text()) == {
        "device": H100,
        "command": "python bench.py --publish",
        "versions": {"torch": "2.13.0"},
        "measurements": ROWS,
    }


@pytest.mark.parametrize("hidden_size", [64, 65, 100, 255, 256])
def test_sizes_between_measured_wins(published, hidden_size):
    assert measured.advice_for("NVIDIA H100 PCIe", "lstm", hidden_size, torch.bfloat16) is None


@pytest.mark.parametrize("hidden_size", [257, 300, 512])
def test_one_slower_batch_size_is_enough_to_pass_over(published, hidden_size):
    assert measured.advice_for(H100, "lstm", hidden_size, torch.bfloat16) == (
        f"on {H100} it had 0.75 times PyTorch's speed for lstm in bfloat16 with H=512, B=64"
    )


@pytest.mark.parametrize(
    ("name", "cell", "hidden_size", "dtype", "why"),
    [
        (H100, "lstm", 63, torch.bfloat16, "has lstm in bfloat16 with H of 64 to 512, not 63"),
        (H100, "lstm", 513, torch.bfloat16, "has lstm in bfloat16 with H of 64 to 512, not 513"),
        (H100, "lstm", 64, torch.float16, "has no lstm in float16; measure with: python kernels/benchmarks/"),
        (H100, "rnn", 64, torch.bfloat16, "has no rnn in bfloat16"),
        (H100, "lstm", 64, torch.float32, "0.50 times PyTorch's speed"),
        ("NVIDIA T4", "lstm", 64, torch.bfloat16, "no benchmark of NVIDIA T4 is committed; measure with: "),
    ],
)
def test_what_was_not_measured_is_not_advised(published, name, cell, hidden_size, dtype, why):
    assert why in str(measured.advice_for(name, cell, hidden_size, dtype))


def test_the_interpreter_is_never_advised():
    assert "interpreter" in str(measured.advice("lstm", 64, torch.float32, torch.device("cpu")))


def test_every_committed_file_is_read():
    for path in measured.FOLDER.glob("*.json"):
        document = json.loads(path.read_text())
        assert measured.device_class(document["device"]) == path.stem
        for row in document["measurements"]:
            dtype = getattr(torch, row["dtype"])
            answer = measured.advice_for(document["device"], row["cell"], row["hidden_size"], dtype)
            assert (answer is None) <= (row["ratio"] >= 1)
