"""What MLflow is told of a run besides its metrics: parameters, tags, description, data set."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rnnlab.config.experiment import flatten
from rnnlab.lab.events import RunEnded, RunStarted, Samples
from rnnlab.lab.run import Run

if TYPE_CHECKING:
    from mlflow.entities import DatasetInput

LONGEST_KEY = 250
LONGEST_PARAM = 6000
LONGEST_TAG = 5000
SHORT_DIGEST = 12
"""Characters of a data set's digest in MLflow's tables; the tag `data.digest` has all of it."""
NOTE_TAG = "mlflow.note.content"


def metric_key(name: str) -> str:
    """`name` in the characters MLflow takes in a key, at most 250 of them."""
    key = posixpath.normpath(re.sub(r"[^\w\-. :/]", "_", name)).lstrip("./")
    return key[:LONGEST_KEY] or "_"


def params(config: Mapping[str, Any]) -> dict[str, str]:
    """The whole config as one flat table, the same keys for every run of the same plugins.

    Where a run is shipped to is no property of the experiment, so `tracking` is left out.
    """
    table = {}
    for key, value in flatten(config).items():
        if not key.startswith("tracking."):
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            table[metric_key(key)] = text[:LONGEST_PARAM]
    return table


def config_tags(run: Run) -> dict[str, str]:
    """Tags known from the config: what the run is called and what it is made of."""
    tags = {"name": run.config.get("name")}
    tags |= {kind: _type(run.config.get(kind)) for kind in ("cell", "task", "dataset")}
    return {key: str(value) for key, value in tags.items() if value}


def started_tags(event: RunStarted) -> dict[str, str]:
    """Tags known once the model is built: where it runs, on what, with which versions."""
    tags = {
        "backend": event.backend,
        "backend_reason": event.backend_reason,
        "device": event.device,
        "dtype": event.dtype,
        "threads": event.threads,
        "data.digest": event.data.get("digest"),
        "data.licence": event.data.get("licence"),
        **{f"version.{name}": version for name, version in event.versions.items()},
    }
    return {metric_key(key): str(value)[:LONGEST_TAG] for key, value in tags.items() if value}


def baseline_metrics(event: RunStarted) -> dict[str, float]:
    """What always giving the most frequent answer would score, named to stand beside the score itself."""
    return {f"test/{key.removeprefix('test/')}_baseline": value for key, value in event.baselines.items()}


def note(run: Run, started: RunStarted | None, ended: RunEnded | None, state: str) -> str:
    """The description that MLflow shows on the run's page, in Markdown."""
    made_of = [f"**{kind}** {_type(run.config.get(kind))}" for kind in ("task", "cell", "dataset")]
    # The page shows three lines until it is unfolded: the command that repeats the run is among them.
    again = f"Run it again: `rnnlab run {run.path.parent.name}/{run.id}/config.yaml`"
    lines = [" · ".join(part for part in made_of if not part.endswith(" ")), "", again, ""]
    if started is not None:
        where = f"{started.parameters:,} parameters, {started.backend} backend on {started.device}"
        lines += [where + (f" ({started.backend_reason})" if started.backend_reason else ""), ""]
        data = started.data
        if data:
            splits = ", ".join(f"{split} {count:,}" for split, count in _examples(data).items())
            facts = [str(data.get("name", "")), splits, f"digest `{data.get('digest', '')}`"]
            if data.get("licence"):
                facts.append(f"licence: {data['licence']}")
            lines += ["Data: " + "; ".join(fact for fact in facts if fact), ""]
    if state not in ("", "running"):
        reason = f": {ended.reason}" if ended is not None and ended.reason else ""
        lines += [f"**{state}**{reason}", ""]
    if ended is not None and ended.scores:
        baselines = started.baselines if started is not None else {}
        lines += ["| score | value | most frequent answer |", "| --- | --- | --- |"]
        for key, value in ended.scores.items():
            baseline = baselines.get(key, baselines.get(key.removeprefix("test/")))
            lines.append(f"| {key} | {value:.4g} | {'' if baseline is None else f'{baseline:.4g}'} |")
    return "\n".join(lines).strip()


def dataset_input(event: RunStarted) -> DatasetInput | None:
    """The data set as MLflow's "dataset used", None if the event names none."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    data = event.data
    if not data.get("name"):
        return None
    dataset = Dataset(
        name=str(data["name"])[:500],
        digest=str(data.get("digest", "unknown"))[:SHORT_DIGEST],
        source_type="rnnlab",
        source=json.dumps(dict(data), ensure_ascii=False),
        profile=json.dumps({f"{split} examples": count for split, count in _examples(data).items()}),
    )
    return DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])


def samples_page(samples: Mapping[str, Samples]) -> str:
    """The last answers of each split beside the truth, in Markdown."""
    lines = []
    for split, event in samples.items():
        lines += [f"## {split}, step {event.step:,}", ""]
        for item in event.items:
            lines += [f"- **{name}** {text}" for name, text in item.items()] + [""]
    return "\n".join(lines)


def _type(section: Any) -> str:
    return str(section.get("type") or "") if isinstance(section, Mapping) else str(section or "")


def _examples(data: Mapping[str, Any]) -> dict[str, int]:
    counts = data.get("examples") or data.get("splits") or {}
    return {split: count for split, count in counts.items() if isinstance(count, int)}
