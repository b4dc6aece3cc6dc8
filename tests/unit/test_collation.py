"""What `adapters.collation` promises without a server; `tests/integration/test_collation_server.py` asks a server."""

import hashlib
import random
import tracemalloc
from itertools import pairwise

import pytest

from adapters import collation
from adapters.collation import (
    KEY_MAX_BYTES,
    contains,
    implicit_weights,
    jamo,
    key_form,
    like_pattern,
    search_form,
    sort_code,
    sort_form,
)

SEED = 9000
LAST_CODE = 0x10FFFF
SURROGATES = range(0xD800, 0xE000)
LIGATURE = "\ufdfa"  # One character of eight weights.
LIGATURE_KEY = "\u0635\u0644\u0649 \u0627\u0644\u0644\u0647"


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        ("", ""),
        ("ana@shop.test", "ANA@shop.test"),
        ("ana lopez nandu", "Ana L\u00f3pez \u00d1and\u00fa"),
        ("strasse", "Stra\u00dfe"),
        ("strasse", "STRA\u1e9eE"),
        ("cafe", "cafe\u0301"),
        ("ffi", "\ufb03"),
        ("\u0438\u0432\u0430\u043d", "\u0418\u0412\u0410\u041d"),
        ("\u03c3\u03b9\u03c3\u03c5\u03c6\u03bf\u03c3", "\u03a3\u03af\u03c3\u03c5\u03c6\u03bf\u03c2"),
        ("\u304b\u305f\u304b\u306a", "\u30ab\u30bf\u30ab\u30ca"),
        ("\u1100\u1161\u11a8", "\uac01"),
        ("\u1100\u1161", "\uac00"),
        ("\u4e00", "\u2f00"),
        ("\U0001f600", "\U0001f600"),
        ("\U0001fae8\u0378\U0010ffff", "\U0001fae8\u0378\U0010ffff"),
        ("a\tb\n", "A\tB\n"),
        ("50%_\\", "50%_\\"),
        (LIGATURE_KEY, LIGATURE),
    ],
)
def test_key_form_is_readable(expected: str, text: str) -> None:
    """A key form spells its text with representatives: small, without accents, expansions written out."""
    assert expected == key_form(text)


@pytest.mark.parametrize("text", ["\0", "\x01\x1f\x7f", "\u00ad", "\u200b\ufeff", "\u0301\u0300", "\u034f"])
def test_key_form_drops_ignorable_characters(text: str) -> None:
    """A text of ignorable characters is equal to the empty text, and adds nothing to another."""
    assert "" == key_form(text)
    assert "ab" == key_form(f"a{text}b")


def test_key_form_pads_nothing() -> None:
    """Blanks at the end count: the collation is NO PAD."""
    assert key_form("ana") != key_form("ana ")


def test_key_form_is_its_own_key_form() -> None:
    """A key form weighs what its text weighs, for every code point."""
    assert [] == [code for code in _codes() if key_form(key := key_form(chr(code))) != key]


def test_key_form_up_to_1000_bytes_is_whole() -> None:
    """A key form of just 1,000 bytes is kept, whatever the length of its characters."""
    assert "a" * 1000 == key_form("A" * 1000)
    assert "\U0001f600" * 250 == key_form("\U0001f600" * 250)


@pytest.mark.parametrize("prefix_bytes", [930, 931, 932, 933])
def test_key_form_over_1000_bytes_is_prefix_and_hash(prefix_bytes: int) -> None:
    """A longer one is 933 bytes less what would split a character, an ellipsis and the hash of the whole."""
    ascii_bytes = prefix_bytes % 4
    whole = "a" * ascii_bytes + "\U0001f600" * 250 + "b"
    expected = whole[: ascii_bytes + (prefix_bytes - ascii_bytes) // 4]
    assert prefix_bytes == len(expected.encode())
    assert f"{expected}\u2026{hashlib.sha256(whole.encode()).hexdigest()}" == key_form(whole)


def test_key_form_over_1000_bytes_keeps_equality() -> None:
    """Long texts have one key form exactly where they are equal, however late they differ."""
    text = LIGATURE * 100
    assert key_form(text + "a") == key_form(LIGATURE_KEY * 100 + "\u00c1\u00ad")
    assert key_form(text + "a") != key_form(text + "b")
    assert len(key_form(text).encode()) <= KEY_MAX_BYTES


def test_key_form_over_1000_bytes_is_no_key_form_of_a_short_text() -> None:
    """Nobody can take the key of a long text by choosing a text that spells it."""
    shortened = key_form("a" * 1001)
    assert shortened != key_form(shortened)
    assert [] == [code for code in _codes() if "\u2026" in key_form(chr(code))]


def test_sort_form_holds_the_weights() -> None:
    """Weights become code points, those from 0xD800 on past the surrogates; Hangul and implicit ones by formula."""
    assert "\u1c47\u1e71\u1e71" == sort_form("A\u00df\u00ad")
    assert "\u3bf5\u3c73" == sort_form("\uac00") == sort_form("\u1100\u1161")
    assert "\U00010340\uce00" == sort_form("\u4e00") == sort_form("\u2f00")
    assert "\U000103c1\U00010000" == sort_form("\uf800")
    assert "\ud7ff" == sort_code(0xD7FF)
    assert "\ue000" == sort_code(0xD800)


def test_sort_form_orders_without_padding() -> None:
    """The empty text comes first, a text before its continuations, and ignorable characters change nothing."""
    texts = [
        "",
        " ",
        "a",
        "a ",
        "a a",
        "aa",
        "\u00e0b",
        "B",
        "ss",
        "\u00dft",
        "\u0416",
        "\u4e00",
        "\u4e01",
        "\U0010ffff",
    ]
    forms = [sort_form(text) for text in texts]
    assert all(before < after for before, after in pairwise(forms))
    assert "" == sort_form("\0\u00ad")


def test_sort_form_orders_as_bytes_too() -> None:
    """Sort forms compare alike as strings and as UTF-8, over all weights."""
    forms = {sort_form(chr(code)) for code in range(0, LAST_CODE, 7) if code not in SURROGATES}
    assert sorted(forms) == sorted(forms, key=str.encode)
    assert not any(ord(character) in SURROGATES for form in forms for character in form)


@pytest.mark.parametrize(
    ("found", "needle", "haystack"),
    [
        (True, "", ""),
        (True, "", "shop"),
        (False, "s", ""),
        (True, "HOP", "a sh\u00f6p"),
        (True, "\u00d6P", "a shop"),
        (False, "ss", "Stra\u00dfe"),
        (True, "\u00df", "STRA\u1e9eE"),
        (False, "e\u0301", "caf\u00e9"),
        (True, "\u00e9", "cafe\u0301"),
        (False, "ab", "a\u00adb"),
        (False, "a\u00adb", "ab"),
        (True, "a\u00adb", "a\0b"),
        (True, "\u0301", "cafe\u200b"),
        (False, "\u1100\u1161", "\uac00"),
        (True, "\uac00", "\uac00\uac01"),
        (False, "\u4e00", "\u2f00"),
        (True, "\u4d56", "\U0002fa16"),
        (True, "\u01c6", "\u01c4"),
        (False, "d\u017e", "\u01c6"),
        (True, "\U00010428", "\U00010400"),
        (False, "\U0001f601", "\U0001f600"),
        (False, "\u0378", "\u0379"),
        (True, "50%_\\", "now 50%_\\ off"),
        (False, "5%0", "5 0"),
        (False, "a_c", "abc"),
        (False, "a ", "a"),
    ],
)
def test_contains_compares_character_by_character(found: bool, needle: str, haystack: str) -> None:  # noqa: FBT001 - a column of the table above.
    """A needle is found where each of its characters matches one of the haystack by weight, wildcards literal."""
    assert found == contains(search_form(haystack), search_form(needle))


def test_search_form_keeps_length() -> None:
    """Each character has a form of one character, so no match can begin inside one."""
    assert [] == [code for code in _codes() if len(search_form(chr(code))) != 1]


def test_like_pattern_escapes_wildcards_and_backslash() -> None:
    """What LIKE reads as more than itself is preceded by a backslash, nothing else is."""
    assert "50\\%\\_\\\\ \uff05'\"" == like_pattern("50%_\\ \uff05'\"")
    assert "" == like_pattern("")


def test_implicit_weights_follow_unicode_9() -> None:
    """Ideographs, Tangut and unassigned code points have leads of their own; later ideographs count as unassigned."""
    assert (0xFB40, 0xCE00) == implicit_weights(0x4E00)
    assert (0xFB41, 0x9FD5) == implicit_weights(0x9FD5)
    assert (0xFBC1, 0x9FD6) == implicit_weights(0x9FD6)
    assert (0xFB80, 0xB400) == implicit_weights(0x3400)
    assert (0xFB85, 0xCEA1) == implicit_weights(0x2CEA1)
    assert (0xFB00, 0x8000) == implicit_weights(0x17000)
    assert (0xFBE1, 0xFFFF) == implicit_weights(LAST_CODE)


def test_jamo_takes_syllables_apart() -> None:
    """A syllable is two or three letters, and nothing else is a syllable."""
    assert ["\u1100\u1161", "\u1112\u1175\u11c2"] == [jamo(0xAC00), jamo(0xD7A3)]
    assert ["", ""] == [jamo(0xABFF), jamo(0xD7A4)]


def test_forms_of_joined_texts_are_joined_forms() -> None:
    """No character changes the form of another, so a part of a text is found in it."""
    choice, codes = random.Random(SEED), _codes()
    for _ in range(500):
        head, middle, tail = ("".join(map(chr, choice.choices(codes, k=5))) for _ in range(3))
        assert key_form(head) + key_form(middle) == key_form(head + middle)
        assert sort_form(head) + sort_form(middle) == sort_form(head + middle)
        assert contains(search_form(head + middle + tail), search_form(middle))


def test_forms_need_little_memory() -> None:
    """Table and remembered characters stay under 10 MB, whatever texts come by."""
    for cached in (collation._listed, collation._key_forms, collation._sort_forms, collation._search_forms):
        cached.cache_clear()
    text = "".join(map(chr, range(0xA0, 0x9FFF)))
    tracemalloc.start()
    try:
        for form in (key_form, sort_form, search_form):
            form(text)
        kept_bytes, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept_bytes < 10_000_000


def _codes() -> list[int]:
    """Every third code point, and all below U+20000, save surrogates."""
    return [*range(0xD800), *range(0xE000, 0x20000), *range(0x20000, LAST_CODE + 1, 3)]
