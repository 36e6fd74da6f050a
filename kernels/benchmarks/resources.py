"""The table of what each kernel takes of each GPU: registers, spills, shared memory. Needs no GPU.

    python kernels/benchmarks/resources.py            compile all, write the table, print a summary
    python kernels/benchmarks/resources.py --check    compile all, compare with the table, write nothing

The table is results/resources.json. `--target` and `--kernel` choose a part; the rest of the table stays.
Exit status 1: a kernel spills or outgrows a GPU, or `--check` found a difference, and nothing is written;
2: the call was wrong.
"""

from __future__ import annotations

import argparse
import importlib
import json
import multiprocessing
import os
import sys
from collections.abc import Iterable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict
from pathlib import Path
from typing import Any

import triton
from compilation import TARGETS, Case, Resources, resources
from triton import knobs
from triton.errors import TritonError

TABLE = Path(__file__).with_name("results") / "resources.json"

# Another version of the assembler, or a line moved, may cost a register or two; more is worth a look.
MORE_REGISTERS = 8

Rows = dict[str, dict[str, dict[str, Any]]]  # target -> case -> row


def cases_of(module: str, target: str) -> dict[str, Case]:
    """The configurations for `target` that `module.compile_cases` lists, by name.

    Raises:
        ValueError: two have the same name.
    """
    cases: dict[str, Case] = {}
    for case in importlib.import_module(module).compile_cases(target):
        if case.name in cases:
            raise ValueError(f"{module}.compile_cases({target!r}) lists {case.name!r} twice")
        cases[case.name] = case
    return cases


def compile_row(module: str, target: str, name: str) -> dict[str, Any]:
    """Compile one case; returns its row, or {"error": the compiler's message}."""
    case = cases_of(module, target)[name]
    about = {
        "kernel": case.kernel.__name__,
        "dtype": str(case.dtype).removeprefix("torch."),
        "num_warps": case.num_warps,
    }
    try:
        return {**about, **asdict(resources(case, TARGETS[target]))}
    except (TritonError, RuntimeError) as error:
        return {**about, "error": " ".join(str(error).split())[:500]}


def compile_rows(module: str, wanted: list[tuple[str, str]], jobs: int) -> Rows:
    """Compile (target, name) pairs in `jobs` processes, telling of each on stderr."""
    rows: Rows = {}
    with _processes(jobs) as pool:
        futures = [pool.submit(compile_row, module, target, name) for target, name in wanted]
        for done, ((target, name), future) in enumerate(zip(wanted, futures, strict=True), 1):
            row = rows.setdefault(target, {})[name] = _row(future, module, target, name)
            print(f"{done}/{len(wanted)} {target} {name}: {told(row)}", file=sys.stderr, flush=True)
    return rows


def _processes(count: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(count, mp_context=multiprocessing.get_context("spawn"))


def _row(future: Future[dict[str, Any]], module: str, target: str, name: str) -> dict[str, Any]:
    try:
        return future.result()
    except BrokenProcessPool:
        # LLVM ends the process at some errors, and all that the pool still had to do is lost with it.
        with _processes(1) as pool:
            alone = pool.submit(compile_row, module, target, name)
            if isinstance(alone.exception(), BrokenProcessPool):
                return {"error": "the compiler ended its process; it may have said why above"}
            return alone.result()


def told(row: dict[str, Any]) -> str:
    """A row in words."""
    if "error" in row:
        return row["error"]
    return f"{row['registers']} registers, {row['spilled']} bytes spilled, {row['shared']} bytes shared"


def used(row: dict[str, Any]) -> Resources:
    """The numbers of a row."""
    return Resources(row["registers"], row["spilled"], row["stack"], row["shared"])


def faults_of(rows: Rows) -> list[str]:
    """A line for each row that is an error, spills or outgrows its target."""
    return [
        f"{target} {name}: {fault}"
        for target, cases in rows.items()
        for name, row in cases.items()
        for fault in ([row["error"]] if "error" in row else used(row).faults(TARGETS[target]))
    ]


def differences(table: dict[str, Any], rows: Rows, listed: dict[str, list[str]]) -> list[str]:
    """A line for each way in which the table is not of these kernels.

    Args:
        rows: freshly compiled; numbers are compared only with a table made by this Triton.
        listed: for each target, the names of all its cases, compiled or not.
    """
    found = []
    for target, names in listed.items():
        known = table["rows"].get(target, {})
        found += [f"{target} {name}: not in the table" for name in names if name not in known]
        found += [f"{target} {name}: in the table only" for name in known if name not in names]
    if table["versions"]["triton"] != triton.__version__:
        made_by = table["versions"]["triton"]
        print(f"registers not compared: the table is of triton {made_by}", file=sys.stderr)
        return found
    for target, cases in rows.items():
        for name, row in cases.items():
            before = table["rows"].get(target, {}).get(name)
            if before is None or "error" in row:
                continue
            if row["registers"] > before["registers"] + MORE_REGISTERS:
                found.append(f"{target} {name}: {row['registers']} registers, were {before['registers']}")
            if row["shared"] > before["shared"]:
                found.append(f"{target} {name}: {row['shared']} bytes shared, were {before['shared']}")
    return found


def tightest(table: dict[str, Any], names: Iterable[str], target: str, count: int) -> list[str]:
    """Of each kernel, the `count` cases that come nearest to a limit of `target`, by the table's numbers.

    Cases that the table does not have come first.
    """
    known = table["rows"].get(target, {})

    def nearness(name: str) -> tuple[float, int]:
        row = known.get(name)
        if row is None:
            return (float("inf"), 0)
        return (row["shared"] / TARGETS[target].shared_memory, row["registers"])

    chosen: dict[str, list[str]] = {}
    for name in sorted(names, key=nearness, reverse=True):
        chosen.setdefault(known.get(name, {}).get("kernel", ""), []).append(name)
    return [name for of_kernel in chosen.values() for name in of_kernel[:count]]


def markdown(rows: Rows, by_case: bool) -> str:
    """The rows as a table: each case, or for each kernel and target the span over its cases."""
    if by_case:
        lines = ["| target | case | dtype | warps | registers | spilled | shared KiB |"]
        cells = [
            (target, name, row["dtype"], row["num_warps"], row["registers"], row["spilled"], kib([row]))
            for target, cases in rows.items()
            for name, row in cases.items()
        ]
    else:
        lines = ["| kernel | target | configurations | registers | spilled | shared KiB |"]
        groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for target, cases in rows.items():
            for row in cases.values():
                groups.setdefault((row["kernel"], target), []).append(row)
        cells = [
            (
                *group,
                len(of_group),
                span(row["registers"] for row in of_group),
                span(row["spilled"] for row in of_group),
                kib(of_group),
            )
            for group, of_group in sorted(groups.items())
        ]
    lines.append("|---" * (lines[0].count("|") - 1) + "|")
    lines += ["| " + " | ".join(map(str, line)) + " |" for line in cells]
    return "\n".join(lines)


def span(numbers: Iterable[float]) -> str:
    """Least and most: "32-128", or "0" when they are the same."""
    ordered = sorted(numbers)
    return "-".join(f"{number:g}" for number in dict.fromkeys((ordered[0], ordered[-1])))


def kib(rows: list[dict[str, Any]]) -> str:
    """The span of shared memory in KiB."""
    return span(round(row["shared"] / 1024, 1) for row in rows)


def arguments() -> argparse.Namespace:
    """The command line; ends the process with status 2 if it is wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="compare with the table instead of writing it")
    parser.add_argument("--target", choices=TARGETS, action="append", help="only this GPU; may be repeated")
    parser.add_argument(
        "--kernel", default="", help="only cases with this in their kernel's or their own name"
    )
    parser.add_argument(
        "--tightest", type=int, metavar="N", help="only the N of each kernel nearest to a limit"
    )
    parser.add_argument("--cases", default="rnnlab_kernels.cases", help="module with compile_cases(target)")
    parser.add_argument("--table", type=Path, default=TABLE, help="the table's file")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes that compile")
    asked = parser.parse_args()
    if knobs.runtime.interpret:
        parser.error("TRITON_INTERPRET is set, with which nothing compiles; unset it")
    if asked.tightest is not None and not asked.check:
        parser.error("--tightest chooses by the table's numbers; it needs --check")
    return asked


def main() -> int:
    """Run the command line; returns the exit status."""
    asked = arguments()
    table = {"versions": {"triton": triton.__version__}, "rows": {}}
    if asked.table.exists():
        table = json.loads(asked.table.read_text())
    listed: dict[str, list[str]] = {}
    wanted = []
    for target in asked.target or TARGETS:
        cases = cases_of(asked.cases, target)
        listed[target] = list(cases)
        names = [
            name for name in cases if asked.kernel in name or asked.kernel in cases[name].kernel.__name__
        ]
        if asked.tightest is not None:
            names = tightest(table, names, target, asked.tightest)
        wanted += [(target, name) for name in names]
    whole = not asked.target and len(wanted) == sum(map(len, listed.values()))
    if not asked.check and not whole and table["versions"]["triton"] != triton.__version__:
        print(f"the table is of triton {table['versions']['triton']}; write all of it anew", file=sys.stderr)
        return 2
    rows = compile_rows(asked.cases, wanted, asked.jobs)
    wrong = faults_of(rows)
    if asked.check:
        wrong += differences(table, rows, listed)
    if wrong:
        print("\n".join(wrong), file=sys.stderr)
        return 1
    if not asked.check:
        write(asked.table, table, rows, listed)
    print(markdown(rows, by_case=bool(asked.kernel)))
    return 0


def write(path: Path, table: dict[str, Any], rows: Rows, listed: dict[str, list[str]]) -> None:
    """Put `rows` into the table, drop what is no longer listed, and store it."""
    for target, names in listed.items():
        merged = {**table["rows"].get(target, {}), **rows.get(target, {})}
        table["rows"][target] = {name: merged[name] for name in names if name in merged}
    new = {
        "command": "python kernels/benchmarks/resources.py",
        "versions": {"triton": triton.__version__},
        "rows": {target: table["rows"][target] for target in TARGETS if target in table["rows"]},
    }
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(new, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
