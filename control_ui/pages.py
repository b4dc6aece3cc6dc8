"""The pages: templates filled in. What a template is given is what it may show; anything else in it is an error."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Final

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from control_ui import forms

PATH: Final = "/admin/migration-control"
FOLDER: Final = Path(__file__).parent
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
    ),
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # With no-referrer a browser would call the origin of our own forms `null`.
    "Referrer-Policy": "same-origin",
}
"""What every answer carries."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the page is told once: names of databases, of phases and of what can be compared; and when to end."""

    source: str
    target: str
    phases: Mapping[int, str]
    entities: Sequence[str]
    is_draining: Callable[[], bool]


class Pages:
    """Fills in templates."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self._environment = Environment(
            loader=FileSystemLoader(FOLDER / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(
            moment=moment, spoken=forms.spoken, written=forms.written, percent=percent, grouped=grouped
        )
        self._environment.globals.update(path=PATH, rules=rules, forms=forms)

    def text(self, template: str, given: Mapping[str, object]) -> str:
        """The text of a template."""
        return self._environment.get_template(template).render(given)

    def page(self, template: str, given: Mapping[str, object], *, code: int = HTTPStatus.OK) -> web.Response:
        """The answer with a page."""
        text = self.text(template, given)
        return web.Response(text=text, status=code, content_type="text/html", charset="utf-8", headers=HEADERS)


def moment(at: datetime) -> str:
    """A time, to the second, in UTC; one without a zone is in UTC already."""
    return (at.astimezone(UTC) if at.tzinfo else at).strftime("%Y-%m-%dT%H:%M:%SZ")


def percent(share: float) -> str:
    """A share in percent, with as many places as the gates look at."""
    return f"{share * 100:.3f} %"


def grouped(count: int) -> str:
    """A number in groups of three."""
    return f"{count:,}"
