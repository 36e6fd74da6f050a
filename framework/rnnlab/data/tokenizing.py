"""Lines of text to tokens and back: one way for files, for what users type and for what is shown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

Tokenizer = Literal["space", "characters", "words", "tagged"]
"""How a line becomes source tokens: split at spaces; into characters; into runs of letters and digits and
single marks; or a tag, a space, and the characters of the rest."""

WORD = re.compile(r"\w+|[^\w\s]")


def tokenize(text: str, tokenizer: Tokenizer, lowercase: bool = False) -> tuple[str, ...]:
    """The tokens of a line; none when it is blank."""
    text = text.strip()
    if lowercase:
        text = text.lower()
    if tokenizer == "space":
        return tuple(text.split())
    if tokenizer == "words":
        return tuple(WORD.findall(text))
    if tokenizer == "characters":
        return tuple(text)
    tag, *rest = text.split(maxsplit=1) or [""]
    return (tag, *"".join(rest)) if tag else ()


def join(tokens: Sequence[str], tokenizer: Tokenizer) -> str:
    """Tokens as a line for reading; `tokenize` gives them back, save for what "words" dropped."""
    if tokenizer == "characters":
        return "".join(tokens)
    if tokenizer == "tagged":
        return " ".join((*tokens[:1], "".join(tokens[1:]))).rstrip()
    return " ".join(tokens)
