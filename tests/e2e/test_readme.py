"""The README, carried out: every command in it, in its order, answers what is printed there."""

import re
import shlex
from argparse import ArgumentParser, _SubParsersAction
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest

from proxy.cli import _parser
from tests.fleet.estate import ROOT, Estate
from tests.fleet.estate import estate as made_estate
from tests.fleet.proxies import ProxyProcess, must, serving
from tests.servers import DynamoDBEndpoint, MySQLEndpoint

README = (ROOT / "README.md").read_text(encoding="utf-8")
VARYING = (
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), "<time>"),
    (re.compile(r"^Date: .*$", re.MULTILINE), "Date: <time>"),
    (re.compile(r"^Server: .*$", re.MULTILINE), "Server: <versions>"),
    (re.compile(r'"age_s":[\d.]+'), '"age_s":<age>'),
)


def shown() -> Iterator[tuple[str, str]]:
    """The commands of the README, each with what it prints."""
    for block in re.findall(r"^```console\n(.*?)^```", README, re.MULTILINE | re.DOTALL):
        for entry in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = entry.partition("\n")
            yield command, output.rstrip("\n")


def leveled(output: str) -> str:
    """The output without what differs each time."""
    for pattern, stand_in in VARYING:
        output = pattern.sub(stand_in, output)
    return output


@pytest.fixture(scope="module")
def estate(mysql_server: MySQLEndpoint, dynamodb_server: DynamoDBEndpoint) -> Iterator[Estate]:
    """An empty shop in phase 1."""
    with made_estate(mysql_server, dynamodb_server, phase=1) as made:
        yield made


@pytest.fixture
async def proxy(estate: Estate, tmp_path: Path) -> AsyncIterator[ProxyProcess]:
    """A proxy of the sample shop."""
    await must(estate, "db", "sample")
    async with serving(estate, tmp_path / "log") as ready:
        yield ready


async def curl(proxy: ProxyProcess, command: str) -> str:
    """What curl prints, and `grep -E` behind it; the README's addresses stand for the proxy's."""
    call, _, pipe = command.partition(" | ")
    parser = ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("-d", dest="body")
    parser.add_argument("-H", dest="headers", action="append", default=[])
    parser.add_argument("-i", dest="is_with_head", action="store_true")
    parser.add_argument("-s", action="store_true")
    given = parser.parse_args(shlex.split(call)[1:])
    url = given.url.replace("127.0.0.1:8080", proxy.rpc).replace("127.0.0.1:8081", proxy.admin)
    headers = dict(header.split(": ", 1) for header in given.headers)
    async with (
        aiohttp.ClientSession() as client,
        client.request("GET" if given.body is None else "POST", url, data=given.body, headers=headers) as response,
    ):
        text = await response.text()
        head = [f"{name.decode()}: {value.decode()}" for name, value in response.raw_headers]
        status = f"HTTP/1.1 {response.status} {response.reason}"
    if given.is_with_head:
        text = "\n".join([status, *head, "", text])
    return grep(shlex.split(pipe), text) if pipe else text


def grep(words: list[str], text: str) -> str:
    """The lines that `grep -E PATTERN` prints."""
    assert words[:2] == ["grep", "-E"]
    return "\n".join(line for line in text.splitlines() if re.search(words[2], line))


async def test_readme_prints_what_its_commands_answer(estate: Estate, proxy: ProxyProcess) -> None:
    """Calls over HTTP and commands, one after another on the sample shop, but for times and versions."""
    commands = list(shown())
    for command, output in commands:
        program, *words = shlex.split(command)
        if program == "curl":
            assert leveled(output) == leveled(await curl(proxy, command)), command
        elif program == "crossfade":
            assert output == (await must(estate, *words)).said.rstrip("\n"), command
        else:
            assert program == "export"
    assert sum(command.startswith("curl ") for command, _ in commands) == 5


def commands_of(parser: ArgumentParser, *before: str) -> Iterator[str]:
    """All commands of the command line."""
    groups = [action for action in parser._actions if isinstance(action, _SubParsersAction)]
    if not groups:
        yield " ".join(before)
    for group in groups:
        for name, child in group.choices.items():
            yield from commands_of(child, *before, name)


def test_readme_names_every_command() -> None:
    """The table of the command line lists the commands that there are, in their order."""
    cells = re.findall(r"^\| (`[a-z].*?) \|", README, re.MULTILINE)
    named = [re.match("[a-z ]*[a-z]", text) for cell in cells for text in re.findall("`(.*?)`", cell)]
    assert list(commands_of(_parser())) == [name[0] for name in named if name]
