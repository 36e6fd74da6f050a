"""States no licence."""

from rnnlab.api import Corpus, Dataset, DatasetSpec, Example, hookimpl

WORDS = [f"{n:b}" for n in range(1, 64)]


class Licence(Dataset):
    citation = "made here"

    def read(self):
        examples = [Example(tuple(word), word[-1]) for word in WORDS]
        return Corpus("class", {"train": examples})


@hookimpl
def rnnlab_datasets():
    yield DatasetSpec("licence", f"{__name__}:Licence", summary="States no licence.", modes=("class",))
