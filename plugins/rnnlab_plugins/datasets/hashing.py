"""Splits and samples by the hash of a key: the same on every machine, whatever else the data hold."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha1

TEST, VAL = 100, 20
"""Of 1000 keys, on average."""


def split_of(key: str, val: int = VAL) -> str:
    """The split of all examples with this key: sha1(key) mod 1000 is under 100 for test, under 100 + `val`
    for val, else train."""
    bucket = int(sha1(key.encode()).hexdigest(), 16) % 1000
    return "test" if bucket < TEST else "val" if bucket < TEST + val else "train"


def sample(keys: Iterable[str], count: int | None) -> set[str]:
    """`count` of `keys` (all for None), the first in a fixed random order that no split depends on."""
    keys = set(keys)
    if count is None or count >= len(keys):
        return keys
    return set(sorted(keys, key=lambda key: sha1(b"sample " + key.encode()).digest())[:count])
