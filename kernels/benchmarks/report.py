"""What is made of the numbers: the result file, ratios, the table, and what the package publishes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cases import from_record
from roofline import floor_seconds

from rnnlab_kernels.measured import Measurement

OURS = "rnnlab"
FORWARD, BACKWARD = "forward", "forward+backward"


def save(result: Mapping[str, Any], path: Path) -> None:
    """Write a result file in one stroke: a run that is ended meanwhile leaves the one before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".draft")
    draft.write_text(json.dumps(result, indent=1, allow_nan=False, default=str) + "\n")
    draft.replace(path)


def load(path: Path) -> dict[str, Any]:
    """Read a result file."""
    return json.loads(path.read_text())


def add_floors(result: dict[str, Any]) -> None:
    """Give every case its floor_ms by pass: the roofline, with the grid barrier as this run measured it."""
    device, barrier = result["device"]["class"], barrier_seconds(result)
    for record in result["cases"]:
        floors = {
            kind: floor_seconds(from_record(record), device, kind, barrier) for kind in (FORWARD, BACKWARD)
        }
        record["floor_ms"] = {kind: None if floor is None else floor * 1e3 for kind, floor in floors.items()}


def barrier_seconds(result: Mapping[str, Any]) -> float | None:
    """The fastest grid barrier that the run measured; None where it measured none."""
    barriers = result.get("ceilings", {}).get("barrier_us", {})
    measured = [value for value in barriers.values() if isinstance(value, (int, float))]
    return min(measured) * 1e-6 if measured else None


def row_of(record: Mapping[str, Any], contestant: str, kind: str) -> Mapping[str, Any] | None:
    """The timed row of a contestant and pass; None where it has no time."""
    for row in record["rows"]:
        if (row["contestant"], row["pass"]) == (contestant, kind) and "ms" in row:
            return row
    return None


def best_rival(record: Mapping[str, Any], kind: str, family: str = "torch") -> Mapping[str, Any] | None:
    """The fastest timed row of a family in the case's own dtype, over all its steps."""
    rows = [
        row
        for row in record["rows"]
        if (row["family"], row["pass"], row["dtype"]) == (family, kind, record["dtype"])
        and "ms" in row
        and row["seq_len"] == record["seq_len"]
    ]
    return min(rows, key=lambda row: row["ms"], default=None)


def ratio(record: Mapping[str, Any], kind: str, family: str = "torch") -> float | None:
    """Time of the best rival over ours: above 1 ours is faster. None where either has no time."""
    ours, rival = row_of(record, OURS, kind), best_rival(record, kind, family)
    return None if ours is None or rival is None else rival["ms"] / ours["ms"]


def measurements(result: Mapping[str, Any]) -> list[Measurement]:
    """What `rnnlab_kernels.measured` goes by: forward+backward ratios of one plain layer.

    Layers with lengths, heads or more than one layer or direction are left out, and so is tf32, which is no
    dtype. Of several cases with one cell, dtype, H and B the least favourable counts.

    Raises:
        ValueError: the result is not of a GPU, or of shrunk shapes.
    """
    if result["device"]["class"] == "cpu" or result["tiny"]:
        raise ValueError(
            f"only measurements of a GPU at full size are published, got one of {result['device']['name']}"
        )
    found: dict[tuple[str, str, int, int], float] = {}
    for record in result["cases"]:
        case = from_record(record)
        plain = (
            case.part == "layer" and case.heads == case.num_layers == case.directions == 1 and not case.ragged
        )
        value = ratio(record, BACKWARD)
        if plain and case.dtype != "tf32" and value is not None:
            key = (case.cell, case.dtype, case.hidden_size, case.batch_size)
            found[key] = min(value, found.get(key, value))
    return [
        {"cell": cell, "dtype": dtype, "hidden_size": hidden, "batch_size": batch, "ratio": round(value, 3)}
        for (cell, dtype, hidden, batch), value in sorted(found.items())
    ]


def table(result: Mapping[str, Any]) -> str:
    """The result as Markdown for a README: ceilings, one line a case, and what went wrong."""
    return "\n".join([*_heading(result), "", *_case_table(result), *_troubles(result)]) + "\n"


def _heading(result: Mapping[str, Any]) -> list[str]:
    device, versions = result["device"], result["versions"]
    named = ", ".join(f"{name} {version}" for name, version in versions.items())
    lines = [f"{device['name']}, {named}; {result['date']}: `{result['command']}`"]
    if result["tiny"]:
        lines += ["", "**A rehearsal on shrunk shapes: these times are no measurements.**"]
    told = [
        f"{_ceiling_name(name)} {_ceiling(name, value)}" for name, value in result.get("ceilings", {}).items()
    ]
    return lines + (["", "Ceilings as measured: " + "; ".join(told) + "."] if told else [])


def _ceiling_name(name: str) -> str:
    for ending in ("_bytes_per_second", "_flops", "_us"):
        name = name.removesuffix(ending)
    return name.replace("_", " ")


def _ceiling(name: str, value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{_ceiling(name, each)} ({key})" for key, each in value.items())
    if isinstance(value, str):
        return f"failed ({value})"
    if name.endswith("_flops"):
        return f"{value / 1e12:.0f} TFLOP/s"
    if name.endswith("_bytes_per_second"):
        return f"{value / 1e12:.2f} TB/s"
    return f"{value:.2f} µs"


def _case_table(result: Mapping[str, Any]) -> list[str]:
    columns = (
        "case",
        "pass",
        "rnnlab ms",
        "µs a step",
        "best torch ms",
        "torch / ours",
        "FlashRNN / ours",
        "roofline ms",
        "of roofline",
        "MB ours / torch",
        "others, ms",
    )
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    for record in result["cases"]:
        lines += ["| " + " | ".join(_cells(record, kind)) + " |" for kind in (FORWARD, BACKWARD)]
    return lines


def _cells(record: Mapping[str, Any], kind: str) -> list[str]:
    ours, rival = row_of(record, OURS, kind), best_rival(record, kind)
    floor = record.get("floor_ms", {}).get(kind)
    others = [
        f"{row['contestant']} {row['ms']:.2f}"
        + ("" if row["seq_len"] == record["seq_len"] else f" ({row['note']})")
        for row in record["rows"]
        if row["pass"] == kind and "ms" in row and row is not ours and row is not rival
    ]
    return [
        record["name"],
        kind,
        _number(ours and ours["ms"], 3),
        _number(ours and ours["us_per_step"], 2),
        _number(rival and rival["ms"], 3),
        _number(ratio(record, kind), 2),
        _number(ratio(record, kind, "flashrnn"), 2),
        _number(floor, 3),
        "-" if ours is None or floor is None else f"{floor / ours['ms']:.0%}",
        f"{_number(ours and ours['memory_mb'], 0)} / {_number(rival and rival['memory_mb'], 0)}",
        "; ".join(others) or "-",
    ]


def _number(value: Any, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _troubles(result: Mapping[str, Any]) -> Sequence[str]:
    failed = [
        f"- {record['name']}, {row['contestant']}, {row['pass']}: {row['failed']}"
        for record in result["cases"]
        for row in record["rows"]
        if "failed" in row
    ]
    skipped = [f"- {each['case']}: {each['reason']}" for each in result["skipped"]]
    lines = ["", "Not timed:", "", *failed] if failed else []
    return lines + (["", "Left out for want of time:", "", *skipped] if skipped else [])
