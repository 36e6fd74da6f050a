"""What is said of an installed plugin: one line of a table, and a page."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from textual.content import Content

from rnnlab.dashboard.catalogue import Catalogue
from rnnlab.plugins.entry import Entry
from rnnlab.plugins.provider import Problem


@dataclass(frozen=True)
class Item:
    """A line of the table: a registered object, a plugin's hooks, or a plugin that failed as a whole.

    Attributes:
        kind: of an object; "hooks" or "plugin" for the rest.
        health: "ok", "unavailable", "broken", or "off".
        summary: one line.
        entry, problem: what it was made from, if it was.
    """

    kind: str
    name: str
    health: str
    origin: str = ""
    version: str = ""
    summary: str = ""
    entry: Entry | None = None
    problem: Problem | None = None

    @property
    def key(self) -> str:
        """Tells items apart."""
        problem = f"{self.problem.stage} {self.problem.reason}" if self.problem else ""
        return f"{self.kind} {self.name} {problem}".strip()


def items(catalogue: Catalogue) -> list[Item]:
    """Everything there is, what failed as a whole first."""
    return list({item.key: item for item in _items(catalogue)}.values())


def _items(catalogue: Catalogue) -> Iterator[Item]:
    for problem in catalogue.problems:
        if problem.stage == "requires":
            continue  # said of each object that lacks it
        yield Item(
            "plugin",
            problem.plugin,
            "broken",
            problem.origin,
            problem.version,
            problem.reason,
            problem=problem,
        )
    for entry in catalogue.entries:
        yield Item(
            entry.kind, entry.name, entry.health, entry.origin, entry.version, entry.summary, entry=entry
        )
    for plugin, hooks in catalogue.hooks.items():
        yield Item("hooks", plugin, "ok", plugin.partition(":")[0], summary=", ".join(hooks))
    for plugin in catalogue.blocked:
        yield Item("plugin", plugin, "off", plugin.partition(":")[0], summary="third-party plugins are off")


def matches(item: Item, words: str) -> bool:
    """Whether every word is in some field of the item."""
    text = " ".join((item.kind, item.name, item.health, item.origin, item.version, item.summary)).casefold()
    return all(word in text for word in words.casefold().split())


def describe(item: Item, width: int) -> Content:
    """A page about it, `width` cells wide; a reason and a remedy stand before everything else."""
    parts = [Content.assemble((f"{item.kind} / {item.name}", "bold $text-accent"))]
    if item.summary and item.problem is None:
        parts.append(Content(item.summary))
    if item.problem is not None:
        parts.append(_trouble(item.problem.reason, item.problem.remedy))
        parts.append(
            _facts({"origin": item.origin, "version": item.version, "failed at": item.problem.stage})
        )
    elif item.entry is not None:
        parts += _entry(item.entry, width)
    else:
        parts.append(_facts({"origin": item.origin}))
    return Content("\n\n").join(part for part in parts if part.plain)


def _entry(entry: Entry, width: int) -> Iterator[Content]:
    if entry.reason:
        yield _trouble(entry.reason, entry.remedy)
    yield _facts(
        {
            "origin": f"{entry.origin} {entry.version}".strip() + (" (built in)" if entry.built_in else ""),
            "plugin": entry.plugin,
            "target": entry.target,
            "needs": ", ".join(entry.needs),
            "modes": ", ".join(entry.modes),
            "metrics": ", ".join(f"{name} ({better})" for name, better in entry.metrics.items()),
            "decides": entry.primary,
            "rank": str(entry.rank) if entry.kind == "backend" else "",
        }
        | {str(key): str(value) for key, value in entry.about.items() if key != "summary"}
    )
    if entry.docs:
        yield _section("About", Content(wrapped(flowing(entry.docs), width)))
    options = list(_options(entry, width))
    if options:
        yield _section("Options", Content("\n").join(options))
    if entry.step:
        yield _section("Step", Content(wrapped(entry.step, width)))
    if entry.file:
        yield _section("File", Content(wrapped(entry.file.rstrip(), width)))


def _options(entry: Entry, width: int) -> Iterator[Content]:
    from rnnlab.config.schemas import options

    for option in options(entry.options or {}):
        yield Content.assemble(
            (option.name, "bold"),
            "  ",
            (option.type, "dim"),
            f"  default {option.default}" if option.default else "",
        )
        if option.help:
            yield Content(wrapped(f"    {option.help}", width, hang=0))


def flowing(text: str) -> str:
    """Prose without the line ends of its source; paragraphs, lists and what is indented stay as they are."""
    lines: list[str] = []
    for line in text.splitlines():
        if lines and _is_prose(lines[-1]) and not lines[-1].endswith(":") and _is_prose(line):
            lines[-1] += f" {line}"
        else:
            lines.append(line)
    return "\n".join(lines)


def _is_prose(line: str) -> bool:
    return bool(line) and not line[0].isspace() and line[0] not in "-*"


def wrapped(text: str, width: int, hang: int = 4) -> str:
    """Lines broken at spaces, what follows `hang` cells further in than the line it belongs to."""
    return "\n".join(_broken(line, width, hang) for line in text.splitlines())


def _broken(line: str, width: int, hang: int) -> str:
    indent = len(line) - len(line.lstrip())
    deeper = indent + hang if indent else 0  # text that is not indented is prose
    return textwrap.fill(
        line,
        max(width, 20),
        subsequent_indent=" " * min(deeper, 20),
        replace_whitespace=False,
        break_on_hyphens=False,
    )


def _trouble(reason: str, remedy: str) -> Content:
    return Content.assemble(
        ("Reason  ", "bold $text-error"), reason, "\n", ("Remedy  ", "bold $text-success"), remedy
    )


def _facts(facts: dict[str, str]) -> Content:
    lines = [Content.assemble((f"{name:<10}", "dim"), value) for name, value in facts.items() if value]
    return Content("\n").join(lines)


def _section(title: str, body: Content) -> Content:
    return Content.assemble((title, "bold underline"), "\n", body)
