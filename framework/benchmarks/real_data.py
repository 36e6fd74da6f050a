"""Train the presets on real data and write the table of framework/docs/results.md.

    RNNLAB_DATA=/path/to/data .venv/bin/python framework/benchmarks/real_data.py [--only NAME ...]

RNNLAB_DATA names a folder with `trec6`, `japanese_vowels`, `ud_english_ewt`, `snips_slots` and
`multi30k_en_de`; rows whose files are missing are left out, and said
so. Every row is one `rnnlab run` command, trained in a lab of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shlex
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import torch

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "framework" / "docs" / "results.md"
BEGIN, END = "<!-- real_data.py -->", "<!-- end -->"
TREC = "dataset.train=trec6/train.txt dataset.test=trec6/test.txt"
VOWELS = " ".join(
    f"dataset.{split}=japanese_vowels/JapaneseVowels_{split.upper()}.ts" for split in ("train", "test")
)
EWT = " ".join(
    f"dataset.{split}=ud_english_ewt/en_ewt-ud-{file}.conllu.gz"
    for split, file in (("train", "train"), ("val", "dev"), ("test", "test"))
)

SNIPS = " ".join(
    f"dataset.{split}{target}=snips_slots/{file}.seq.{side}"
    for split, file in (("train", "train"), ("val", "valid"), ("test", "test"))
    for target, side in (("", "in"), ("_target", "out"))
)
MULTI30K = " ".join(
    f"dataset.{split}{target}=multi30k_en_de/{file}.{language}.gz"
    for split, file in (("train", "train"), ("val", "val"), ("test", "test_2016_flickr"))
    for target, language in (("", "de"), ("_target", "en"))
)


@dataclass(frozen=True)
class Row:
    """One line of the table: a preset with overrides, averaged over seeds.

    Attributes:
        name: for `--only`.
        command: what follows `rnnlab run`.
        seeds: how many seeds, from 0.
        floor: the score it must reach, in percent; None where there is none.
    """

    name: str
    command: str
    seeds: int = 1
    floor: float | None = None


ROWS = (
    Row("digits", "digits", 3, 92.0),
    Row("digits", "digits cell=rnn", 3),
    Row("stress", "stress", 1, 88.0),
    Row("inflection", "inflection", 1, 90.0),
    Row("trec", f"trec {TREC}", 3, 87.0),
    Row("trec", f"trec {TREC} cell=rnn", 3),
    Row("vowels", f"vowels {VOWELS}", 3, 96.0),
    Row("ewt", f"ewt {EWT}", 1, 89.5),
    Row("digits-rows", "digits-rows"),
    Row("pinyin", "pinyin"),
    Row("g2p", "g2p"),
    Row("snips", f"snips {SNIPS}"),
    Row("translate", f"translate {MULTI30K}"),
)


def main() -> None:
    """Run the rows, print each as it ends, and put it into the table of results.md."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", metavar="NAME", help="rows to run; the others stay as they are")
    only = parser.parse_args().only
    folder = Path(os.environ.get("RNNLAB_DATA", ROOT.parent / "shared" / "data"))
    for row in ROWS:
        if only and row.name not in only:
            continue
        missing = [path for path in files(row) if not (folder / path).exists()]
        if missing:
            print(f"left out: {row.command}: no {', '.join(missing)} in {folder}", file=sys.stderr)
            continue
        line = measure(row, folder)
        print(line, flush=True)
        write(line)


def files(row: Row) -> list[str]:
    """The files that a row's command names."""
    words = (word.partition("=") for word in row.command.split())
    return [value for key, _, value in words if key.startswith("dataset.")]


def measure(row: Row, folder: Path) -> str:
    """Train a row's seeds and put them into a line of the table."""
    results = []
    with tempfile.TemporaryDirectory() as lab:
        for seed in range(row.seeds):
            rnnlab = [sys.executable, "-m", "rnnlab.cli.main", "--runs-dir", lab]
            command = [*rnnlab, "run", *shlex.split(row.command), f"seed={seed}", "tracking.enabled=false"]
            subprocess.run(command, cwd=folder, check=True, stdout=sys.stderr)
            results.append(json.loads(subprocess.check_output([*rnnlab, "runs", "--json"]))[-1])
    scores = [percent(result["metric"], result["score"]) for result in results]
    mean = sum(scores) / len(scores)
    spread = f" ({', '.join(f'{score:.1f}' for score in scores)})" if len(scores) > 1 else ""
    floor = "" if row.floor is None else f", expected at least {row.floor}"
    seconds = sum(result["seconds"] for result in results) / len(results)
    cpu = sum(result["cpu_seconds"] for result in results) / len(results)
    baseline = percent("", results[0]["baseline"])
    metric = results[0]["metric"].removeprefix("test/")
    return (
        f"| `rnnlab run {row.command}` | {metric} {mean:.1f}{spread}{floor} | {row.seeds} | {baseline:.1f} "
        f"| {seconds:.0f} / {cpu:.0f} |"
    )


def percent(metric: str, score: float) -> float:
    """Shares in percent; BLEU counts to a hundred by itself."""
    return score if metric.endswith("bleu") else 100 * score


def write(line: str) -> None:
    """Put a row into the table of results.md, in place of the row of the same command."""
    made = (
        f"Made with python {platform.python_version()}, torch {torch.__version__}, on {os.cpu_count()} "
        f"processors ({platform.machine()}), one thread a run."
    )
    before, _, rest = RESULTS.read_text(encoding="utf-8").partition(BEGIN)
    table, _, after = rest.partition(END)
    lines = {command_of(old): old for old in table.splitlines() if old.startswith("| `")}
    lines[command_of(line)] = line
    order = [f"`rnnlab run {row.command}`" for row in ROWS]
    head = (
        "| command | test score | seeds | most frequent answer | seconds (one run, wall / CPU) |",
        "| --- | --- | --- | --- | --- |",
    )
    rows = [lines[command] for command in order if command in lines]
    table = "\n".join((made, "", *head, *rows))
    RESULTS.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", encoding="utf-8")


def command_of(line: str) -> str:
    """The first cell of a row."""
    return line.split("|")[1].strip()


if __name__ == "__main__":
    main()
