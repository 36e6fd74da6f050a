"""Reading an experiment's YAML, with one clear line for each way a file can be wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from rnnlab.errors import InputError


def read_file(path: Path) -> dict[str, Any]:
    """The mapping that a YAML file holds.

    Raises:
        InputError: it is missing, unreadable, no YAML, no mapping, or names a key twice.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise InputError(f"no file {path}; 'rnnlab run --list' shows the presets") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: expected UTF-8 text, got byte {error.object[error.start]:#x}") from error
    return parse(text, str(path))


def parse(text: str, source: str) -> dict[str, Any]:
    """The mapping that YAML text holds; `source` names it in errors.

    Raises:
        InputError: it is no YAML, no mapping, or names a key twice.
    """
    try:
        document = yaml.load(text, _Loader)
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise InputError(f"{source}{line}: not valid YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        raise InputError(f"{source}: not valid YAML: {str(error).splitlines()[0]}") from error
    if not isinstance(document, dict):
        got = "nothing" if document is None else f"a {type(document).__name__}"
        raise InputError(f"{source}: expected a mapping of sections (task:, dataset:, cell:, ...), got {got}")
    return document


class _Loader(yaml.SafeLoader):
    """yaml.SafeLoader, which takes the last of two equal keys without a word, made to refuse them."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} is there twice", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)
