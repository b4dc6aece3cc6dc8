"""Forms: what they offer, and what they say once they are filled in. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from control_ui.ports import Refused

TICKED: Final = "yes"
SWITCHES: Final = {"true": "on", "false": "off"}
PERCENT_MAX: Final = 100
PHASES: Final = (1, 2, 3, 4, 5)
OVERRIDE_PHASES: Final = (2, 3, 4)
LOG_KINDS: Final = {
    "audit": "Changes",
    "mismatch": "Mismatches",
    "write_failure": "Failed writes",
    "repair": "Repairs",
}


@dataclass(frozen=True, slots=True)
class Flag:
    """A flag as a form offers it: its choices by value, or a share in percent where there are none."""

    name: str
    meaning: str
    choices: Mapping[str, str]


FLAGS: Final = (
    Flag("dual_write_enabled", "Writes go to both databases.", SWITCHES),
    Flag("dual_read_enabled", "Reads go to both databases at once.", SWITCHES),
    Flag("read_from_dynamodb", "Which database's answer is the one returned: on for the new one.", SWITCHES),
    Flag("validation_enabled", "The two answers of a dual read are compared.", SWITCHES),
    Flag("mismatch_policy", "What a confirmed mismatch does to the caller.", {"raise": "raise", "report": "report"}),
    Flag(
        "write_failure_policy",
        "What a failure of the database that follows does to a write.",
        {"rollback": "rollback", "journal": "journal"},
    ),
    Flag("compare_percent", "Share of the reads that are dual, in percent.", {}),
)


@dataclass(frozen=True, slots=True)
class Form:
    """A form as it was sent. All methods raise Refused for what its own page could not have sent."""

    fields: Mapping[str, str]
    entities: tuple[str, ...] = ()

    def text(self, name: str) -> str:
        """A field, without space around it; empty when it is missing."""
        return self.fields.get(name, "").strip()

    def secret(self, name: str) -> str:
        """A field exactly as it was typed."""
        return self.fields.get(name, "")

    def is_ticked(self, name: str) -> bool:
        """Whether a box is ticked."""
        return self.text(name) == TICKED

    def number(self, name: str) -> int:
        """A field that must be a whole number."""
        return whole(self.text(name), name)

    def optional_number(self, name: str) -> int | None:
        """A field that is a whole number, or empty."""
        return self.number(name) if self.text(name) else None

    def flags(self) -> dict[str, object]:
        """The flags that are set; a field left empty leaves its flag as it is."""
        return {flag.name: _value(flag, text) for flag in FLAGS if (text := self.text(flag.name))}


def whole(text: str, name: str) -> int:
    """Read a whole number; Refused, naming the field, when it is none."""
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(2**63)):
        raise Refused(HTTPStatus.BAD_REQUEST, f"{name} must be a whole number.")
    return int(text)


def typed(pairs: Iterable[tuple[str, object]]) -> Form:
    """The form of an HTML form's pairs; files are none of ours."""
    texts = [(name, value) for name, value in pairs if isinstance(value, str)]
    return Form(dict(texts), tuple(value for name, value in texts if name == "entity"))


def _value(flag: Flag, text: str) -> object:
    if flag.choices is SWITCHES and text in SWITCHES:
        return text == "true"
    if flag.choices:
        return text
    return whole(text, flag.name)


def written(value: object) -> str:
    """A flag's value as its form writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def spoken(value: object) -> str:
    """A flag's value as people say it."""
    return SWITCHES[written(value)] if isinstance(value, bool) else str(value)
