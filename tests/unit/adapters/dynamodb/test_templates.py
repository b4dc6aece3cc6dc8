"""Key templates: what they render, what they read back, and what they refuse."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.dynamodb.templates import FieldValue, NullField, Template
from tests.images import CREATED


@pytest.mark.parametrize(
    ("text", "fields", "key"),
    [
        ("#META", {}, "#META"),
        ("CART#{product_id}", {"product_id": 7}, "CART#7"),
        ("{name}", {"name": "Grüner Tee"}, "Grüner Tee"),
        ("{email|key}", {"email": "ANA@Shöp.test"}, "ana@shop.test"),
        (
            "ORDER#{created_at}#{order_id:010d}",
            {"created_at": CREATED, "order_id": 5},
            "ORDER#2026-01-31T09:15:00Z#0000000005",
        ),
        ("{v:016d}", {"v": 2**40}, "0001099511627776"),
        ("status#{status}#{order_id|mod16}", {"status": "pending", "order_id": 37}, "status#pending#5"),
        ("{parent_name?ROOT|key}", {"parent_name": None}, "ROOT"),
        ("{parent_name?ROOT|key}", {"parent_name": "Root"}, "root"),
        ("{order_id|mod16:02d}", {"order_id": 37}, "05"),
    ],
)
def test_render_gives_the_key(text: str, fields: dict[str, FieldValue], key: str) -> None:
    """Every form of a field renders as documented, and literals stand as they are."""
    assert key == Template.parse(text).render(fields)


def test_render_refuses_null() -> None:
    """A NULL has no text, and the error names the field."""
    with pytest.raises(NullField) as caught:
        Template.parse("ORDER#{created_at}#{order_id:010d}").render({"created_at": None, "order_id": 5})
    assert "created_at" == caught.value.field


@pytest.mark.parametrize("text", ["{", "}", "{email|upper}", "{order_id:10d}", "{Email}", "{}", "{a}{b", "{id|mod0}"])
def test_parse_refuses_braces_without_field(text: str) -> None:
    """A misspelt place never ends up as literal text in keys."""
    with pytest.raises(ValueError, match="braces"):
        Template.parse(text)


def test_parse_refuses_a_field_twice() -> None:
    """A field stands once, so that a key can be read back."""
    with pytest.raises(ValueError, match="twice"):
        Template.parse("{id}#{id}")


def test_match_reads_fields_back() -> None:
    """What stands in a key as it is can be read off it."""
    template = Template.parse("ORDER#{created_at}#{order_id:010d}")
    assert {"created_at": "2026-01-31T09:15:00Z", "order_id": "0000000005"} == template.match(
        "ORDER#2026-01-31T09:15:00Z#0000000005"
    )


@pytest.mark.parametrize("key", ["CART#7", "ORDER#2026-01-31T09:15:00Z#5", "order#x#0000000005", ""])
def test_match_refuses_other_keys(key: str) -> None:
    """A key that the template cannot have rendered does not match."""
    assert Template.parse("ORDER#{created_at}#{order_id:010d}").match(key) is None


def test_match_leaves_out_what_cannot_be_read_back() -> None:
    """Key forms and remainders match, and give nothing."""
    assert {} == Template.parse("uname#{username|key}").match("uname#ana\nb")
    assert {"status": "pending"} == Template.parse("status#{status}#{order_id|mod16}").match("status#pending#5")


@given(text=st.text(alphabet=st.characters(codec="utf-8")), number=st.integers(0, 2**31 - 1))
def test_match_finds_any_text_again(text: str, number: int) -> None:
    """Whatever a field holds, separators and line breaks included, comes back."""
    template = Template.parse("a#{name}#{number:010d}")
    assert {"name": text, "number": f"{number:010d}"} == template.match(
        template.render({"name": text, "number": number})
    )


def test_prefix_is_the_text_before_the_first_field() -> None:
    """It is what all keys of a template begin with."""
    assert "ORDER#" == Template.parse("ORDER#{created_at}#{order_id:010d}").prefix
    assert "" == Template.parse("{email|key}").prefix
    assert "#META" == Template.parse("#META").prefix
    assert "" == Template.parse("").prefix


def test_modulus_counts_the_keys_of_a_remainder() -> None:
    """A reader of all of them needs to know how many there are."""
    assert 16 == Template.parse("status#{status}#{order_id|mod16}").modulus
    assert 1 == Template.parse("TREE").modulus
