"""Write `adapters/collation_weights.bin` from the weights of a live MySQL, 8.0.22 or later.

    python -m deploy.local.collation_table mysql://root@127.0.0.1:3306

Reads only, and gives the same file from every server whose utf8mb4_0900_ai_ci is the same. `adapters.collation`
describes the file, and takes the code points that are not in it by formula.
"""

import argparse
import asyncio
import struct
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final
from unicodedata import decomposition
from urllib.parse import unquote, urlsplit

import asyncmy

from adapters.collation import WEIGHTS_FILE, implicit_weights, jamo, sort_code

Weights = tuple[int, ...]

# Leads of implicit weights: no listed code point has one of these as a weight of its own.
IMPLICIT_LEADS: Final = range(0xFB00, 0xFC00)
PAGE_BITS: Final = 8
# One cell a code point; char() of a surrogate would be an error.
READ_WEIGHTS: Final = """
WITH RECURSIVE numbers (code) AS (SELECT 0 UNION ALL SELECT code + 1 FROM numbers WHERE code < 0x10FFFF)
SELECT code, WEIGHT_STRING(CONVERT(CHAR(code USING utf32) USING utf8mb4) COLLATE utf8mb4_0900_ai_ci)
FROM numbers WHERE code NOT BETWEEN 0xD800 AND 0xDFFF
"""


async def read_weights(connection: asyncmy.Connection) -> dict[int, Weights]:
    """Return what the server gives each of the 1,112,064 code points that are no surrogates, in their order."""
    async with connection.cursor() as cursor:
        await cursor.execute("SET SESSION cte_max_recursion_depth = 1114112")
        await cursor.execute(READ_WEIGHTS)
        return {code: struct.unpack(f">{len(weights) // 2}H", weights) for code, weights in await cursor.fetchall()}


def listed_codes(weights: Mapping[int, Weights]) -> list[int]:
    """Return the code points the file must list, ascending: those whose weights, or whose likes, no formula gives.

    MySQL keeps weights in pages of 256. In a page with a code point of weights of its own it fills the others in by
    formula, and LIKE compares by weight there; elsewhere it compares by code point. So a code point of such a page that
    weighs as much as a listed one is listed too (U+4D56, for U+2FA16).
    """
    own = {code for code in weights if weights[code] not in (implicit_weights(code), _of_jamo(code, weights))}
    pages = {code >> PAGE_BITS for code in own}
    own_weights = {weights[code] for code in own}
    twins = {code for code in weights if code >> PAGE_BITS in pages and weights[code] in own_weights}
    return sorted(own | twins)


def units(weights: Weights) -> Iterator[Weights]:
    """Yield the weights one by one, implicit ones in their pairs: each unit has one representative."""
    rest = iter(weights)
    for weight in rest:
        yield (weight, next(rest)) if weight in IMPLICIT_LEADS else (weight,)


def representatives(weights: Mapping[int, Weights], listed: Iterable[int]) -> dict[Weights, str]:
    """Return the representative of each unit: the first code point that weighs just that, as a small letter.

    One that is not a composition is preferred. Of two implicit weights it is the code point whose formula gives them.
    Case and decomposition of letters this old change no more, and no later letter weighs the same, so the choice does
    not depend on the Unicode version of Python.
    """
    letters = {weights[code]: chr(code) for code in weights if weights[code] == implicit_weights(code)}
    for letter in sorted(map(chr, listed), key=lambda letter: (decomposition(letter) != "", letter)):
        own = weights[ord(letter)]
        if len(own) == 1:
            small = letter.lower()
            letters.setdefault(own, small if len(small) == 1 and weights[ord(small)] == own else letter)
    return letters


def table(weights: Mapping[int, Weights]) -> bytes:
    """Return the content of the file."""
    codes = listed_codes(weights)
    listed = [weights[code] for code in codes]
    letters = representatives(weights, codes)
    likes = {own: chr(code) for code, own in zip(reversed(codes), reversed(listed), strict=True)}
    keys = ["".join(letters[unit] for unit in units(own)) for own in listed]
    sorts = ["".join(map(sort_code, own)) for own in listed]
    searches = [letters[own] if len(own) == 1 else likes[own] for own in listed]
    runs = [number for run in _runs(codes) for number in run]
    texts = ["".join(forms).encode() for forms in (keys, sorts, searches)]
    return b"".join(
        (
            struct.pack(f">{4 + len(runs)}I", len(runs) // 2, *map(len, texts), *runs),
            bytes(map(len, keys)),
            bytes(map(len, sorts)),
            *texts,
        )
    )


def _of_jamo(code: int, weights: Mapping[int, Weights]) -> Weights | None:
    letters = jamo(code)
    return sum((weights[ord(letter)] for letter in letters), ()) if letters else None


def _runs(codes: Iterable[int]) -> list[list[int]]:
    """Return the first code point and the length of each unbroken run."""
    runs: list[list[int]] = []
    for code in codes:
        if runs and sum(runs[-1]) == code:
            runs[-1][1] += 1
        else:
            runs.append([code, 1])
    return runs


async def _table_of(url: str) -> bytes:
    server = urlsplit(url)
    credentials = {"user": unquote(server.username or "root"), "password": unquote(server.password or "")}
    async with asyncmy.connect(
        host=server.hostname or "127.0.0.1", port=server.port or 3306, charset="utf8mb4", **credentials
    ) as connection:
        return table(await read_weights(connection))


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local.collation_table", description=__doc__)
    parser.add_argument("url", help="the server, as mysql://user:password@host:port")
    parser.add_argument("--file", type=Path, default=WEIGHTS_FILE, help="default: the file of the checkout")
    arguments = parser.parse_args()
    content = asyncio.run(_table_of(arguments.url))
    arguments.file.write_bytes(content)
    print(f"{arguments.file}: {len(content)} bytes")


if __name__ == "__main__":
    main()
