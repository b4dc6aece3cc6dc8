"""The arguments of a call, checked by the values that the ports declare: body in, keyword arguments out; pure.

`null` is taken where the declared type takes None and nowhere else: a filter of `product.get_products` that is null is
not given, `filters` itself may be left out but not be null. An integer is, as in JSON Schema, any number without a
fraction: 59, 59.0 and 5.9e1 are one.
"""

from collections.abc import Callable, Mapping
from decimal import ROUND_FLOOR, Decimal
from enum import Enum
from typing import Final, assert_never

from adapters.collation import key_form
from adapters.errors import Fault, InvalidArgument
from adapters.operations import Argument, Operation, fields_of
from adapters.values import (
    INT_MAX,
    MONEY_MAX,
    NO_RECORD,
    Amount,
    Check,
    Choice,
    Identifier,
    Lookup,
    Text,
    WholeNumber,
)

WHOLE_NUMBER_MAX: Final = 2**63 - 1
"""What a larger number without an upper bound is read as: far past the end of everything, and still 64 bits."""

_CENT: Final = Decimal("0.01")
_HALF_CENT: Final = Decimal("0.005")
_ROUNDING_MAX: Final = Decimal("1e-6")
_ZERO: Final = Decimal("0.00")
_FAULTS_TOLD: Final = 5
_BOUND_MAX: Final = MONEY_MAX + 1

_Reader = Callable[[object], object]


class _Match(Enum):
    """Stands for a text that is longer than its column, so that no record holds it."""

    NONE = "none"


class _Wrong(Exception):
    """A value is refused; the paths of the faults begin at the value, "" is the value itself."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__()
        self.faults = faults


class ArgumentParser:
    """Reads the arguments of one operation; made once."""

    def __init__(self, operation: Operation) -> None:
        self._members = _Members(operation.arguments, owner=operation.full_name)
        self._has_lookup = any(isinstance(argument.check, Lookup) for argument in operation.arguments)

    def parse(self, body: Mapping[str, object]) -> dict[str, object] | None:
        """Every argument of the operation, defaults filled in; None when a text to look up can match no record.

        Raises InvalidArgument with all faults; they name arguments, known and unknown, and hold no value.
        """
        try:
            arguments = self._members.read(body)
        except _Wrong as wrong:
            raise InvalidArgument(_sentence(wrong.faults), faults=wrong.faults) from None
        return None if self._has_lookup and _Match.NONE in arguments.values() else arguments


class _Members:
    """Named values: the arguments of an operation, or the fields of an argument that is itself a record."""

    def __init__(self, arguments: tuple[Argument, ...], *, owner: str) -> None:
        self._owner = owner
        self._readers = {argument.name: _reader(argument) for argument in arguments}
        self._required = tuple(argument.name for argument in arguments if argument.is_required)
        self._defaults = {argument.name: argument.default for argument in arguments if not argument.is_required}

    def read(self, given: Mapping[str, object]) -> dict[str, object]:
        values = self._defaults.copy()
        faults: list[Fault] = []
        for name, value in given.items():
            reader = self._readers.get(name)
            if reader is None:
                faults.append(Fault(name, f"is no argument of {self._owner}"))
                continue
            try:
                values[name] = reader(value)
            except _Wrong as wrong:
                faults.extend(_below(name, fault) for fault in wrong.faults)
        faults.extend(Fault(name, "is required") for name in self._required if name not in given)
        if faults:
            raise _Wrong(faults)
        return values


def _sentence(faults: list[Fault]) -> str:
    told = "; ".join(f"{fault.path} {fault.message}" for fault in faults[:_FAULTS_TOLD])
    return told if len(faults) <= _FAULTS_TOLD else f"{told}; and {len(faults) - _FAULTS_TOLD} more"


def _below(name: str, fault: Fault) -> Fault:
    return Fault(f"{name}.{fault.path}" if fault.path else name, fault.message)


def _wrong(message: str) -> _Wrong:
    return _Wrong([Fault("", message)])


def _reader(argument: Argument) -> _Reader:
    read = _value_reader(argument)
    if argument.is_nullable:
        return lambda value: None if value is None else read(value)
    return read


def _value_reader(argument: Argument) -> _Reader:
    if argument.check is not None:
        return _checked(argument.check)
    return _boolean if argument.base is bool else _record_reader(argument.base)


def _checked(check: Check) -> _Reader:
    match check:
        case Identifier():
            return _identifier
        case WholeNumber():
            return _whole_number_reader(check)
        case Text():
            return _text_reader(check)
        case Lookup():
            return _lookup_reader(check)
        case Choice():
            return _choice_reader(check)
        case Amount():
            return _bound_reader(check) if check.maximum is None else _money_reader(check, check.maximum)
        case _:
            assert_never(check)


def _record_reader(record: type) -> _Reader:
    members = _Members(fields_of(record), owner=record.__name__)

    def read(value: object) -> object:
        if not isinstance(value, dict):
            raise _wrong("must be an object")
        return record(**members.read(value))

    return read


def _boolean(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise _wrong("must be true or false")


def _identifier(value: object) -> int:
    number = _integer(value)
    return number if 1 <= number <= INT_MAX else NO_RECORD


def _whole_number_reader(check: WholeNumber) -> _Reader:
    minimum, maximum = check.minimum, check.maximum

    def read(value: object) -> int:
        number = _integer(value)
        if number < minimum:
            raise _wrong(f"must be at least {minimum}")
        if maximum is None:
            return min(number, WHOLE_NUMBER_MAX)
        if number > maximum:
            raise _wrong(f"must be at most {maximum}")
        return number

    return read


def _text_reader(check: Text) -> _Reader:
    def read(value: object) -> str:
        text = _string(value)
        if len(text) < check.minimum:
            raise _wrong("must not be empty" if check.minimum == 1 else f"must have {check.minimum} characters")
        if len(text) > check.maximum:
            raise _wrong(f"must have at most {check.maximum} characters")
        if check.maximum_bytes is not None and len(text.encode()) > check.maximum_bytes:
            raise _wrong(f"must have at most {check.maximum_bytes} bytes of UTF-8")
        if check.has_key and not key_form(text):
            raise _wrong("must have a character that counts when texts are compared")
        return text

    return read


def _lookup_reader(check: Lookup) -> _Reader:
    def read(value: object) -> object:
        text = _string(value)
        return text if len(text) <= check.maximum else _Match.NONE

    return read


def _choice_reader(check: Choice) -> _Reader:
    def read(value: object) -> str:
        text = _string(value)
        if text not in check.values:
            raise _wrong(f"must be one of {', '.join(check.values)}")
        return text

    return read


def _money_reader(check: Amount, maximum: Decimal) -> _Reader:
    def read(value: object) -> Decimal:
        exact = _number(value)
        if exact < check.minimum:
            raise _wrong(f"must be at least {check.minimum}")
        if exact > maximum:
            raise _wrong(f"must be at most {maximum}")
        money = exact.quantize(_CENT)
        if abs(money - exact) > _ROUNDING_MAX:
            raise _wrong("must have at most two decimal places")
        if check.is_exclusive and money == check.minimum:
            raise _wrong(f"must be above {check.minimum}")
        return money or _ZERO  # A negative zero is a zero.

    return read


def _bound_reader(check: Amount) -> _Reader:
    """The reader of a bound that prices are compared with.

    As prices lie on a grid of cents that ends at MONEY_MAX, a bound between two cents is read as the middle of both
    and one beyond the end as a point just behind it: the same comparisons, with few digits.
    """

    def read(value: object) -> Decimal:
        exact = _number(value)
        if exact < check.minimum:
            raise _wrong(f"must be at least {check.minimum}")
        if exact >= _BOUND_MAX:
            return _BOUND_MAX
        cents = exact.quantize(_CENT, ROUND_FLOOR)
        return (cents if cents == exact else cents + _HALF_CENT) or _ZERO

    return read


def _integer(value: object) -> int:
    if type(value) is int:  # A bool is an instance of int, and no integer of JSON.
        return value
    if type(value) is float and value.is_integer():
        return int(value)
    raise _wrong("must be an integer")


def _string(value: object) -> str:
    if isinstance(value, str):
        return value
    raise _wrong("must be a string")


def _number(value: object) -> Decimal:
    # The shortest digits that mean this double are those that the caller wrote, up to 15 of them.
    if type(value) is float:
        return Decimal(repr(value))
    if type(value) is int:
        return Decimal(value)
    raise _wrong("must be a number")
