"""The filter language of the list of runs: `cell:lstm val/loss<0.3 -state:failed "two words"`.

    word             the id or the name holds it
    field:pattern    the field equals it; `*` and `?` are wildcards, `a,b` is a or b; a name need only hold it
    key<number       also <=, >, >=, =, !=; key is a metric (val/loss), an option (stack.hidden_size) or one
                     of step, epoch, parameters, ...; = and != compare words too
    -term            runs for which the term does not hold; one that lacks the key is such a run

Terms separated by spaces must all hold; quotes keep spaces and signs together; upper and lower case are one.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from rnnlab.dashboard.feed.snapshot import RunSnapshot
from rnnlab.errors import InputError, did_you_mean

SECTIONS = ("task", "dataset", "cell", "decoder", "executor")
FIELDS: Mapping[str, Callable[[RunSnapshot], Any]] = {
    "id": lambda run: run.id,
    "name": lambda run: run.config.get("name"),
    "state": lambda run: run.state,
    "backend": lambda run: run.backend or run.config.get("backend.type"),
    **{name: lambda run, key=f"{name}.type": run.config.get(key) for name in SECTIONS},
    "seed": lambda run: run.config.get("seed"),
    "step": lambda run: run.step,
    "steps": lambda run: run.total_steps or None,
    "epoch": lambda run: run.epoch,
    "progress": lambda run: run.progress,
    "score": lambda run: run.score[1] if run.score else None,
    "parameters": lambda run: run.parameters or None,
    "seconds": lambda run: run.seconds,
    "eta": lambda run: run.eta_seconds,
    "tokens_per_second": lambda run: run.tokens_per_second,
    "created": lambda run: run.created,
    "reason": lambda run: run.reason,
}
HOLDING = ("name", "reason")
"""Fields of which a pattern need only be a part."""
STATES = ("created", "running", "finished", "stopped", "failed", "crashed")
COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "=": operator.eq,
}
_TERM = re.compile(
    r"""(?P<minus>-(?=[^\s\d.]))?
        (?: (?P<key>[A-Za-z_][\w./-]*) (?P<sign><=|>=|!=|[<>=:]) )?
        (?P<value>(?:"[^"]*"?|[^\s"])*)""",
    re.VERBOSE,
)


class QueryError(InputError):
    """A query that cannot be read: what was expected, what was got, what to do.

    Attributes:
        position: of the first wrong character, from 0.
    """

    def __init__(self, position: int, text: str) -> None:
        self.position = position
        super().__init__(text)


@dataclass(frozen=True)
class Term:
    """One condition. `sign` is ":", a comparison, or "" for a bare word, which has no `key`."""

    key: str
    sign: str
    value: str
    number: float | None
    negated: bool

    def holds(self, run: RunSnapshot) -> bool:
        """Whether the run meets the condition."""
        return self._holds(run) != self.negated

    def _holds(self, run: RunSnapshot) -> bool:
        if not self.sign:
            return any(self.value in text(FIELDS[key](run)) for key in ("id", "name"))
        found = value_of(run, self.key)
        if found is None and self.value not in ("null", "none"):
            return False
        if self.sign == ":":
            around = "*" if self.key in HOLDING else ""
            patterns = (f"{around}{part}{around}" for part in self.value.split(","))
            return any(fnmatchcase(text(found), pattern) for pattern in patterns)
        compare = COMPARISONS[self.sign]
        if self.number is not None and isinstance(found, (int, float)) and not isinstance(found, bool):
            return compare(float(found), self.number)
        return self.sign in ("=", "!=") and compare(text(found), self.value)


@dataclass(frozen=True)
class Query:
    """A query that was read; the empty one matches every run."""

    text: str
    terms: tuple[Term, ...] = ()

    def matches(self, run: RunSnapshot) -> bool:
        """Whether every term holds for `run`."""
        return all(term.holds(run) for term in self.terms)


def parse(query: str) -> Query:
    """Read a query.

    Raises:
        QueryError: it cannot be read; one line, with the place.
    """
    terms, place = [], 0
    while place < len(query):
        if query[place].isspace():
            place += 1
            continue
        match = _TERM.match(query, place)
        assert match is not None  # every part of the pattern may be empty
        terms.append(_term(query, match))
        place = match.end()
    return Query(query.strip(), tuple(terms))


def value_of(run: RunSnapshot, key: str) -> Any:
    """What a key stands for in a run: a field, a metric's latest value (`best/` and a name: at the best
    checkpoint) or an option; None if the run has no such thing."""
    if key in FIELDS:
        return FIELDS[key](run)
    if key in run.last:
        return run.last[key]
    return run.config.get(key)


def text(value: Any) -> str:
    """A value as it is compared with a pattern: as in config.yaml, in lower case."""
    if isinstance(value, bool):
        return str(value).lower()
    return "null" if value is None else str(value).lower()


def _term(query: str, match: re.Match[str]) -> Term:
    key, sign, raw = match["key"] or "", match["sign"] or "", match["value"]
    start = match.start("value")
    if raw.count('"') % 2:
        raise QueryError(start, f"expected a closing quote, got the end after {raw}; add one")
    value = raw.replace('"', "").lower()
    if sign:
        _check_key(match, key)
    else:
        _check_word(match, raw)
    if sign and not value:
        what = "a number" if sign in ("<", ">", "<=", ">=") else "a value"
        example = f"{key}{sign}{'0.3' if what == 'a number' else 'lstm' if key == 'cell' else 'x'}"
        raise QueryError(start, f"expected {what} after '{sign}', got nothing; write for example {example}")
    number = _number(value)
    if sign in ("<", ">", "<=", ">=") and number is None:
        problem = f"expected a number after '{sign}', got {value!r}; words can be compared with : and = only"
        raise QueryError(start, problem)
    if key == "state" and sign in (":", "=", "!="):
        for part in value.split(","):
            if not any(fnmatchcase(state, part) for state in STATES):
                raise QueryError(start, f"expected a state, got {part!r}{did_you_mean(part, STATES)}")
    return Term(key, sign, value, number, match["minus"] is not None)


def _check_word(match: re.Match[str], raw: str) -> None:
    if raw[0] in "<>=:!":
        problem = f"expected a key before '{raw[0]}', got nothing; write for example val/loss<0.3"
        raise QueryError(match.start("value"), problem)
    if raw in ('""', "-"):
        problem = f"expected a word, got {raw}; write a part of a run's name or take it out"
        raise QueryError(match.start(), problem)


def _check_key(match: re.Match[str], key: str) -> None:
    # A metric or an option that no run has is no mistake: the next run may have it.
    if key not in FIELDS and "/" not in key and "." not in key:
        raise QueryError(match.start("key"), f"expected a field, got {key!r}{did_you_mean(key, FIELDS)}")


def _number(value: str) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None
