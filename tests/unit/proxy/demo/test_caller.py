"""What is read off a page of metrics."""

from proxy.demo.caller import COMPARED, Reading, reading_of

PAGE = """# HELP crossfade_dual_reads_total Dual reads by what their comparison found.
# TYPE crossfade_dual_reads_total counter
crossfade_dual_reads_total{entity="user",operation="find_by_id",result="match"} 12.0
crossfade_dual_reads_total{entity="user",operation="find_by_id",result="skipped"} 3.0
crossfade_dual_reads_total{entity="category",operation="find_by_id",result="match"} 2.0
crossfade_dual_reads_total{entity="category",operation="find_by_id",result="transient"} 1.0
crossfade_intents_open 4.0
crossfade_control_epoch 7.0
crossfade_control_age_seconds 0.5
"""


def test_reading_has_comparisons_and_gauges() -> None:
    """Comparisons by operation and result; what was skipped was not compared."""
    reading = reading_of(PAGE)
    assert 12 == reading.total(*COMPARED, operation="user.find_by_id")
    assert 15 == reading.total(*COMPARED)
    assert 1 == reading.total("transient")
    assert (4, 7) == (reading.intents_open, reading.epoch)


def test_reading_of_an_empty_page_knows_nothing() -> None:
    """A gauge that is not shown is not taken for zero."""
    assert Reading() == reading_of("")


def test_since_leaves_out_what_was_counted_before() -> None:
    """Counters are those after the earlier reading, gauges the newer ones."""
    later = reading_of(PAGE.replace("12.0", "20.0").replace("open 4.0", "open 0.0"))
    between = later.since(reading_of(PAGE))
    assert 8 == between.total(*COMPARED)
    assert 0 == between.intents_open
