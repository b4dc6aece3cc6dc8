"""Calls over HTTP: those of the shoppers, and the look at what the proxy itself counts."""

import re
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import aiohttp
import orjson

from adapters.errors import Unavailable
from proxy.demo.expected import Answer
from proxy.demo.workload import Call

CALL_LIMIT_S: Final = 60.0
METRICS_LIMIT_S: Final = 5.0
DUAL_READ: Final = re.compile(
    r'^crossfade_dual_reads_total\{entity="(\w+)",operation="(\w+)",result="(\w+)"\} (\S+)$', re.MULTILINE
)
GAUGE: Final = re.compile(r"^crossfade_(intents_open|control_epoch) (\S+)$", re.MULTILINE)
COMPARED: Final = ("match", "transient", "mismatch")
"""The results of dual reads that compared something."""

Results = Mapping[tuple[str, str], int]
"""How often, by operation and result of a dual read."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a proxy has counted since its start, for all its callers, and its gauges, None while it shows none."""

    dual_reads: Results = field(default_factory=dict)
    intents_open: int | None = None
    epoch: int | None = None

    def since(self, earlier: "Reading") -> "Reading":
        """What came about after an earlier reading."""
        return Reading(Counter(self.dual_reads) - Counter(earlier.dual_reads), self.intents_open, self.epoch)

    def total(self, *results: str, operation: str | None = None) -> int:
        """Dual reads with one of these results, of one operation or of all."""
        return sum(
            count
            for (name, result), count in self.dual_reads.items()
            if result in results and operation in {None, name}
        )


def reading_of(text: str) -> Reading:
    """The part of a page of metrics that the demonstration shows."""
    gauges = {name: int(float(value)) for name, value in GAUGE.findall(text)}
    dual_reads = {
        (f"{entity}.{operation}", result): int(float(value))
        for entity, operation, result, value in DUAL_READ.findall(text)
    }
    return Reading(dual_reads, gauges.get("intents_open"), gauges.get("control_epoch"))


class Caller:
    """A caller of one proxy: `url` is where the shop calls it, `admin_url` where it shows its metrics."""

    def __init__(self, http: aiohttp.ClientSession, url: str, admin_url: str) -> None:
        self._http = http
        self.url = url
        self.admin_url = admin_url

    async def call(self, call: Call) -> Answer:
        """The answer, whatever it is: a connection that breaks is one too."""
        url = f"{self.url}/rpc/{call.operation.replace('.', '/')}"
        started_s = time.perf_counter()
        try:
            async with self._http.post(url, data=orjson.dumps(call.arguments)) as response:
                status, headers, body = response.status, response.headers, await response.read()
            return Answer(
                status,
                _object(body),
                time.perf_counter() - started_s,
                phase=headers.get("X-Crossfade-Phase", ""),
                served_by=headers.get("X-Crossfade-Served-By", ""),
                shadow=headers.get("X-Crossfade-Shadow", ""),
            )
        except (aiohttp.ClientError, TimeoutError) as error:
            return Answer(0, {"detail": str(error) or type(error).__name__}, time.perf_counter() - started_s)

    async def reading(self) -> Reading:
        """What the proxy has counted. Raises Unavailable."""
        url = f"{self.admin_url}/metrics"
        try:
            async with self._http.get(url, timeout=aiohttp.ClientTimeout(total=METRICS_LIMIT_S)) as response:
                response.raise_for_status()
                return reading_of(await response.text())
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unavailable(f"no proxy shows its metrics at {url}: {str(error) or type(error).__name__}") from error


def caller_session(token: str) -> aiohttp.ClientSession:
    """The connections of all shoppers, which show the token when there is one."""
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    timeout = aiohttp.ClientTimeout(total=CALL_LIMIT_S)
    return aiohttp.ClientSession(headers=headers, timeout=timeout, connector=aiohttp.TCPConnector(limit=0))


def _object(body: bytes) -> dict[str, object]:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {"detail": f"no JSON: {body[:100]!r}"}
    return document if isinstance(document, dict) else {"detail": f"no object: {body[:100]!r}"}
