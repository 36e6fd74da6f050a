"""Every block of framework/docs/plugins.md, run in order by somebody who has just installed rnnlab."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[1] / "framework" / "docs" / "plugins.md"
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks() -> Iterator[tuple[str, str, str]]:
    """Language and code of each block, and the last line of what stands before it."""
    text = PAGE.read_text()
    for block in BLOCK.finditer(text):
        yield block[1], block[2], text[: block.start()].rstrip().rpartition("\n")[2]


def shows(said: str, expected: str) -> bool:
    """Whether the lines of `expected` stand in `said`, one after the other; "..." stands for any."""
    parts = [re.escape(part.strip("\n")) for part in re.split(r"^\.\.\.$", expected, flags=re.MULTILINE)]
    return re.search("\n(?:.*\n)*?".join(parts), said) is not None


def test_every_block_is_found():
    assert len(list(blocks())) == PAGE.read_text().count("\n```") / 2


@pytest.mark.slow
def test_every_block(environment, tmp_path):
    variables = {"RNNLAB_RUNS_DIR": str(tmp_path / "runs")}
    said = ""
    for language, code, before in blocks():
        if language == "sh":
            # Without MLflow: shipping goes on after a run, and takes longer than these do.
            code = code.replace("run digits-rows", "run digits-rows tracking.enabled=false")
            said = environment.run(code, tmp_path, **variables)
        elif language == "python":
            (path,) = re.findall(r"`([\w/-]+\.py)`:$", before)
            (tmp_path / path).write_text(code)
        else:
            assert shows(said, code), said
    lab = tmp_path / "runs"
    assert len(list(lab.glob("digits-rows-mycell-*"))) == 2
    ended = [path.read_text() for path in lab.glob("*/status.json")]
    assert len(ended) == 3 and all('"finished"' in text for text in ended)
