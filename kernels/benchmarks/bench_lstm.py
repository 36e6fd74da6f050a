"""Measure the kernels against nn.LSTM, packed nn.LSTM, plain loops, and FlashRNN where it is installed.

    python kernels/benchmarks/bench_lstm.py [--quick]               3 minutes of a GPU; 9 without --quick
    python kernels/benchmarks/bench_lstm.py --device cpu --quick    rehearse on a CPU, on shrunk shapes
    python kernels/benchmarks/bench_lstm.py --dry-run               list the cases and the seconds expected
    python kernels/benchmarks/bench_lstm.py --table FILE            a result file as a Markdown table
    python kernels/benchmarks/bench_lstm.py --publish FILE          tell rnnlab_kernels.measured about it

Forward is timed without gradients, forward+backward with gradients of input, weights and bias. Every
contestant is compared with float64 first; one that is wrong or fails gets a row that says so. Contestants of
a case take turns; a time is the median of samples taken with GPU events, on random inputs that rotate when
the L2 cache could hold them. The result is saved after every case.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import shlex
import signal
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(
    0, str(Path(__file__).parents[1])
)  # The package beside this folder, whether installed or not.

import report
import torch
from cases import choose, predict
from flashrnn_rival import BACKENDS, installed
from identity import describe_device, describe_versions
from measure import Settings
from runner import Run, Worker, warm_up

from rnnlab_kernels import measured

RESULTS = Path(__file__).parent / "results"
BUDGET = {"quick": 180.0, "full": 540.0}
WARM_SHARE = 0.35
"""The part of the budget that compiling ahead may take."""


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").split("\n\n")[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="the most telling cases only")
    size.add_argument("--full", action="store_true", help="all cases (without --quick)")
    parser.add_argument(
        "--device", choices=("cuda", "cpu"), default="cuda", help="cpu: a rehearsal, tiny shapes"
    )
    parser.add_argument("--budget", type=float, help="seconds; 180 with --quick, else 540")
    parser.add_argument("--seconds", type=float, help="sampling time of one contestant and pass")
    parser.add_argument(
        "--only", default="", metavar="WORDS", help='cases whose name has all these words ("sizes H256")'
    )
    parser.add_argument("--out", type=Path, help="result file; results/DEVICE-DATE.json by default")
    parser.add_argument("--compiled", action="store_true", help="also torch.compile of the loop's step")
    parser.add_argument("--no-loops", action="store_true", help="without the ground truth")
    parser.add_argument(
        "--flashrnn",
        metavar="BACKENDS",
        help=f"of {','.join(BACKENDS)}; triton_fused where it is installed, none with an empty one",
    )
    parser.add_argument(
        "--jobs", type=int, help="processes that compile ahead; up to 12 on a GPU, 0 on a CPU"
    )
    parser.add_argument("--patience", type=float, help="seconds that mean a hang; 90, or 400 where nvcc runs")
    parser.add_argument("--dry-run", action="store_true", help="list cases and expected seconds, run nothing")
    parser.add_argument("--table", type=Path, metavar="FILE", help="print a result file as Markdown")
    parser.add_argument(
        "--publish", type=Path, metavar="FILE", help="write what auto goes by from a result file"
    )
    options = parser.parse_args(arguments)
    unknown = set(backends(options.flashrnn)) - set(BACKENDS)
    if unknown:
        parser.error(f"--flashrnn: expected some of {', '.join(BACKENDS)}, got {', '.join(sorted(unknown))}")
    return options


def backends(named: str | None) -> tuple[str, ...]:
    """FlashRNN's backends that take part."""
    if named is None:
        return ("triton_fused",) if installed() else ()
    return tuple(name for name in named.split(",") if name)


def main(arguments: list[str]) -> int:
    """Run the command; 0 when it is done, 1 when nothing of ours has a time, 2 when the input was wrong."""
    options = parse(arguments)
    if options.table is not None:
        print(report.table(report.load(options.table)), end="")
        return 0
    if options.publish is not None:
        return publish(options.publish)
    if options.device == "cuda" and not options.dry_run and not torch.cuda.is_available():
        print("no GPU here; --device cpu rehearses the run on shrunk shapes", file=sys.stderr)
        return 2
    cases = choose(options.quick, options.device == "cpu", options.only)
    if not cases:
        print(f"no case has all the words of --only {options.only!r}; --dry-run lists them", file=sys.stderr)
        return 2
    rehearsal = options.device == "cpu"
    seconds = options.seconds or (0.005 if rehearsal else 0.12 if options.quick else 0.15)
    settings = Settings(
        options.device, seconds, options.compiled, backends(options.flashrnn), not options.no_loops
    )
    if options.dry_run:
        total = 0.0
        for case in cases:
            names = [who.name for who in settings.contestants(case)]
            expected = predict(case, len(names), seconds)
            total += expected
            print(f"{expected:6.1f} s  {total:7.1f} s  {case.name}: {', '.join(names)}")
        return 0
    return measure(options, settings, cases, arguments)


def measure(options: argparse.Namespace, settings: Settings, cases: list[Any], arguments: list[str]) -> int:
    """Measure `cases` and save the result."""
    start = time.monotonic()
    device = torch.device(options.device)
    budget = options.budget or BUDGET["quick" if options.quick else "full"]
    result: dict[str, Any] = {
        "device": describe_device(device),
        "versions": describe_versions(),
        "host": platform.platform(),
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "command": shlex.join(["python", "kernels/benchmarks/bench_lstm.py", *arguments]),
        "set": "quick" if options.quick else "full",
        "tiny": options.device == "cpu",
        "budget_seconds": budget,
        "sampling_seconds": settings.seconds,
        "finished": False,
        "ceilings": {},
        "cases": [],
        "skipped": [],
    }
    stem = f"{result['device']['class']}-{result['date'][:10]}-{result['set']}.json"
    path = options.out or RESULTS / stem

    def save() -> None:
        report.add_floors(result)
        result["seconds"] = time.monotonic() - start
        report.save(result, path)

    # Ends the workers, too: a daemon process lives on when its parent is killed by a signal's default.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    jobs = options.jobs
    if jobs is None:
        jobs = 0 if options.device == "cpu" else min(12, os.cpu_count() or 1)
    if jobs:
        ready = warm_up(cases, settings, jobs, WARM_SHARE * budget)
        result["warm_up"] = {"processes": jobs, "cases": ready, "seconds": time.monotonic() - start}
        print(
            f"compiled ahead for {ready} of {len(cases)} cases in {time.monotonic() - start:.0f} s",
            flush=True,
        )
    # FlashRNN's CUDA backends compile many candidates on first use.
    patience = options.patience or (400.0 if any("cuda" in name for name in settings.flashrnn) else 90.0)
    run = Run(
        result,
        settings,
        save,
        partial(Worker, settings, patience),
        budget - (time.monotonic() - start),
        say=partial(print, flush=True),
    )
    try:
        run.ceilings()
        run.cases(cases)
        result["finished"] = True
    finally:
        save()
        run.close(kill=not result["finished"])
        print(f"{path}: {len(result['cases'])} cases, {len(result['skipped'])} skipped", flush=True)
    timed = [record for record in result["cases"] if report.row_of(record, report.OURS, report.FORWARD)]
    return 0 if timed else 1


def publish(path: Path) -> int:
    """Hand a result to `rnnlab_kernels.measured`."""
    result = report.load(path)
    try:
        found = report.measurements(result)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    if not found:
        print(f"{path} has no plain layer with a time of ours and of PyTorch's", file=sys.stderr)
        return 2
    print(measured.publish(result["device"]["name"], result["command"], result["versions"], found))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
