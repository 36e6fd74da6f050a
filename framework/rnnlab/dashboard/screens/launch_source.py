"""What a form starts from: the field that chooses it, and the forms in progress, one for each."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from rnnlab.dashboard.catalogue import Catalogue
from rnnlab.dashboard.form import Field, Form, Option
from rnnlab.dashboard.form.base import Base
from rnnlab.errors import InputError

FROM = "from"
"""The key of the field that says what the form starts from; no experiment has it."""
NOTHING = "nothing"


class Drafts:
    """The forms in progress: coming back to a preset, a file or nothing brings back what was changed of it.

    Attributes:
        catalogue: what they are over.
        form: the one being worked on.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        """Begin with the first preset that can be used, so that there is a command to look at; else blank."""
        self.catalogue = catalogue
        self.form = _first(catalogue)
        self._forms = {self.form.base.source: self.form}

    def take_catalogue(self, catalogue: Catalogue) -> None:
        """Have all of them over what is known of the plugins now; what was typed stays."""
        self.catalogue = catalogue
        self._forms = {source: form.with_catalogue(catalogue) for source, form in self._forms.items()}
        self.form = self._forms[self.form.base.source]

    def start_from(self, source: str | None) -> None:
        """Work on the form of a preset, of a file that was opened, or (None) of nothing.

        Raises:
            InputError: the preset cannot be read.
        """
        known = self._forms.get(source)
        if known is None:
            known = Form.from_preset(self.catalogue, source) if source else Form.blank(self.catalogue)
        self._take(known)

    def start_over(self, base: Base | None = None) -> None:
        """Work on a form of `base`, by default what this one started from, with nothing changed."""
        self._take(Form(self.catalogue, base or self.form.base))

    def saved(self, base: Base) -> None:
        """Work on the file that the form was saved as; it was the same, so what was changed of it is gone."""
        self._forms.pop(self.form.base.source, None)
        self.start_over(base)

    def _take(self, form: Form) -> None:
        self.form = self._forms[form.base.source] = form


def _first(catalogue: Catalogue) -> Form:
    for preset in catalogue.ready("preset"):
        with suppress(InputError):  # what is wrong with it is told when it is chosen
            return Form.from_preset(catalogue, preset.name)
    return Form.blank(catalogue)


def source_field(form: Form) -> Field:
    """The field that chooses the preset or file that a form starts from."""
    options = [
        Option(
            entry.name,
            entry.name,
            entry.summary,
            "" if entry.health == "ok" else f"{entry.reason}; {entry.remedy}",
        )
        for entry in form.catalogue.of("preset")
    ]
    options.append(Option(None, NOTHING, "A new experiment, every option at its default"))
    source = form.base.source
    if source is not None and form.catalogue.get("preset", source) is None:
        options.append(Option(source, source_label(form), source))
    return Field(
        key=FROM,
        section="",
        name="",
        kind="choice",
        title="start from",
        help="A preset, an experiment file, or nothing. Coming back to one brings back what was changed.",
        expected="a preset, a file that was opened (ctrl+o), or nothing",
        default=None,
        nullable=True,
        options=tuple(options),
    )


def source_label(form: Form) -> str:
    """What a form starts from, short: the preset, the run, or the file's name."""
    source = form.base.source
    if source is None:
        return NOTHING
    if form.catalogue.get("preset", source):
        return source
    path = Path(source)
    return f"run {path.parent.name}" if path.name == "config.yaml" else path.name
