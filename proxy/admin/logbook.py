"""The log that an admin reads: entries of several sources merged, page by page.

The cursor has for each source the id below which the next page begins: entries that are added meanwhile move nothing,
and none is shown twice or left out.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

from adapters.errors import Fault, InvalidArgument
from adapters.ports.audit import Audit, Entry, Source
from proxy.admin.records import LogEntry, LogKind, LogPage

LIMIT_MAX: Final = 500
FAR_OFF: Final = datetime.max.replace(tzinfo=UTC)
_CURSOR: Final = re.compile(r"[0-9]{1,18}(?:\.[0-9]{1,18}){3}")
_ORDER: Final = tuple(Source)


class LogBook:
    """Reads the log."""

    def __init__(self, audit: Audit) -> None:
        self._audit = audit

    async def page(self, *, kind: LogKind | None, limit: int, cursor: str | None) -> LogPage:
        """The newest entries of one kind or of all, below the cursor's. Raises InvalidArgument, Unavailable."""
        below = _below(cursor)
        if not 1 <= limit <= LIMIT_MAX:
            raise _refused("limit", f"lies between 1 and {LIMIT_MAX}")
        sources = _ORDER if kind is None else (Source(kind.value),)
        found: list[tuple[datetime, Source, Entry]] = []
        for source in sources:
            at = FAR_OFF
            page = await self._audit.page(source, below_id=below.get(source), limit=limit + 1)
            # Of a source that has no place on this page the next one shows nothing newer all the same.
            below.setdefault(source, max((entry.id + 1 for entry in page), default=1))
            for entry in page:
                # Within a source the ids decide, for the cursor goes by them; times may differ from that by a moment.
                at = min(at, entry.at)
                found.append((at, source, entry))
        found.sort(key=lambda each: (each[0], -_ORDER.index(each[1]), each[2].id), reverse=True)
        taken = found[:limit]
        for _, source, entry in taken:
            below[source] = min(entry.id, below[source])
        return LogPage(
            tuple(_shown(source, entry) for _, source, entry in taken),
            total_count=sum([await self._audit.count(source) for source in sources]),
            next_cursor=_cursor(below) if len(found) > limit else None,
        )


def _below(cursor: str | None) -> dict[Source, int]:
    if cursor is None:
        return {}
    if not _CURSOR.fullmatch(cursor):
        raise _refused("cursor", "is none of this log")
    return {source: int(text) for source, text in zip(_ORDER, cursor.split("."), strict=True) if int(text)}


def _cursor(below: Mapping[Source, int]) -> str:
    return ".".join(str(below.get(source, 0)) for source in _ORDER)


def _refused(path: str, message: str) -> InvalidArgument:
    return InvalidArgument("the log cannot be shown so", faults=[Fault(path, message)])


def _shown(source: Source, entry: Entry) -> LogEntry:
    return LogEntry(LogKind(source.value), entry.id, entry.at, _SUMMARIES[source](entry.data), entry.data)


def _audit_summary(data: Mapping[str, object]) -> str:
    before, after = data["before"], data["after"]
    changes = []
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        changes = [
            f"{name} {before.get(name)} -> {value}" for name, value in after.items() if before.get(name) != value
        ]
    elif isinstance(after, Mapping):
        changes = [f"{name} {value}" for name, value in after.items()]
    gate = data["gate"]
    is_forced = isinstance(gate, Mapping) and gate.get("is_forced") and not gate.get("is_open")
    told = f"{data['who']}: {data['kind']}: {', '.join(changes) or 'nothing was different'}"
    told += ", forced past its gate" if is_forced else ""
    return f"{told}; {data['reason']}" if data["reason"] else told


def _mismatch_summary(data: Mapping[str, object]) -> str:
    report = data["report"]
    listed = report.get("differences") if isinstance(report, Mapping) else None
    paths = [str(each.get("path")) for each in listed if isinstance(each, Mapping)] if isinstance(listed, list) else []
    return f"{data['operation']}: {', '.join(paths[:5])} differ"


def _failure_summary(data: Mapping[str, object]) -> str:
    return f"{data['operation']} of {_aggregates(data)}: {data['error'] or 'not applied'}"


def _repair_summary(data: Mapping[str, object]) -> str:
    what = "delivered" if data["state"] == "done" else "set back"
    return f"{data['operation']} of {_aggregates(data)}: {what}"


def _aggregates(data: Mapping[str, object]) -> str:
    named = data["aggregates"]
    return ", ".join(str(each) for each in named[:5]) if isinstance(named, list) else "nothing"


_SUMMARIES: Final[Mapping[Source, Callable[[Mapping[str, object]], str]]] = {
    Source.AUDIT: _audit_summary,
    Source.MISMATCH: _mismatch_summary,
    Source.WRITE_FAILURE: _failure_summary,
    Source.REPAIR: _repair_summary,
}
