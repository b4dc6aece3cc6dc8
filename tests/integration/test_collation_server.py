"""What `adapters.collation` says, against what a server does.

CROSSFADE_PROOF=full compares ten times as many random texts.
"""

import os
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Final
from unicodedata import normalize
from uuid import uuid4

import asyncmy
import pytest_asyncio

from adapters.collation import WEIGHTS_FILE, contains, key_form, like_pattern, search_form, sort_code, sort_form
from deploy.local.collation_table import Weights, read_weights, table, units
from tests.servers import MySQLEndpoint

SEED: Final = 20160621
TEXTS: Final = 10_000 if os.environ.get("CROSSFADE_PROOF") == "full" else 1_000
NEIGHBOURS: Final = 9
ANY_CODES: Final = [*range(0xD800), *range(0xE000, 0x110000)]
ALPHABETS: Final = (
    "aAbBeEsSzZ",
    "09 -.",
    "%_\\\uff05\uff3f\uff3c\ufe68\ufe6a",
    "\0\x01\x1f\x7f\u00ad\u034f\u200b\u2060\ufeff",
    "\u0300\u0301\u0302\u0308\u0327\u20dd\u093c",
    "\u00e9\u00c9\u00e8\u00f1\u00d1\u00f6\u00d6\u00e5\u212b\u01d6",
    "\u00df\u1e9e\u00e6\u00c6\ufb00\ufb03\u01c4\u01c6\u2026\u00bd\u3300\ufdfa",
    "\u0131\u0130i\u017f\u2161\u00aa\u00b2\uff21\uff41",
    "\u0438\u0418\u0439\u03c3\u03c2\u03a3\u03ac\u05d0\u05e9\ufb2a",
    "\u304b\u30ab\u304c\u30ac\uff76\u30fc\u0e40\u0e01\u0f71\u0fb2",
    "\uac00\uac01\ud7a3\u1100\u1161\u11a8\u3131",
    "\u4e00\u2f00\u9fd5\u9fd6\u4d56\U0002fa16\ufa0e\U00020000\U0002ceb0",
    "\U00010400\U00010428\U0001d400\U0001f600\U0001f601\U00017000",
    "\u0378\u0379\ue000\ufffd\ufffe\U0001fae8\U000e0001\U0010ffff",
    "\t\n\r\x85\u00a0\u3000\u2028",
)
# Ways to write a letter that may equal it, may match it, or may do neither.
DISGUISES: Final[tuple[Callable[[str], str], ...]] = (
    str,
    str.swapcase,
    str.upper,
    key_form,
    search_form,
    lambda letter: normalize("NFD", letter),
    lambda letter: normalize("NFKC", letter),
    lambda letter: letter + "\u00ad",
    lambda letter: letter + "\u0301",
    lambda letter: "\u200b" if sort_form(letter) == "" else letter,
    lambda letter: letter[1:],
    lambda letter: f"_{letter}"[:1],
)


@dataclass(frozen=True, slots=True)
class Row:
    """A text, and a term to look for in it and in the texts before it."""

    text: str
    term: str


@pytest_asyncio.fixture
async def cursor(mysql_server: MySQLEndpoint) -> AsyncIterator[asyncmy.cursors.Cursor]:
    """A cursor in a schema of its own."""
    schema = f"crossfade_collation_{uuid4().hex}"
    async with _connect(mysql_server) as connection, connection.cursor() as cursor:
        await cursor.execute(f"CREATE DATABASE {schema} DEFAULT COLLATE utf8mb4_0900_ai_ci")
        try:
            await cursor.execute(f"USE {schema}")
            yield cursor
        finally:
            await cursor.execute(f"DROP DATABASE {schema}")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def weights(mysql_server: MySQLEndpoint) -> dict[int, Weights]:
    """The server's weights of all code points."""
    async with _connect(mysql_server) as connection:
        return await read_weights(connection)


def test_weights_file_is_what_the_generator_writes(weights: dict[int, Weights]) -> None:
    """Generating the file anew changes no byte."""
    assert WEIGHTS_FILE.read_bytes() == table(weights)


def test_sort_form_is_weight_string(weights: dict[int, Weights]) -> None:
    """The sort form of every code point spells the server's weights."""
    assert ANY_CODES == list(weights)
    assert [] == [code for code, own in weights.items() if sort_form(chr(code)) != "".join(map(sort_code, own))]


def test_key_form_is_one_for_each_weight_string(weights: dict[int, Weights]) -> None:
    """Over all code points, key forms are equal exactly where weights are, a letter for each unit of them."""
    keys: dict[Weights, str] = {}
    for code, own in weights.items():
        key = key_form(chr(code))
        assert key == keys.setdefault(own, key), hex(code)
    assert len(keys) == len(set(keys.values()))
    for own, key in keys.items():
        assert list(units(own)) == [weights[ord(letter)] for letter in key]


async def test_search_form_is_one_for_each_like(cursor: asyncmy.cursors.Cursor, weights: dict[int, Weights]) -> None:
    """Each code point matches its search form; of those that weigh the same or stand next, only those that share it."""
    count = Counter(weights.values())
    rows = [
        (code, letter, (form := search_form(letter)), like_pattern(letter), like_pattern(form), sort_form(letter))
        for code, letter in ((code, chr(code)) for code, own in weights.items() if count[own] > 1)
    ]
    await cursor.execute(
        "CREATE TABLE letters (code INT PRIMARY KEY, letter VARCHAR(1), form VARCHAR(1) COLLATE utf8mb4_bin,"
        " pattern VARCHAR(2), form_pattern VARCHAR(2), weights VARCHAR(10) COLLATE utf8mb4_bin, KEY (weights))"
    )
    await cursor.executemany("INSERT INTO letters VALUES (%s, %s, %s, %s, %s, %s)", rows)
    pairs = "SELECT a.code, b.code FROM letters a JOIN letters b"
    differs = "(a.letter LIKE b.pattern) <> (a.form = b.form)"
    for question in (
        "SELECT code FROM letters WHERE CONCAT('-', letter, '-') NOT LIKE CONCAT('%', form_pattern, '%')",
        f"{pairs} ON a.weights = b.weights AND b.letter = b.form WHERE {differs}",
        f"{pairs} ON b.code = a.code + 1 WHERE {differs}",
    ):
        await cursor.execute(question)
        assert [] == list(await cursor.fetchall()), question


async def test_forms_compare_and_search_as_the_server_does(cursor: asyncmy.cursors.Cursor) -> None:
    """For random texts full of odd characters, =, < and LIKE answer as the forms do, without exception."""
    rows = _random_rows(random.Random(SEED))
    await _insert(cursor, rows)
    await cursor.execute(
        "SELECT a.id, b.id, a.text = b.term, a.text < b.term, a.text LIKE CONCAT('%%', b.pattern, '%%')"
        " FROM texts a JOIN texts b ON b.id BETWEEN a.id AND a.id + %s",
        (NEIGHBOURS,),
    )
    answers = await cursor.fetchall()
    wrong = [
        (ascii(rows[at].text), ascii(rows[other].term), answer)
        for at, other, *answer in answers
        if answer != _expected(rows[at].text, rows[other].term)
    ]
    assert [] == wrong, f"seed {SEED}"
    _assert_telling([answer[2:] for answer in answers])


async def test_sort_form_orders_as_order_by(cursor: asyncmy.cursors.Cursor) -> None:
    """Sorting by sort form, then id, is ORDER BY text, id: by filesort and by index."""
    rows = _random_rows(random.Random(SEED + 1))
    await _insert(cursor, rows)
    expected = sorted(range(len(rows)), key=lambda at: (sort_form(rows[at].text), at))
    for hint in ("IGNORE INDEX (by_text)", "FORCE INDEX (by_text)"):
        await cursor.execute(f"SELECT id FROM texts {hint} ORDER BY text, id")
        assert expected == [at for (at,) in await cursor.fetchall()], f"seed {SEED}, {hint}"


async def test_key_form_groups_as_group_by(cursor: asyncmy.cursors.Cursor) -> None:
    """Texts of one key form are one group, and a unique index would take one of them."""
    rows = _random_rows(random.Random(SEED + 2))
    await _insert(cursor, rows)
    first: dict[str, int] = {}
    expected = [(at, first.setdefault(key_form(row.text), at)) for at, row in enumerate(rows)]
    await cursor.execute("SELECT id, MIN(id) OVER (PARTITION BY text) FROM texts ORDER BY id")
    assert expected == list(await cursor.fetchall()), f"seed {SEED}"
    await cursor.execute(
        "SELECT a.id, MIN(b.id) FROM texts a JOIN texts b ON a.text = b.text GROUP BY a.id ORDER BY a.id"
    )
    assert expected == list(await cursor.fetchall()), f"seed {SEED}"


def _connect(server: MySQLEndpoint) -> AbstractAsyncContextManager[asyncmy.Connection]:
    return asyncmy.connect(
        host=server.host, port=server.port, user=server.user, password=server.password, charset="utf8mb4"
    )


async def _insert(cursor: asyncmy.cursors.Cursor, rows: Sequence[Row]) -> None:
    await cursor.execute(
        "CREATE TABLE texts (id INT PRIMARY KEY, text VARCHAR(200), term VARCHAR(400), pattern VARCHAR(800),"
        " KEY by_text (text))"
    )
    await cursor.executemany(
        "INSERT INTO texts VALUES (%s, %s, %s, %s)",
        [(at, row.text, row.term, like_pattern(row.term)) for at, row in enumerate(rows)],
    )


def _expected(text: str, term: str) -> list[bool]:
    return [
        key_form(text) == key_form(term),
        sort_form(text) < sort_form(term),
        contains(search_form(text), search_form(term)),
    ]


def _assert_telling(answers: Sequence[Sequence[int]]) -> None:
    """The comparison is worth something: each kind of answer came up often enough."""
    for kind in range(3):
        share = sum(answer[kind] for answer in answers) / len(answers)
        assert 0.03 < share < 0.97, (kind, share)


def _random_rows(choice: random.Random) -> list[Row]:
    rows = []
    for _ in range(TEXTS):
        text = _random_text(choice, choice.choice((0, 1, 1, 2, 3, 5, 12, 40)))
        rows.append(Row(text, _random_term(choice, text)))
    return rows


def _random_text(choice: random.Random, length: int) -> str:
    alphabet = choice.choice(ALPHABETS)  # Half the letters come from one, so that equal texts come up.
    letters = ""
    for _ in range(length):
        if choice.random() < 0.05:
            letters += chr(choice.choice(ANY_CODES))
        else:
            letters += choice.choice(alphabet if choice.random() < 0.5 else choice.choice(ALPHABETS))
    return letters


def _random_term(choice: random.Random, text: str) -> str:
    """A part of the text or all of it, some letters disguised; or one of its own."""
    if choice.random() < 0.2:
        return _random_text(choice, choice.choice((0, 1, 2, 3)))
    start, end = sorted(choice.choices(range(len(text) + 1), k=2)) if choice.random() < 0.7 else (0, len(text))
    rate = choice.choice((0.0, 0.1, 0.5))
    return "".join(choice.choice(DISGUISES)(letter) if choice.random() < rate else letter for letter in text[start:end])
