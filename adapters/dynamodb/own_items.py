"""The items that show no row of the shop: the listing's log and the mirror of the control state. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, cast

from adapters.dynamodb.keys import Keys
from adapters.dynamodb.typed_json import (
    Attributes,
    AttributeValue,
    number_value,
    read_count,
    read_flag,
    read_text,
    read_time,
    text_value,
)
from adapters.flags import ControlState, Flags, MismatchPolicy, WriteFailurePolicy

LOG_KEPT_S: Final = 7 * 24 * 3600
"""How long a log entry is kept, in seconds."""

OWN_ATTRIBUTES: Final[Mapping[str, Mapping[str, str]]] = {
    "Support.LOG": {"product_ids": "SS", "seller_ids": "SS", "expires_at": "N"},
    "Support.CONTROL": {
        "epoch": "N",
        "dual_write": "BOOL",
        "dual_read": "BOOL",
        "read_from_dynamodb": "BOOL",
        "validation": "BOOL",
        "mismatch_policy": "S",
        "write_failure_policy": "S",
        "compare_percent": "N",
        "changed_by": "S",
        "changed_at": "S",
        "reason": "S",
    },
    "Fence": {"v": "N", "op": "S", "pend": "S", "busy": "S", "orders": "N", "n": "N"},
}
"""The types of the attributes of the proxy's own entities, keys left out."""
OWN_TEMPLATES: Final[Mapping[str, Mapping[str, str]]] = {
    "Support.LOG": {"PK": "*", "SK": "{v:016d}"},
    "Support.CONTROL": {"PK": "*", "SK": "*"},
    "Fence": {"PK": "{kind}#{id}"},
}
"""What their keys must be made of, `*` being any text."""
EXPIRY: Final[Mapping[str, str]] = {"Support": "expires_at"}
"""The attribute by which items of a table expire."""


@dataclass(frozen=True, slots=True)
class ListingChange:
    """What one version of the listing changed: products by id, and sellers whose names or emails changed."""

    product_ids: frozenset[int]
    seller_ids: frozenset[int]


def log_entry(
    keys: Keys, *, version: int, product_ids: Collection[int], seller_ids: Collection[int], now_s: int
) -> Attributes:
    """The log entry of a version of the listing, keys included; `now_s` is the second since 1970."""
    attributes: dict[str, AttributeValue] = {
        **keys.typed(keys.log_entry(version)),
        "expires_at": number_value(now_s + LOG_KEPT_S),
    }
    for name, ids in (("product_ids", product_ids), ("seller_ids", seller_ids)):
        if ids:  # DynamoDB has no empty sets.
            attributes[name] = {"SS": [str(each) for each in sorted(ids)]}
    return attributes


def listing_change_from(attributes: Attributes) -> ListingChange:
    """What a log entry says."""
    return ListingChange(_read_ids(attributes, "product_ids"), _read_ids(attributes, "seller_ids"))


def _read_ids(attributes: Attributes, name: str) -> frozenset[int]:
    return frozenset(int(text) for text in cast("Collection[str]", attributes.get(name, {}).get("SS", ())))


def control_item(keys: Keys, state: ControlState) -> Attributes:
    """The mirror of the control state, keys included."""
    flags = state.flags
    attributes: dict[str, AttributeValue] = {
        **keys.typed(keys.control()),
        "epoch": number_value(state.epoch),
        "dual_write": {"BOOL": flags.dual_write},
        "dual_read": {"BOOL": flags.dual_read},
        "read_from_dynamodb": {"BOOL": flags.read_from_dynamodb},
        "validation": {"BOOL": flags.validation},
        "mismatch_policy": text_value(flags.mismatch_policy),
        "write_failure_policy": text_value(flags.write_failure_policy),
        "compare_percent": number_value(flags.compare_percent),
        "changed_by": text_value(state.changed_by),
        "reason": text_value(state.reason),
    }
    if state.changed_at is not None:
        attributes["changed_at"] = text_value(state.changed_at)
    return attributes


def control_from(attributes: Attributes) -> ControlState:
    """The control state in its mirror."""
    flags = Flags(
        dual_write=read_flag(attributes, "dual_write"),
        dual_read=read_flag(attributes, "dual_read"),
        read_from_dynamodb=read_flag(attributes, "read_from_dynamodb"),
        validation=read_flag(attributes, "validation"),
        mismatch_policy=MismatchPolicy(read_text(attributes, "mismatch_policy")),
        write_failure_policy=WriteFailurePolicy(read_text(attributes, "write_failure_policy")),
        compare_percent=read_count(attributes, "compare_percent"),
    )
    return ControlState(
        flags=flags,
        epoch=read_count(attributes, "epoch"),
        changed_by=read_text(attributes, "changed_by"),
        changed_at=read_time(attributes, "changed_at"),
        reason=read_text(attributes, "reason"),
    )
