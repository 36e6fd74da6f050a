import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import bench_lstm
import pytest
import report
from cases import Case

from rnnlab_kernels import measured

CASE = Case("sizes", "bfloat16", seq_len=512, batch_size=16, input_size=256, hidden_size=256)


def row(contestant: str, family: str, kind: str, ms: float, **more: Any) -> dict[str, Any]:
    base = {"contestant": contestant, "family": family, "dtype": "bfloat16", "pass": kind, "seq_len": 512}
    return base | {"note": "", "ms": ms, "us_per_step": ms / 0.512, "memory_mb": 10.0} | more


def record(case: Case, ours: float, theirs: float, *more: dict[str, Any]) -> dict[str, Any]:
    rows = [
        row("rnnlab", "rnnlab", report.BACKWARD, ours, dtype=case.dtype),
        row("nn.LSTM", "torch", report.BACKWARD, theirs, dtype=case.dtype),
    ]
    return asdict(case) | {"name": case.name, "rows": [*rows, *more]}


def result(*records: dict[str, Any], device: str = "NVIDIA H100 80GB HBM3") -> dict[str, Any]:
    return {
        "device": {"name": device, "class": measured.device_class(device)},
        "versions": {"torch": "2.13.0", "triton": "3.7.1"},
        "date": "2026-01-02 03:04 UTC",
        "command": "python kernels/benchmarks/bench_lstm.py",
        "tiny": False,
        "ceilings": {
            "copy_bytes_per_second": 3.0e12,
            "matmul_bfloat16_flops": 8.0e14,
            "launch_us": {"host": 4.0, "one_after_another": 2.5},
            "barrier_us": {"8": 0.75, "132": 1.25, "64": "RuntimeError: no"},
        },
        "cases": list(records),
        "skipped": [],
    }


def test_ratio_is_the_best_rival_of_the_same_dtype_over_ours() -> None:
    found = record(
        CASE,
        2.0,
        5.0,
        row("packed nn.LSTM", "torch", report.BACKWARD, 4.0),
        row("nn.LSTM float16", "torch", report.BACKWARD, 1.0, dtype="float16"),
        row("short", "torch", report.BACKWARD, 0.1, seq_len=32),
        row("FlashRNN triton_fused", "flashrnn", report.BACKWARD, 6.0),
        row("nn.LSTM", "torch", report.FORWARD, 9.0),
    )
    assert report.ratio(found, report.BACKWARD) == 2.0
    assert report.ratio(found, report.BACKWARD, "flashrnn") == 3.0
    assert report.ratio(found, report.FORWARD) is None


def test_a_contestant_without_a_time_gives_no_ratio() -> None:
    failed = {"contestant": "rnnlab", "family": "rnnlab", "dtype": "bfloat16", "pass": report.BACKWARD}
    found = record(CASE, 2.0, 5.0)
    found["rows"][0] = failed | {"seq_len": 512, "note": "", "failed": "OutOfMemoryError: no"}
    assert report.ratio(found, report.BACKWARD) is None
    assert "OutOfMemoryError: no" in report.table(result(found))


def test_published_measurements_are_plain_layers_forward_and_backward() -> None:
    longer = replace(CASE, group="flashrnn", seq_len=1024)
    found = record(longer, 4.0, 6.0)
    for each in found["rows"]:
        each["seq_len"] = 1024
    odd = [
        replace(CASE, hidden_size=512, ragged=True),
        replace(CASE, hidden_size=512, num_layers=2),
        replace(CASE, hidden_size=512, directions=2),
        replace(CASE, hidden_size=512, heads=2, part="recurrence"),
        replace(CASE, hidden_size=512, dtype="tf32"),
    ]
    half = replace(CASE, dtype="float16", batch_size=1)
    everything = result(
        record(CASE, 2.0, 5.0), found, *(record(case, 1.0, 1.0) for case in odd), record(half, 3.0, 1.0)
    )
    assert report.measurements(everything) == [
        {"cell": "lstm", "dtype": "bfloat16", "hidden_size": 256, "batch_size": 16, "ratio": 1.5},
        {"cell": "lstm", "dtype": "float16", "hidden_size": 256, "batch_size": 1, "ratio": 0.333},
    ]


def test_publish_is_read_back_by_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(measured, "FOLDER", tmp_path / "measured_speed")
    file = tmp_path / "result.json"
    report.save(result(record(CASE, 2.0, 5.0)), file)
    assert bench_lstm.main(["--publish", str(file)]) == 0
    written = Path(capsys.readouterr().out.strip())
    assert written == tmp_path / "measured_speed" / "nvidia-h100.json"
    assert json.loads(written.read_text())["measurements"] == [
        {"cell": "lstm", "dtype": "bfloat16", "hidden_size": 256, "batch_size": 16, "ratio": 2.5}
    ]


def test_a_rehearsal_is_not_published(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "result.json"
    report.save(result(record(CASE, 2.0, 5.0)) | {"tiny": True}, file)
    assert bench_lstm.main(["--publish", str(file)]) == 2
    assert "full size" in capsys.readouterr().err


def test_table_shows_ratio_roofline_and_ceilings() -> None:
    found = result(record(CASE, 2.0, 5.0, row("ground truth", "loop", report.BACKWARD, 7.0, seq_len=32)))
    found["cases"][0]["rows"][-1]["note"] = "32 of 512 steps"
    found["skipped"] = [{"case": "sizes lstm", "reason": "expected 9.0 s, 1.0 s were left"}]
    found["cases"][0]["floor_ms"] = {report.FORWARD: 0.5, report.BACKWARD: 1.0}
    text = report.table(found)
    lines = text.splitlines()
    cells = [
        cell.strip() for cell in next(line for line in lines if "| forward+backward |" in line).split("|")
    ]
    assert cells[1:-1] == [
        CASE.name,
        "forward+backward",
        "2.000",
        "3.91",
        "5.000",
        "2.50",
        "-",
        "1.000",
        "50%",
        "10 / 10",
        "ground truth 7.00 (32 of 512 steps)",
    ]
    assert "matmul bfloat16 800 TFLOP/s" in text
    assert "copy 3.00 TB/s" in text
    assert "0.75 µs (8)" in text
    assert "- sizes lstm: expected 9.0 s, 1.0 s were left" in lines


def test_floors_use_the_measured_barrier() -> None:
    found = result(record(replace(CASE, hidden_size=1024), 2.0, 5.0))
    assert report.barrier_seconds(found) == pytest.approx(0.75e-6)
    report.add_floors(found)
    with_measured = found["cases"][0]["floor_ms"][report.FORWARD]
    found["ceilings"] = {}
    report.add_floors(found)
    assert found["cases"][0]["floor_ms"][report.FORWARD] - with_measured == pytest.approx(512 * 0.25e-3)


def test_save_leaves_the_old_file_when_it_cannot_write(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "result.json"
    report.save({"cases": [1]}, file)
    with pytest.raises(ValueError, match="not JSON compliant"):
        report.save({"cases": [float("nan")]}, file)
    assert report.load(file) == {"cases": [1]}
