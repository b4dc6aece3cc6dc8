"""Live refresh: the parts of the page that change, sent again whenever they did, as server-sent events.

The stream ends with the session, with the right, and when the worker drains; and after a minute, for the browser asks
anew with the cookies that it has then: none after a logout. Whoever cannot be checked is shown nothing meanwhile.
"""

import asyncio
from http import HTTPStatus
from typing import Final

from aiohttp import web

from control_ui.forms import whole
from control_ui.pages import HEADERS
from control_ui.ports import Refused, Visitor
from control_ui.views import parts
from control_ui.visit import Visit, learned

TICK_S: Final = 2.0
TICKS_MAX: Final = 30
HEARTBEAT_TICKS: Final = 7
RETRY_MS: Final = 3000
PARTS: Final = ("summary", "status", "validation")
JOB_PARTS: Final = ("job", "cancel")
TURNED_AWAY: Final = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


async def stream(visit: Visit) -> web.StreamResponse:
    """The events of one page, until it is left."""
    query = visit.request.query
    job_id = whole(query["job"], "job") if "job" in query else None
    response = web.StreamResponse(headers={**HEADERS, "Content-Type": "text/event-stream; charset=utf-8"})
    await response.prepare(visit.request)
    await response.write(f"retry: {RETRY_MS}\n\n".encode())
    try:
        await _Stream(visit, response, job_id).run()
    except ConnectionResetError:  # The page was left.
        return response
    return response


class _Stream:
    """What was sent so far on one stream."""

    def __init__(self, visit: Visit, response: web.StreamResponse, job_id: int | None) -> None:
        self._visit = visit
        self._response = response
        self._job_id = job_id
        self._sent: dict[str, str] = {}
        self._silent_ticks = 0

    async def run(self) -> None:
        for _ in range(TICKS_MAX):
            if self._visit.pages.rules.is_draining():
                return
            try:
                visitor = await self._visit.door.admit(self._visit.request)
            except Refused as refusal:
                if refusal.status in TURNED_AWAY:
                    await self._send("end", "")
                    return
            else:
                await self._refresh(visitor)
            await self._beat()
            await asyncio.sleep(TICK_S)

    async def _refresh(self, visitor: Visitor) -> None:
        desk, pages = visitor.desk, self._visit.pages
        shown = parts(await learned(desk.status()), pages.rules)
        rendered = {name: pages.text(f"part_{name}.html", shown) for name in PARTS}
        if self._job_id is not None:
            job = {"job": await learned(desk.job(self._job_id)), "visitor": visitor}
            rendered |= {name: pages.text(f"part_{name}.html", job) for name in JOB_PARTS}
        for name, text in rendered.items():
            if self._sent.get(name) != text:
                self._sent[name] = text
                await self._send(name, text)

    async def _beat(self) -> None:
        """Say something now and then, so that no proxy in between takes the stream for dead."""
        self._silent_ticks += 1
        if self._silent_ticks >= HEARTBEAT_TICKS:
            self._silent_ticks = 0
            await self._response.write(b":\n\n")

    async def _send(self, event: str, text: str) -> None:
        self._silent_ticks = 0
        lines = "".join(f"data: {line}\n" for line in text.splitlines() or [""])
        await self._response.write(f"event: {event}\n{lines}\n".encode())
