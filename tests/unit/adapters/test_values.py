"""Times as text."""

from datetime import UTC, datetime

import pytest

from adapters.values import format_time, parse_optional_time, parse_time


@pytest.mark.parametrize("year", [1970, 1999, 2026, 2038])
def test_parse_time_reads_what_format_time_wrote(year: int) -> None:
    """In UTC, to the second."""
    time = datetime(year, 1, 19, 3, 14, 7, tzinfo=UTC)
    assert time == parse_time(format_time(time))
    assert UTC is parse_time(format_time(time)).tzinfo


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-01-31",
        "2026-01-31 09:15:00Z",
        "2026-01-31T09:15:00",
        "2026-01-31T09:15:00+00:00",
        "2026-01-31T091500.0Z",
        "2026-W05-6T09:15:00Z",
        "2026-02-30T09:15:00Z",
        "2026-01-31T24:15:00Z",
    ],
)
def test_parse_time_refuses_any_other_form(text: str) -> None:
    """Also other forms of ISO 8601, and days that there are not."""
    with pytest.raises(ValueError, match=r"."):
        parse_time(text)


def test_parse_optional_time_keeps_none() -> None:
    """NULL is no time."""
    assert parse_optional_time(None) is None
