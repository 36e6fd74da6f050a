"""Options of the built-in data sets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from rnnlab.api import DatasetConfig, TokenDatasetConfig


def _absolute(path: str) -> str:
    # A run may be resumed from another folder, so what its config keeps must not depend on the current one.
    return str(Path.cwd() / Path(path).expanduser())


File = Annotated[str, Field(min_length=1), AfterValidator(_absolute)]
"""A file, plain or gzipped (`.gz`); a relative path starts at the current folder."""

Tokenizer = Literal["space", "words", "characters"]


class DigitsConfig(DatasetConfig):
    """scikit-learn's digits."""

    view: Literal["rows", "pixels"] = "rows"
    """`rows`: 8 steps of 8 pixels. `pixels`: 64 steps of 1 pixel, a longer memory."""


class StressConfig(TokenDatasetConfig):
    """Stress of English vowels."""

    words: int | None = Field(30_000, ge=10)
    """Dictionary words to take, in a fixed random order; null for all."""


class G2PConfig(TokenDatasetConfig):
    """English spelling to phonemes."""

    words: int | None = Field(None, ge=10)
    """Dictionary words to take, in a fixed random order; null for all."""
    stress: bool = False
    """Keep the stress digits of vowels (AH0): 69 phonemes instead of 39."""


class InflectionConfig(TokenDatasetConfig):
    """English inflection."""

    tags: tuple[Literal["NNS", "VBD", "VBN", "VBG", "VBZ", "JJR", "JJS", "RBR", "RBS"], ...] = Field(
        ("NNS", "VBD", "VBN", "VBG", "VBZ", "JJR", "JJS", "RBR", "RBS"), min_length=1
    )
    """Forms to learn, as Penn Treebank tags: `[VBD]` alone is the past-tense problem."""


class PinyinConfig(TokenDatasetConfig):
    """Pinyin has no options of its own."""


class FilesConfig(DatasetConfig):
    """Splits in files of the user's. What is not given is taken from `train`, 10 % each, by a fixed seed."""

    train: File
    """Training examples."""
    val: File | None = None
    """Validation examples; null takes 10 % of `train`, the same for every seed."""
    test: File | None = None
    """Test examples; null takes 10 % of `train`, the same for every seed."""

    @property
    def files(self) -> dict[str, str]:
        """Split -> path, of the splits given."""
        given = {"train": self.train, "val": self.val, "test": self.test}
        return {name: path for name, path in given.items() if path is not None}


class PairedFilesConfig(FilesConfig, TokenDatasetConfig):
    """Splits in pairs of files, line by line, or each in one file."""

    train_target: File | None = None
    """File whose lines belong to those of `train`; null if `train` holds sources and targets."""
    val_target: File | None = None
    """The same for `val`."""
    test_target: File | None = None
    """The same for `test`."""

    @property
    def targets(self) -> dict[str, str]:
        """Split -> path of its target file, of those given."""
        given = {"train": self.train_target, "val": self.val_target, "test": self.test_target}
        return {name: path for name, path in given.items() if path is not None}

    @model_validator(mode="after")
    def _all_or_none(self) -> PairedFilesConfig:
        if self.targets and set(self.targets) != set(self.files):
            odd = min(set(self.targets) ^ set(self.files))
            have, lack = (f"{odd}_target", odd) if odd in self.targets else (odd, f"{odd}_target")
            raise ValueError(f"{have} is given without {lack}; give both files of each split, or one each")
        return self


class TextClassesConfig(FilesConfig, TokenDatasetConfig):
    """Labelled texts."""

    format: Literal["auto", "tsv", "csv", "jsonl", "trec"] = "auto"
    """What the files are; auto goes by their extension (.tsv, .csv, .jsonl), TREC's has none of its own."""
    header: bool | None = None
    """Whether the first line of a TSV or CSV names the columns; null for yes."""
    text: str | int | None = None
    """Column of the text, by name or number from 0; null for `text`, or 1 without a header."""
    label: str | int | None = None
    """Column of the label, by name or number from 0; null for `label`, or 0 without a header."""
    trec_labels: Literal["coarse", "fine"] | None = None
    """TREC only: DESC, or DESC:manner; null for coarse."""
    lowercase: bool = False
    """Lower-case the text."""
    tokenizer: Tokenizer = "words"
    """`words`: runs of letters and digits, and single marks. `space`: split at spaces. `characters`."""

    @model_validator(mode="after")
    def _only_what_the_format_has(self) -> TextClassesConfig:
        if self.format == "trec":
            unused = {"header": self.header, "text": self.text, "label": self.label}
        else:
            unused = {"trec_labels": self.trec_labels} | (
                {"header": self.header} if self.format == "jsonl" else {}
            )
        for name, value in unused.items():
            if value is not None:
                raise ValueError(
                    f"{name} means nothing for format {self.format!r}, got {value!r}; leave it out"
                )
        return self

    @model_validator(mode="after")
    def _numbers_without_header(self) -> TextClassesConfig:
        for name, column in (("text", self.text), ("label", self.label)):
            if isinstance(column, str) and self.header is False:
                raise ValueError(
                    f"{name} must be a column number without a header, got {column!r}; use 0, 1, ..."
                )
        return self


class ConlluConfig(FilesConfig, TokenDatasetConfig):
    """CoNLL-U treebanks."""

    label: Literal["upos", "xpos"] = "upos"
    """Universal tags, or the treebank's own."""
    lowercase: bool = False
    """Lower-case the words."""


class TokenLabelsConfig(PairedFilesConfig):
    """Labelled tokens."""

    lowercase: bool = False
    """Lower-case the tokens."""


class ParallelTextConfig(PairedFilesConfig):
    """Pairs of sequences."""

    lowercase: bool = False
    """Lower-case sources and targets."""
    source_tokenizer: Tokenizer = "words"
    """`words`: runs of letters and digits, and single marks. `space`: split at spaces. `characters`."""
    target_tokenizer: Tokenizer = "words"
    """The same for targets."""
    target_min_count: int = Field(1, ge=1)
    """Target tokens seen fewer times than this in the training split become the unknown token."""
    max_len: int | None = Field(None, ge=1)
    """Leave out pairs of the file `train` with more tokens than this on a side; other files stay whole."""


class TimeSeriesConfig(FilesConfig):
    """Series in .ts files."""

    standardise: bool = True
    """Shift and scale each channel to mean 0 and variance 1 over the training split."""
