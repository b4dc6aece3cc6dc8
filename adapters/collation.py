"""Text as MySQL's `utf8mb4_0900_ai_ci` sees it: equality, order and substring search without a server.

    text -> key_form     equal where `=` says equal; readable, fit for a DynamoDB key
         -> sort_form    ordered as ORDER BY orders
         -> search_form  searched by `contains` as LIKE '%...%' searches

The collation gives each code point a sequence of 16-bit weights, none for an ignorable one, and a text the plain
concatenation: no contraction, no normalisation, no padding. 29,810 code points are listed in `collation_weights.bin`,
written by `python -m deploy.local.collation_table` from a live server. All others follow the Unicode Collation
Algorithm (UTS 10, section 10.1.3, of Unicode 9): a Hangul syllable weighs what its jamo weigh, any other code point has
two implicit weights.

The file is part of the format of stored data: other representatives in it would move existing DynamoDB keys.
Texts hold no lone surrogate, as no utf8mb4 text does. Nothing here checks a length, or trims.
"""

import struct
from array import array
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from io import BytesIO
from itertools import accumulate
from pathlib import Path
from typing import Final, NewType

SearchForm = NewType("SearchForm", str)

WEIGHTS_FILE: Final = Path(__file__).with_name("collation_weights.bin")
KEY_MAX_BYTES: Final = 1000

# What MySQL takes for unified ideographs, and the lead of their weights; those of later Unicode weigh as unassigned.
_IDEOGRAPHS: Final = (
    (range(0x3400, 0x4DB6), 0xFB80),
    (range(0x4E00, 0x9FD6), 0xFB40),
    (range(0xFA0E, 0xFA2A), 0xFB40),
    (range(0x20000, 0x2A6D7), 0xFB80),
    (range(0x2A700, 0x2B735), 0xFB80),
    (range(0x2B740, 0x2B81E), 0xFB80),
    (range(0x2B820, 0x2CEA2), 0xFB80),
)
_UNASSIGNED_LEAD: Final = 0xFBC0
_TANGUT: Final = range(0x17000, 0x18B00)
_SYLLABLES: Final = range(0xAC00, 0xD7A4)
_SURROGATES: Final = range(0xD800, 0xE000)

# An ellipsis weighs three full stops, so it represents no weight and stands in no key form but a shortened one.
_CUT: Final = "\u2026"
_PREFIX_MAX_BYTES: Final = KEY_MAX_BYTES - len(_CUT.encode()) - 2 * sha256().digest_size
_UTF8_MAX_BYTES: Final = 4
_REMEMBERED_MAX: Final = 8192


def key_form(text: str) -> str:
    """Return the text with each weight replaced by its representative, a letter that weighs just that.

    Two texts have one key form exactly where MySQL's `=` holds them equal: `ANA@Shop.test` gives `ana@shop.test`,
    `Straße` gives `strasse`, an ignorable text gives "". The key form equals its text under `=`, and is its own key
    form. Where it would pass 1,000 bytes of UTF-8 it is instead: its first 933 bytes or, to end between two code
    points, up to three less, then `…`, then the SHA-256 of the whole in 64 hexadecimal digits.
    """
    key = text.lower() if _is_plain(text) else text.translate(_key_forms())
    if len(key) * _UTF8_MAX_BYTES <= KEY_MAX_BYTES:
        return key
    encoded = key.encode()
    if len(encoded) <= KEY_MAX_BYTES:
        return key
    return encoded[:_PREFIX_MAX_BYTES].decode(errors="ignore") + _CUT + sha256(encoded).hexdigest()


def sort_form(text: str) -> str:
    """Return the weights as code points, those from 0xD800 on raised by 0x800 past the surrogates.

    Sort forms compare as ORDER BY compares their texts, "" and ignorable texts first and equal. They do so as Python
    strings, which go by code point, and as UTF-8 bytes, whose order is the same. Of any length.
    """
    return text.translate(_sort_forms())


def search_form(text: str) -> SearchForm:
    """Return the text with each character replaced by the representative of those LIKE takes for the same.

    One character for one: LIKE compares character by character, so ß is no ss and é no e with an accent after it.
    Ignorable characters match each other, never nothing. A character not listed in the file matches itself alone: a
    Hangul syllable not its jamo, an ideograph not its radical.
    """
    return SearchForm(text.lower() if _is_plain(text) else text.translate(_search_forms()))


def contains(haystack_form: SearchForm, needle_form: SearchForm) -> bool:
    """Tell whether MySQL finds the needle by LIKE '%needle%', its %, _ and backslash literal; "" is in every text."""
    return needle_form in haystack_form


def like_pattern(term: str) -> str:
    r"""Return the term with \, % and _ escaped by a backslash, to stand as LIKE CONCAT('%', pattern, '%').

    Backslash is LIKE's escape character unless sql_mode has NO_BACKSLASH_ESCAPES.
    """
    return term.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def implicit_weights(code: int) -> tuple[int, int]:
    """Return the weights of a code point that is neither listed nor a Hangul syllable."""
    if code in _TANGUT:
        return 0xFB00, code - _TANGUT.start | 0x8000
    lead = _UNASSIGNED_LEAD
    for ideographs, ideographic_lead in _IDEOGRAPHS:
        if code in ideographs:
            lead = ideographic_lead
    return lead + (code >> 15), code & 0x7FFF | 0x8000


def jamo(code: int) -> str:
    """Return the two or three letters of a Hangul syllable; "" for any other code point."""
    if code not in _SYLLABLES:
        return ""
    block, final = divmod(code - _SYLLABLES.start, 28)
    initial, vowel = divmod(block, 21)
    letters = chr(0x1100 + initial) + chr(0x1161 + vowel)
    return letters + chr(0x11A7 + final) if final else letters


def sort_code(weight: int) -> str:
    """Return the character that stands for a 16-bit weight in sort forms."""
    return chr(weight if weight < _SURROGATES.start else weight + len(_SURROGATES))


def _is_plain(text: str) -> bool:
    # Printable ASCII: each character represents its own weight, save that capitals weigh as small letters.
    return text.isascii() and text.isprintable()


@dataclass(frozen=True, slots=True)
class _Forms:
    """One form of each listed code point, in one string."""

    text: str
    starts: Sequence[int]

    def __getitem__(self, place: int) -> str:
        return self.text[self.starts[place] : self.starts[place + 1]]


@dataclass(frozen=True, slots=True)
class _Listed:
    """What the file says of the listed code points, which are numbered by place, in ascending order.

    The file: four numbers (of runs, and of bytes in each of the three texts), the runs, the lengths of the key forms
    and of the sort forms, the texts. Numbers are big-endian of 32 bits, lengths of 8, texts in UTF-8. A run is its
    first code point and their number. The texts are the key, sort and search forms; a search form is one character.
    """

    run_firsts: Sequence[int]
    run_starts: Sequence[int]
    key_forms: _Forms
    sort_forms: _Forms
    search_forms: str

    def place(self, code: int) -> int | None:
        """Return the place of a code point, None when it is not listed."""
        run = bisect_right(self.run_firsts, code) - 1
        place = self.run_starts[run] + code - self.run_firsts[run]
        return place if place < self.run_starts[run + 1] else None


@cache
def _listed() -> _Listed:
    file = BytesIO(WEIGHTS_FILE.read_bytes())
    runs, key_bytes, sort_bytes, search_bytes = struct.unpack(">4I", file.read(16))
    run_numbers = struct.unpack(f">{2 * runs}I", file.read(8 * runs))
    run_starts = tuple(accumulate(run_numbers[1::2], initial=0))
    key_lengths, sort_lengths = file.read(run_starts[-1]), file.read(run_starts[-1])
    return _Listed(
        run_firsts=run_numbers[::2],
        run_starts=run_starts,
        key_forms=_Forms(file.read(key_bytes).decode(), array("I", accumulate(key_lengths, initial=0))),
        sort_forms=_Forms(file.read(sort_bytes).decode(), array("I", accumulate(sort_lengths, initial=0))),
        search_forms=file.read(search_bytes).decode(),
    )


class _Remembered(dict[int, str]):
    """A table for str.translate that works out a character's form when it is met, and keeps the last few thousand."""

    __slots__ = ("_form",)

    def __init__(self, form: Callable[[int], str]) -> None:
        super().__init__()
        self._form = form

    def __missing__(self, code: int) -> str:
        if len(self) >= _REMEMBERED_MAX:
            self.clear()
        form = self[code] = self._form(code)
        return form


def _by_weight(forms: _Forms, implicit_form: Callable[[int], str]) -> _Remembered:
    place_of = _listed().place

    def form(code: int) -> str:
        place = place_of(code)
        if place is not None:
            return forms[place]
        letters = jamo(code)
        return "".join(map(form, map(ord, letters))) if letters else implicit_form(code)

    return _Remembered(form)


@cache
def _key_forms() -> _Remembered:
    return _by_weight(_listed().key_forms, chr)


@cache
def _sort_forms() -> _Remembered:
    return _by_weight(_listed().sort_forms, lambda code: "".join(map(sort_code, implicit_weights(code))))


@cache
def _search_forms() -> _Remembered:
    listed = _listed()

    def form(code: int) -> str:
        place = listed.place(code)
        return chr(code) if place is None else listed.search_forms[place]

    return _Remembered(form)
