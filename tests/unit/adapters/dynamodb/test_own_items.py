"""The log and the mirror of the control state, written and read back."""

from dataclasses import replace

from adapters.dynamodb.contract import load_contract
from adapters.dynamodb.keys import Keys
from adapters.dynamodb.own_items import (
    LOG_KEPT_S,
    OWN_ATTRIBUTES,
    ListingChange,
    control_from,
    control_item,
    listing_change_from,
    log_entry,
)
from adapters.flags import ControlState, Flags, MismatchPolicy, WriteFailurePolicy
from tests.images import CREATED

KEYS = Keys(load_contract())
STATE = ControlState(
    Flags(
        dual_write=True,
        validation=True,
        mismatch_policy=MismatchPolicy.REPORT,
        write_failure_policy=WriteFailurePolicy.JOURNAL,
        compare_percent=0,
    ),
    epoch=12,
    changed_by="root@shop",
    changed_at=CREATED,
    reason="",
)


def test_log_entry_is_spelt_out() -> None:
    """Under its version, with an expiry seven days on, and without empty sets."""
    entry = log_entry(KEYS, version=12, product_ids={10, 9}, seller_ids=[], now_s=1_000)
    assert {
        "PK": {"S": "LOG"},
        "SK": {"S": "0000000000000012"},
        "product_ids": {"SS": ["9", "10"]},
        "expires_at": {"N": str(1_000 + 7 * 24 * 3600)},
    } == entry
    assert 604_800 == LOG_KEPT_S


def test_listing_change_from_reads_what_was_written() -> None:
    """Products and sellers come back as ids, an entry of nothing as nothing."""
    entry = log_entry(KEYS, version=1, product_ids=[7], seller_ids=[42, 43], now_s=0)
    assert ListingChange(frozenset({7}), frozenset({42, 43})) == listing_change_from(entry)
    nothing = log_entry(KEYS, version=1, product_ids=[], seller_ids=[], now_s=0)
    assert ListingChange(frozenset(), frozenset()) == listing_change_from(nothing)


def test_control_from_reads_what_was_written() -> None:
    """The mirror keeps every flag, and a state that nobody changed yet."""
    for state in (STATE, replace(STATE, changed_at=None, flags=Flags())):
        assert state == control_from(control_item(KEYS, state))


def test_own_items_have_the_attributes_that_are_promised() -> None:
    """What is compared with the contract is what is written."""
    entry = log_entry(KEYS, version=1, product_ids=[7], seller_ids=[42], now_s=0)
    for name, item in (("Support.LOG", entry), ("Support.CONTROL", control_item(KEYS, STATE))):
        types = {attribute: next(iter(value)) for attribute, value in item.items()}
        assert {"PK": "S", "SK": "S", **OWN_ATTRIBUTES[name]} == types
