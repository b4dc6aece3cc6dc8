"""The control room of one process, built from opened databases."""

from collections.abc import Mapping
from functools import partial
from typing import Final

from adapters.dynamodb.tables import check_tables
from adapters.operations import catalogue
from adapters.ports.store import Reader
from proxy.admin.admins import Admins
from proxy.admin.evidence import Books, Desk
from proxy.admin.evidence import Databases as LookedAt
from proxy.admin.jobs import JobRunner
from proxy.admin.logbook import LogBook
from proxy.admin.moves import Copies, Moves
from proxy.admin.overview import Overview
from proxy.admin.people import People
from proxy.admin.room import Room
from proxy.admin.validations import Validations
from proxy.background import Background
from proxy.calls import Dispatcher
from proxy.flags.snapshot import Snapshot
from proxy.flags.switch import Switch
from proxy.phase import Side
from proxy.settings import Settings
from proxy.wiring.databases import SOURCE_NAME, TARGET_NAME, Databases, listing_within, unserved

DISPLAY_NAMES: Final = {Side.SOURCE: "MySQL", Side.TARGET: "DynamoDB"}


def build_room(
    settings: Settings,
    databases: Databases,
    snapshot: Snapshot,
    dispatcher: Dispatcher,
    *,
    readers: Mapping[Side, Reader],
    jobs: Background,
) -> Room:
    """The room; `jobs` holds the comparisons that it starts."""
    client, refuse = databases.client, unserved(databases)
    copies = Copies(databases.control, databases.mirror, snapshot)
    books = Books(databases.audit, databases.jobs, databases.tallies, databases.journal)
    looked_at = LookedAt(
        names={Side.SOURCE: SOURCE_NAME, Side.TARGET: TARGET_NAME},
        pings={Side.SOURCE: databases.source.ping, Side.TARGET: databases.target.ping},
        check_tables=partial(check_tables, client, databases.contract, client.endpoint.table_prefix),
        prove_listing=listing_within(settings, databases),
        refuse=refuse,
    )
    desk = Desk(books, looked_at)
    return Room(
        copies=copies,
        moves=Moves(copies, Switch(databases.control, databases.mirror, refuse=refuse), desk, DISPLAY_NAMES),
        overview=Overview(copies, desk, books, DISPLAY_NAMES),
        validations=Validations(databases.sweep, databases.jobs, JobRunner(databases.jobs, jobs), databases.audit),
        log=LogBook(databases.audit),
        people=People(dispatcher, catalogue(("user",)), Admins(snapshot, readers), databases.audit),
    )
