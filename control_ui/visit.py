"""One request of an admin: what is at hand for its view or its action."""

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeVar

from aiohttp import web

from control_ui.pages import HEADERS, Pages
from control_ui.ports import Door, Refused, Visitor

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Missing:
    """What could not be learned, and why: shown in its place, so that the rest of the page can be used."""

    why: str


@dataclass(frozen=True, slots=True)
class Visit:
    """A request with its visitor."""

    request: web.Request
    visitor: Visitor
    door: Door
    pages: Pages

    def page(self, template: str, given: Mapping[str, object], *, code: int = HTTPStatus.OK) -> web.Response:
        """A page for this visitor."""
        return self.pages.page(template, {"visitor": self.visitor, **given}, code=code)


async def learned(work: Awaitable[T]) -> T | Missing:
    """What was asked for, or why it could not be learned."""
    try:
        return await work
    except Refused as refusal:
        return Missing(" ".join([refusal.sentence, *refusal.details]))


def seen_at(location: str) -> web.Response:
    """The answer to a form that was carried out: look there."""
    return web.Response(status=HTTPStatus.SEE_OTHER, headers={**HEADERS, "Location": location})
