"""The model under the Launch screen: choices, values, errors, and the command that reproduces them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rnnlab.config.overrides import PLUGIN_SECTIONS
from rnnlab.dashboard.catalogue.catalogue import Catalogue
from rnnlab.dashboard.form.base import CORE, ORDER, Base
from rnnlab.dashboard.form.choices import KIND_OF_SECTION, choice_field
from rnnlab.dashboard.form.command import Change, Command, differences
from rnnlab.dashboard.form.field import Field, Section, adopted, same
from rnnlab.dashboard.form.plan import Plan
from rnnlab.plugins.entry import Entry


class Form:
    """An experiment being put together.

    A field is addressed by its key. Values that no field can take are kept as they were typed, with an
    error, so that nothing typed is lost.

    Attributes:
        catalogue: what there is to choose from.
        base: what it started from, which `changes` and `command` are relative to.
    """

    def __init__(self, catalogue: Catalogue, base: Base) -> None:
        self.catalogue, self.base = catalogue, base
        self._chosen = dict(base.types)
        self._said = {section: dict(base.options[section]) for section in ORDER}
        self._shelf: dict[tuple[str, str | None], dict[str, Any]] = {}
        self._typed: dict[str, str] = {}
        self._told: dict[str, str] = {}
        self._made: dict[tuple[str, str | None], dict[str, Field]] = {}

    @classmethod
    def from_preset(cls, catalogue: Catalogue, name: str) -> Form:
        """A preset's form. Raises InputError if there is none or it cannot be read."""
        return cls(catalogue, Base.preset(name, catalogue))

    @classmethod
    def from_file(cls, catalogue: Catalogue, path: str | Path) -> Form:
        """The form of an experiment file or a run's config.yaml. Raises InputError if it cannot be read."""
        return cls(catalogue, Base.file(Path(path), catalogue))

    @classmethod
    def blank(cls, catalogue: Catalogue) -> Form:
        """A form that starts from no preset: the first plugins that fit together."""
        return cls(catalogue, Base.nothing(catalogue))

    def with_catalogue(self, catalogue: Catalogue) -> Form:
        """The same form over another catalogue; what was typed and chosen stays."""
        form = Form(catalogue, self.base)
        form._chosen, form._said, form._shelf = self._chosen, self._said, self._shelf
        form._typed, form._told = self._typed, self._told
        return form

    @property
    def section_names(self) -> tuple[str, ...]:
        """The sections there are now: `decoder` only where the task has one."""
        return tuple(section for section in ORDER if section != "decoder" or self._has_decoder)

    def section(self, name: str) -> Section:
        """A section with its fields."""
        choice = self.field(name) if name in PLUGIN_SECTIONS else None
        return Section(name, choice, self._chosen.get(name), self.fields(name))

    def fields(self, section: str) -> tuple[Field, ...]:
        """The options of a section as it is chosen now."""
        return tuple(self._fields(section).values())

    def field(self, key: str) -> Field:
        """The field of a key.

        Raises:
            KeyError: the form has none now.
        """
        if key in PLUGIN_SECTIONS:
            return choice_field(key, self.catalogue, self._entry("task"), self._chosen[key])
        section, _, name = key.rpartition(".")
        return self._fields(section)[name]

    def entry(self, section: str) -> Entry | None:
        """The plugin chosen in a section, described; None for `auto` and for what is not installed."""
        return self._entry(section)

    def value(self, key: str) -> Any:
        """The value of a field: what is said, or else its default."""
        if key in PLUGIN_SECTIONS:
            return self._chosen[key]
        section, _, name = key.rpartition(".")
        field = self.field(key)
        return adopted(field, self._said[section].get(name, field.default))

    def text(self, key: str) -> str:
        """The value as it is typed."""
        return self._typed[key] if key in self._typed else self.field(key).text(self.value(key))

    def choose(self, section: str, name: str | None) -> None:
        """Choose the plugin of a section: its options alone are rebuilt, all else stays.

        Coming back to a plugin brings back what was said of it. A decoder may be None: the encoder's cell.
        """
        before = self._chosen[section]
        if name == before:
            return
        self._shelf[section, before] = self._said[section]
        own = dict(self.base.options[section]) if name == self.base.types[section] else {}
        self._chosen[section] = name
        self._said[section] = self._shelf.pop((section, name), own)
        self._forget(section)

    def set(self, key: str, value: Any) -> str:
        """Give a field a value, or the text typed for one.

        Returns:
            What is wrong with it, one line; "" if nothing is as far as the field itself tells.
        """
        field = self.field(key)
        if key in PLUGIN_SECTIONS:
            self.choose(key, None if value in ("", None) else str(value))
            return self.error(key)
        typed = value if isinstance(value, str) else field.text(value)
        value = field.read(value) if isinstance(value, str) else value
        if same(value, field.default) and not field.required and field.name not in self._base_options(field):
            self._said[field.section].pop(field.name, None)
        else:
            self._said[field.section][field.name] = value
        self._told.pop(key, None)
        self._typed.pop(key, None)
        if wrong := field.check(value):
            self._typed[key] = typed
        return wrong

    def reset(self, key: str) -> None:
        """Give a field, or a plugin's choice, what the base says; its default if that says nothing."""
        if key in PLUGIN_SECTIONS:
            self.choose(key, self.base.types[key])
            return
        field = self.field(key)
        before = self._base_options(field)
        self._typed.pop(key, None)
        self._told.pop(key, None)
        self._said[field.section].pop(field.name, None)
        if field.name in before:
            self._said[field.section][field.name] = before[field.name]

    def error(self, key: str) -> str:
        """What is wrong with a field, as far as it is known; "" if nothing is."""
        if key in PLUGIN_SECTIONS:
            return self.field(key).check(self._chosen[key]) or self._told.get(key, "")
        return self._wrong(key) or self._told.get(key, "")

    def errors(self) -> dict[str, str]:
        """Everything wrong: key -> one line. What stands at no field is under its section or under ""."""
        keys = [
            key
            for section in self.section_names
            for key in (
                *([section] if section in PLUGIN_SECTIONS else []),
                *(each.key for each in self.fields(section)),
            )
        ]
        found = self._told | {key: line for key in keys if (line := self.error(key))}
        return {key: line for key, line in found.items() if line}

    def take_problems(self, problems: Iterable[str]) -> None:
        """Put the lines of a full validation, `section.key: what is wrong`, to the fields they are about."""
        self._told = {}
        for line in problems:
            address, _, rest = line.partition(": ")
            key, rest = self._home(address) if rest else "", rest or line
            rest = rest if key == address or key + ".type" == address else line
            self._told[key] = f"{self._told[key]}; {rest}" if key in self._told else rest

    def changes(self) -> list[Change]:
        """How it differs from the base."""
        found = []
        for section in ORDER:
            options = self.base.options[section]
            if section in PLUGIN_SECTIONS:
                chosen = self._effective(section)
                if chosen != self.base.types[section]:
                    found.append(Change(section, self.base.types[section], chosen))
                    options = {}
                if chosen is None:
                    continue
            found += differences(
                section, self._adopt(section, options), self._values(section), self._defaults(section)
            )
        return found

    def non_defaults(self) -> list[Change]:
        """Options that are not at their defaults, whoever said so."""
        return [
            change
            for section in self.section_names
            for change in differences(section, {}, self._values(section), self._defaults(section))
        ]

    def command(self) -> Command | None:
        """The command that gives this experiment; None if it started from nothing: save it first."""
        if self.base.source is None:
            return None
        overrides = [change.override for change in self.changes()]
        return Command(self.base.source, tuple(overrides))

    def experiment(self) -> dict[str, Any]:
        """The raw experiment: what is chosen and what is said, without defaults."""
        raw: dict[str, Any] = {**self._values(""), **self.base.extra}
        for section in ORDER[1:]:
            said = self._values(section)
            chosen = self._effective(section)
            if section in PLUGIN_SECTIONS and chosen is not None:
                raw[section] = {"type": chosen, **said}
            elif section in CORE and said:
                raw[section] = said
        return raw

    def plan(self) -> Plan:
        """What it would run, as it is now."""
        return Plan(self.command(), self.experiment())

    @property
    def _has_decoder(self) -> bool:
        task = self._entry("task")
        return task is not None and task.decoder

    def _effective(self, section: str) -> str | None:
        """What is chosen, None for a decoder that the task does not have."""
        return None if section == "decoder" and not self._has_decoder else self._chosen.get(section)

    def _entry(self, section: str) -> Entry | None:
        name = self._chosen.get(section)
        return self.catalogue.get(KIND_OF_SECTION[section], name) if name else None

    def _fields(self, section: str) -> dict[str, Field]:
        known = (section, self._chosen.get(section))
        if known not in self._made:
            schema = self._schema(section)
            names = schema.get("properties", {})
            self._made[known] = {name: Field.of(section, name, schema) for name in names}
        return self._made[known]

    def _schema(self, section: str) -> Mapping[str, Any]:
        if section in PLUGIN_SECTIONS:
            entry = self._entry(section)
            return (entry.options if entry else None) or {}
        return self.catalogue.sections.get(section, {})

    def _defaults(self, section: str) -> dict[str, Any]:
        return {each.name: each.default for each in self.fields(section) if not each.required}

    def _values(self, section: str) -> dict[str, Any]:
        return self._adopt(section, self._said[section])

    def _adopt(self, section: str, options: Mapping[str, Any]) -> dict[str, Any]:
        known = self._fields(section)
        return {name: adopted(known.get(name), value) for name, value in options.items()}

    def _base_options(self, field: Field) -> Mapping[str, Any]:
        section = field.section
        if section in PLUGIN_SECTIONS and self._chosen[section] != self.base.types[section]:
            return {}
        return self.base.options[section]

    def _wrong(self, key: str) -> str:
        try:
            field = self.field(key)
        except KeyError:
            return ""
        unset = field.required and field.name not in self._said[field.section]
        if unset:
            return f"expected {field.expected}, got nothing"
        return field.check(field.read(self._typed[key])) if key in self._typed else ""

    def _home(self, address: str) -> str:
        """The field, section or "" that a line about `address` is shown at."""
        parts = address.split(".")
        for length in range(len(parts), 0, -1):
            key = ".".join(parts[:length])
            if key in ORDER:
                return key
            try:
                return self.field(key).key
            except KeyError:
                continue
        return ""

    def _forget(self, section: str) -> None:
        gone = [key for key in (*self._typed, *self._told) if key == section or key.startswith(f"{section}.")]
        for key in gone:
            self._typed.pop(key, None)
            self._told.pop(key, None)
