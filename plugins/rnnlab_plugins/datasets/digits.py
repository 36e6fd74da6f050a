"""scikit-learn's handwritten digits."""

from __future__ import annotations

import gzip
from typing import cast

import numpy as np

from rnnlab.api import Corpus, Dataset, Example
from rnnlab_plugins.datasets.config import DigitsConfig
from rnnlab_plugins.datasets.installed import installed_file

SHARES = ("test", "test", "val", *["train"] * 7)


class Digits(Dataset):
    """1797 images of 8 x 8 pixels as sequences of rows or of pixels, 0 (blank) to 1."""

    licence = "BSD-3-Clause"
    citation = (
        "Alpaydin and Kaynak (1998), Optical Recognition of Handwritten Digits, UCI Machine Learning "
        "Repository; test part, as in scikit-learn"
    )

    def read(self) -> Corpus:
        """1257 images to train on, 180 to validate, 360 to test, each class in these shares."""
        path = installed_file("sklearn", "datasets", "data", "digits.csv.gz")
        with gzip.open(path, "rt", encoding="ascii") as file:
            table = np.loadtxt(file, delimiter=",", dtype=np.int64)
        pixels, labels = (table[:, :64] / 16).astype(np.float32), table[:, 64]
        shape = (8, 8) if cast(DigitsConfig, self.config).view == "rows" else (64, 1)
        # Dealt out like cards after sorting by class, so that each class is in each split in the same share.
        shuffled = np.random.RandomState(0).permutation(len(labels))
        order = shuffled[np.argsort(labels[shuffled], kind="stable")]
        splits: dict[str, list[Example]] = {"train": [], "val": [], "test": []}
        for place, i in enumerate(order):
            splits[SHARES[place % 10]].append(Example(pixels[i].reshape(shape), str(labels[i])))
        return Corpus("class", splits, notes={"splits": "70 / 10 / 20 % of each class, fixed"})
