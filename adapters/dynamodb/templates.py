r"""Key templates, compiled: text with places for the fields of a row.

{email}                the field's text; a time as on the wire
{email|key}            its key form, equal where the authority's collation says equal
{order_id:010d}        a number padded with zeros to ten digits
{order_id|mod16}       the remainder of a number
{parent_name?ROOT|key} the word ROOT as it stands where the field is NULL
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from adapters.collation import key_form
from adapters.values import format_time

FieldValue = str | int | datetime | None

_PLACE: Final = re.compile(
    r"\{(?P<field>[a-z_]+)(?:\?(?P<default>\w+))?(?:\|(?P<form>key|mod[1-9]\d*))?(?::0(?P<width>[1-9]\d*)d)?\}"
)


class NullField(ValueError):
    """A template needs a field that is NULL, and has no word for that."""

    def __init__(self, field: str) -> None:
        super().__init__(f"{field} is NULL")
        self.field = field


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a template. `modulus` and `width` are 0 where the template has none."""

    field: str
    default: str | None
    is_key: bool
    modulus: int
    width: int

    def render(self, value: FieldValue) -> str:
        """The value's text. Raises NullField."""
        if value is None:
            if self.default is None:
                raise NullField(self.field)
            return self.default
        if isinstance(value, int):
            number = value % self.modulus if self.modulus else value
            return f"{number:0{self.width}d}" if self.width else str(int(number))
        text = format_time(value) if isinstance(value, datetime) else value
        return key_form(text) if self.is_key else text

    @property
    def pattern(self) -> str:
        """A regular expression for what `render` gives; a group of the field's name where that is the field itself."""
        if self.is_key or self.modulus:
            return r"(?:.*)"
        return rf"(?P<{self.field}>\d{{{self.width},}})" if self.width else rf"(?P<{self.field}>.*)"


@dataclass(frozen=True, slots=True)
class Template:
    """A compiled template; `text` is how the contract writes it."""

    text: str
    parts: tuple[str | Place, ...]
    _expression: re.Pattern[str]

    @classmethod
    def parse(cls, text: str) -> "Template":
        """Compile a template. Raises ValueError for braces that hold no place, and for a field that comes twice."""
        parts: list[str | Place] = []
        end = 0
        for found in _PLACE.finditer(text):
            parts += [text[end : found.start()], _place(found)]
            end = found.end()
        parts.append(text[end:])
        kept = tuple(part for part in parts if part)
        literals = "".join(part for part in kept if isinstance(part, str))
        if "{" in literals or "}" in literals:
            raise ValueError(f"{text!r} has braces that hold no field")
        fields = [part.field for part in kept if isinstance(part, Place)]
        if len(fields) != len(set(fields)):
            raise ValueError(f"{text!r} names a field twice")
        pattern = "".join(re.escape(part) if isinstance(part, str) else part.pattern for part in kept)
        return cls(text, kept, re.compile(pattern, re.DOTALL))

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields it needs, in order."""
        return tuple(part.field for part in self.parts if isinstance(part, Place))

    @property
    def prefix(self) -> str:
        """The text before the first field: what every key of this template begins with."""
        return self.parts[0] if self.parts and isinstance(self.parts[0], str) else ""

    @property
    def modulus(self) -> int:
        """How many different keys its `mod` allows; 1 without one."""
        return next((part.modulus for part in self.parts if isinstance(part, Place) and part.modulus), 1)

    def render(self, fields: Mapping[str, FieldValue]) -> str:
        """The key of a row. Raises NullField, and KeyError for a field that is not given."""
        texts = [part if isinstance(part, str) else part.render(fields[part.field]) for part in self.parts]
        return texts[0] if len(texts) == 1 else "".join(texts)

    def match(self, text: str) -> Mapping[str, str] | None:
        """The fields that can be read off a key, as text; None when the key is none of this template."""
        found = self._expression.fullmatch(text)
        return found and found.groupdict()


def _place(found: re.Match[str]) -> Place:
    form = found["form"] or ""
    return Place(
        field=found["field"],
        default=found["default"],
        is_key=form == "key",
        modulus=int(form.removeprefix("mod")) if form.startswith("mod") else 0,
        width=int(found["width"] or 0),
    )
