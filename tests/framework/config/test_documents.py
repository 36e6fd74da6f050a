"""Each way in which a file can be wrong is one clear line."""

from __future__ import annotations

import os

import pytest

from rnnlab.config.documents import read_file
from rnnlab.errors import InputError


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a: 1\nb: [2\n", "{path}:3: not valid YAML: expected ',' or ']', but got '<stream end>'"),
        (b"a: 1\n\tb: 2\n", "{path}:2: not valid YAML: found character '\\t' that cannot start any token"),
        (b"a: 1\nb: 2\na: 3\n", "{path}:3: not valid YAML: the key 'a' is there twice"),
        (b"cell:\n  bias: true\n  bias: false\n", "{path}:3: not valid YAML: the key 'bias' is there twice"),
        (b"", "{path}: expected a mapping of sections (task:, dataset:, cell:, ...), got nothing"),
        (b"- 1\n", "{path}: expected a mapping of sections (task:, dataset:, cell:, ...), got a list"),
        (b"a: \xff\n", "{path}: expected UTF-8 text, got byte 0xff"),
        (
            b"a: \x07\n",
            "{path}: not valid YAML: unacceptable character #x0007: special characters are not allowed",
        ),
    ],
)
def test_a_wrong_file(content, message, tmp_path):
    path = tmp_path / "x.yaml"
    path.write_bytes(content)
    with pytest.raises(InputError) as raised:
        read_file(path)
    assert str(raised.value) == message.format(path=path)


def test_a_missing_file_and_a_folder(tmp_path):
    with pytest.raises(InputError, match=r"^no file .*gone\.yaml; 'rnnlab run --list' shows the presets$"):
        read_file(tmp_path / "gone.yaml")
    with pytest.raises(InputError, match=r"cannot be read \(Is a directory\)$"):
        read_file(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads any file")
def test_an_unreadable_file(tmp_path):
    path = tmp_path / "x.yaml"
    path.touch(mode=0)
    with pytest.raises(InputError, match=r"cannot be read \(Permission denied\)$"):
        read_file(path)


def test_anchors_and_merges_may_repeat_a_key(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text("base: &base {a: 1, b: 2}\nmine:\n  <<: *base\n  a: 3\n")
    assert read_file(path)["mine"] == {"a": 3, "b": 2}
