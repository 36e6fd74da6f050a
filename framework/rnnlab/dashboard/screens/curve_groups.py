"""Which curves of a run belong into one chart, and in what order charts come."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rnnlab.dashboard.feed.snapshot import RunSnapshot

SPLITS = ("train", "val")
"""Those with a curve; "test" is scored once, after training."""
PROGRESS = ("grad_norm", "learning_rate", "tokens_per_second")
WORDS = {
    "grad_norm": "gradient norm",
    "learning_rate": "learning rate",
    "tokens_per_second": "tokens/s",
    "macro_f1": "macro F1",
    "bleu": "BLEU",
    "chrf": "chrF",
    "cpu_percent": "worker cpu %",
    "memory_mib": "worker memory MiB",
    "machine_cpu_percent": "machine cpu %",
    "machine_memory_percent": "machine memory %",
}


def in_plain_words(metric: str) -> str:
    """A metric without its split, as a title: "grad_norm" is "gradient norm"."""
    return WORDS.get(metric, metric.replace("_", " "))


def groups(run: RunSnapshot) -> dict[str, list[str]]:
    """Metric without its split -> its curves, for example "loss" -> ["train/loss", "val/loss"].

    The loss comes first, then what picks the best checkpoint, the other scores, and how training goes.
    """
    found: dict[str, list[str]] = {}
    for key in run.series:
        split, _, metric = key.partition("/")
        if split in SPLITS:
            found.setdefault(metric, []).append(key)
        elif split != "test":
            found.setdefault(key, []).append(key)
    for keys in found.values():
        keys.sort(key=_split_rank)
    order = ["loss", run.monitor, *sorted(metric for metric in found if _is_score(metric)), *PROGRESS]
    order += sorted(found)
    return {metric: found[metric] for metric in dict.fromkeys(order) if metric in found}


def side_by_side(all_groups: Sequence[str], monitor: str, big: str, count: int) -> list[str]:
    """The `count` groups that stand beside the chart of `big`: what most wish to see at one time."""
    wanted = ["loss", monitor, "grad_norm", "learning_rate", *all_groups]
    return [metric for metric in dict.fromkeys(wanted) if metric in all_groups and metric != big][:count]


def comparable(runs: Iterable[RunSnapshot]) -> list[str]:
    """Every curve that one of `runs` has: losses, scores that pick checkpoints, other scores, the rest."""
    runs = list(runs)
    found = {key for run in runs for key in run.series if not key.startswith("test/")}
    order = ["train/loss", "val/loss", *(f"val/{run.monitor}" for run in runs)]
    order += sorted(key for key in found if key.startswith("val/"))
    order += [f"train/{metric}" for metric in ("tokens_per_second", "grad_norm", "learning_rate")]
    order += sorted(key for key in found if key.startswith("train/")) + sorted(found)
    return [key for key in dict.fromkeys(order) if key in found]


def _is_score(metric: str) -> bool:
    return metric not in PROGRESS and "/" not in metric


def _split_rank(key: str) -> int:
    return SPLITS.index(key.partition("/")[0]) if key.partition("/")[0] in SPLITS else len(SPLITS)
