"""Has a source of no steps."""

from rnnlab.api import Corpus, Dataset, DatasetSpec, Example, hookimpl

WORDS = [f"{n:b}" for n in range(1, 64)]


class Lengths(Dataset):
    licence = "CC0-1.0"
    citation = "made here"

    def read(self):
        examples = [Example(tuple(word), word[-1]) for word in WORDS]
        return Corpus(
            "class", {"train": [*examples[9:], Example((), "0")], "val": examples[:5], "test": examples[5:9]}
        )


@hookimpl
def rnnlab_datasets():
    yield DatasetSpec("lengths", f"{__name__}:Lengths", summary="Has a source of no steps.", modes=("class",))
