import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "kernels" / "benchmarks" / "bench_lstm.py"


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    environment.pop("TRITON_INTERPRET", None)
    return subprocess.run(
        [sys.executable, str(SCRIPT), *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        env=environment,
    )


def test_the_rehearsal_runs_end_to_end(tmp_path: Path) -> None:
    file = tmp_path / "result.json"
    done = bench("--device", "cpu", "--quick", "--seconds", "0.001", "--out", str(file))
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(file.read_text())
    assert result["finished"]
    assert result["tiny"]
    assert result["skipped"] == []
    assert {record["group"] for record in result["cases"]} == {
        "flashrnn", "lengths", "sizes", "depth", "lean", "rnn"
    }  # fmt: skip
    rows = [row for record in result["cases"] for row in record["rows"]]
    assert [row for row in rows if "failed" in row] == []
    assert {row["family"] for row in rows} == {"rnnlab", "torch", "loop"}
    for record in result["cases"]:
        assert record["lost_workers"] == []
        assert record["floor_ms"] == {"forward": None, "forward+backward": None}
        assert {row["pass"] for row in record["rows"]} == {"forward", "forward+backward"}
    shown = bench("--table", str(file))
    assert shown.returncode == 0, shown.stderr
    assert "A rehearsal on shrunk shapes" in shown.stdout
    assert shown.stdout.count("| forward+backward |") == len(result["cases"])


def test_a_dry_run_lists_cases_and_seconds() -> None:
    done = bench("--dry-run", "--quick", "--flashrnn", "triton_fused")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert (
        "flashrnn lstm recurrence bfloat16 T1024 B16 H768 heads12: rnnlab, FlashRNN triton_fused" in lines[0]
    )
    # Ceilings, and compiling ahead, have the rest of the three minutes.
    assert float(lines[-1].split()[2]) < 100


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "no GPU here; --device cpu rehearses"),
        (["--device", "cpu", "--only", "H12345"], "no case has all the words"),
        (["--flashrnn", "fast"], "expected some of triton_fused"),
    ],
)
def test_wrong_input_is_exit_code_2(arguments: list[str], told: str) -> None:
    done = bench(*arguments)
    assert done.returncode == 2
    assert told in done.stderr
