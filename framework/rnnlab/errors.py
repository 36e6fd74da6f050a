"""The errors a user sees. Each is one clear line: what was expected, what was got, what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class RnnlabError(Exception):
    """Base of every error that rnnlab reports as a line of text; `exit_code` is what a command returns."""

    exit_code = 1


class InputError(RnnlabError):
    """What the user gave is wrong: a config key, a file, a name. Nothing has been started or lost."""

    exit_code = 2


class ConfigError(InputError):
    """An experiment that does not validate. `problems` holds every error found, one line each."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


class RunError(RnnlabError):
    """A run that began and cannot go on, for example because its loss is not a number."""


def in_words(error: BaseException) -> str:
    """An error as a reason: its text alone if it was written for users, with its type if not."""
    return str(error) if isinstance(error, RnnlabError) else f"{type(error).__name__}: {error}"


def did_you_mean(word: str, options: Iterable[str]) -> str:
    """Return "; did you mean 'x'?" for the nearest of `options`, or "; one of ..." listing them all."""
    known = sorted(options)
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; one of: {', '.join(known)}" if known else "; none is installed"
