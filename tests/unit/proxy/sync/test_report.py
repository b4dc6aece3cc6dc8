"""What sweeps report."""

import pytest

from adapters.changes import Ref, RowKind
from adapters.ports.sweep import DifferenceKind, ItemDifference
from proxy.sync.report import DIFFERENCES_KEPT, BackfillReport, Failure, RowCounts, VerifyReport

DIFFERENCE = ItemDifference(Ref(RowKind.USER, 7), "Users a #META", "username", DifferenceKind.DIFFERS, '"a"', '"b"')


def test_backfill_is_complete_without_failures() -> None:
    """One row left as it is is enough to say so."""
    assert BackfillReport().is_complete
    report = BackfillReport(failures=[Failure("order 7", "created_at is NULL")])
    report.kinds["user"].put += 3
    assert not report.is_complete
    assert [
        "user: 0 copied, 3 items put, 0 deleted, 0 tries repeated",
        "left as it is: order 7: created_at is NULL",
    ] == report.lines()


@pytest.mark.parametrize(
    ("counts", "is_equal"),
    [(RowCounts(equal=5), True), (RowCounts(could_not_tell=1), False), (RowCounts(equal=5, different=1), False)],
)
def test_verify_is_equal_when_all_is_told(counts: RowCounts, *, is_equal: bool) -> None:
    """Neither a difference nor a row that nobody could tell of."""
    assert is_equal == VerifyReport(entities={"user": RowCounts(equal=1), "cart": counts}).is_equal


def test_verify_names_differences_up_to_a_bound() -> None:
    """All are counted, and memory does not grow with them."""
    report = VerifyReport()
    for _ in range(DIFFERENCES_KEPT + 2):
        report.note(DIFFERENCE)
    assert DIFFERENCES_KEPT == len(report.differences)
    assert "and 2 differences more" == report.lines()[-1]


def test_differences_read_as_sentences() -> None:
    """Entity, id, item, attribute and both values; a whole item without values."""
    whole = ItemDifference(None, "Users b #META", "", DifferenceKind.EXTRA, None, None)
    assert 'user 7: Users a #META username differs: source="a", target="b"' == str(DIFFERENCE)
    assert ("no row: Users b #META extra", "unknown") == (str(whole), whole.entity)
