"""Lines to tokens and back."""

from __future__ import annotations

import pytest

from rnnlab.data.tokenizing import Tokenizer, join, tokenize


@pytest.mark.parametrize(
    ("tokenizer", "text", "tokens"),
    [
        ("space", "  Don't  stop. ", ("Don't", "stop.")),
        ("words", "Don't stop.", ("Don", "'", "t", "stop", ".")),
        ("characters", "a b", ("a", " ", "b")),
        ("tagged", "VBD walk", ("VBD", "w", "a", "l", "k")),
        ("tagged", "VBD", ("VBD",)),
        ("tagged", "", ()),
        ("words", "Grün", ("Grün",)),
    ],
)
def test_tokenize(tokenizer: Tokenizer, text: str, tokens: tuple[str, ...]) -> None:
    assert tokenize(text, tokenizer) == tokens
    assert tokenize(join(tokens, tokenizer), tokenizer) == tokens


def test_lowercase() -> None:
    assert tokenize("Ein MANN", "space", lowercase=True) == ("ein", "mann")
