"""How settings are read: from environment variables, and from a TOML file with the same names.

A setting is a dataclass field annotated `Annotated[type, Variable(name, read)]`; a field of any other annotation is a
group, a dataclass of settings itself. Which settings there are stands in `settings.py`.
"""

import difflib
import ipaddress
import math
import re
import tomllib
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import Field, dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Final, TypeVar

from adapters.operations import PORTS

PREFIX: Final = "CROSSFADE_"
CONFIG: Final = "CROSSFADE_CONFIG"
OTHER_NAMES: Final = re.compile(r"CROSSFADE_(TEST_.*|PROOF)|.*_SERVICE_(HOST|PORT)(_.*)?|.*_PORT_\d+_(TCP|UDP)(_.*)?")
"""Names that belong to the tests, and those that Kubernetes sets for each Service whose name begins like ours."""
SERVICE_ADDRESS: Final = re.compile(r"(tcp|udp)://")
PORT_MAX: Final = 65_535
TRUE: Final = ("true", "1", "yes", "on")
FALSE: Final = ("false", "0", "no", "off")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

S = TypeVar("S")
E = TypeVar("E", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one setting, or with several together."""

    names: tuple[str, ...]
    message: str


class SettingsError(Exception):
    """The settings cannot be used; `faults` holds all of them, one sentence each, without a secret's value."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(f"{', '.join(fault.names)}: {fault.message}" for fault in self.faults))


@dataclass(frozen=True, slots=True)
class Variable:
    """The environment variable of a setting. `read` turns its text into the value.

    `read` raises ValueError with a message that goes on after the variable's name.
    """

    name: str
    read: Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Address:
    """Where a listener listens; port 0 is any free one."""

    host: str
    port: int

    def __str__(self) -> str:
        """`host:port`, an IPv6 address in brackets."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def gather(environ: Mapping[str, str], faults: list[Fault]) -> dict[str, str]:
    """The settings given, by name: those of the file that CROSSFADE_CONFIG names, and over them those of `environ`.

    Empty texts count as not given. What is wrong with the file is added to `faults`.
    """
    path = environ.get(CONFIG, "").strip()
    of_file = _of_file(Path(path), faults) if path else {}
    of_environment = {name: text for name, text in environ.items() if name.startswith(PREFIX) and name != CONFIG}
    return {name: text for name, text in {**of_file, **of_environment}.items() if text.strip()}


def build(kind: type[S], given: Mapping[str, str], faults: list[Fault]) -> S:
    """A group of settings. A faulty one is added to `faults` and keeps its default."""
    hints = typing.get_type_hints(kind, include_extras=True)
    values: dict[str, object] = {}
    for field in _fields(kind):
        variable = _variable(hints[field.name])
        if variable is None:
            values[field.name] = build(hints[field.name], given, faults)
        elif variable.name in given:
            text = given[variable.name]
            try:
                # A secret, which repr leaves out, may begin or end with a blank.
                values[field.name] = variable.read(text.strip() if field.repr else text)
            except ValueError as error:
                faults.append(Fault((variable.name,), str(error)))
    return kind(**values)


def unknown(kind: type, given: Mapping[str, str]) -> Iterator[Fault]:
    """The given names that no setting has, with the one that may have been meant."""
    known = set(names_of(kind))
    for name, text in given.items():
        if name in known or OTHER_NAMES.fullmatch(name) or SERVICE_ADDRESS.match(text):
            continue
        close = difflib.get_close_matches(PREFIX + name.upper().removeprefix(PREFIX), known, n=1)
        yield Fault((name,), f"there is no such setting{f'; did you mean {close[0]}?' if close else ''}")


def names_of(kind: type) -> Iterator[str]:
    """The environment variables of a group and of the groups in it, in order."""
    hints = typing.get_type_hints(kind, include_extras=True)
    for field in _fields(kind):
        variable = _variable(hints[field.name])
        if variable is None:
            yield from names_of(hints[field.name])
        else:
            yield variable.name


def _fields(kind: type) -> tuple[Field[object], ...]:
    return fields(kind)


def _variable(hint: object) -> Variable | None:
    _, *metadata = typing.get_args(hint) or (None,)
    return next((item for item in metadata if isinstance(item, Variable)), None)


def _of_file(path: Path, faults: list[Fault]) -> dict[str, str]:
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        faults.append(Fault((CONFIG,), f"{path} cannot be read: {error}"))
        return {}
    given: dict[str, str] = {}
    for name, value in entries.items():
        text = _text_of(value)
        if text is None:
            faults.append(Fault((name,), f"{path} must give a text, a number, true, false or a list of texts"))
        else:
            given[name] = text
    return given


def _text_of(value: object) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ",".join(value)
    return None


def read_flag(text: str) -> bool:
    """True or false, in the usual words."""
    if text.lower() not in TRUE + FALSE:
        raise ValueError(f"must be true or false, not {text!r}")
    return text.lower() in TRUE


def whole(minimum: int, maximum: int) -> Callable[[str], int]:
    """Reads an integer between two bounds, both included."""

    def read(text: str) -> int:
        if not re.fullmatch(r"-?[0-9]{1,18}", text) or not minimum <= int(text) <= maximum:
            raise ValueError(f"must be a whole number from {minimum} to {maximum}, not {text!r}")
        return int(text)

    return read


def decimal(minimum: float, maximum: float) -> Callable[[str], float]:
    """Reads a number between two bounds, both included."""

    def read(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not minimum <= number <= maximum:
            raise ValueError(f"must be a number from {minimum:g} to {maximum:g}, not {text!r}")
        return number

    return read


def choice(kind: type[E]) -> Callable[[str], E]:
    """Reads one of an enum's values, in any case."""

    def read(text: str) -> E:
        try:
            return kind(text.lower())
        except ValueError:
            raise ValueError(f"must be one of {', '.join(kind)}, not {text!r}") from None

    return read


def read_names(text: str) -> tuple[str, ...]:
    """The names of a list separated by commas, in lower case, each once."""
    return tuple(dict.fromkeys(name.strip().lower() for name in text.split(",") if name.strip()))


def read_networks(text: str) -> tuple[Network, ...]:
    """IP addresses and networks, such as `10.0.0.0/8`, separated by commas."""
    try:
        return tuple(ipaddress.ip_network(name) for name in read_names(text))
    except ValueError as error:
        raise ValueError(f"must list addresses or networks such as 10.0.0.0/8: {error}") from None


def read_entities(text: str) -> tuple[str, ...]:
    """A list of entities, at least one, in the order of the ports."""
    names = read_names(text)
    if not names or not set(names) <= set(PORTS):
        raise ValueError(f"must list some of {', '.join(PORTS)}, not {text!r}")
    return tuple(entity for entity in PORTS if entity in names)


def read_address(text: str) -> Address:
    """`host:port`; an IPv6 address stands in brackets."""
    match = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\[\]:\s]+)):([0-9]{1,5})", text)
    if match is None or int(match[3]) > PORT_MAX:
        raise ValueError(f"must be host:port, such as 127.0.0.1:8080, not {text!r}")
    return Address(match[1] or match[2], int(match[3]))


def read_url(text: str) -> str:
    """An http or https URL of a host, without path or query."""
    if not re.fullmatch(r"https?://(\[[0-9A-Fa-f:.]+\]|[^\s/:?#@\[\]]+)(:[0-9]{1,5})?/?", text):
        raise ValueError(f"must be http://host:port or https://host, not {text!r}")
    return text.rstrip("/")
