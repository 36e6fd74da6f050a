"""Its tokens hold spaces, and typed text is split at spaces."""

from rnnlab.api import Corpus, Dataset, DatasetSpec, Example, hookimpl

WORDS = [f"{n:b}" for n in range(1, 64)]


class Typed(Dataset):
    licence = "CC0-1.0"
    citation = "made here"

    def read(self):
        examples = [Example((word, "a b"), word[-1]) for word in WORDS]
        return Corpus("class", {"train": examples})


@hookimpl
def rnnlab_datasets():
    yield DatasetSpec(
        "typed",
        f"{__name__}:Typed",
        summary="Its tokens hold spaces, and typed text is split at spaces.",
        modes=("class",),
    )
