"""The command line. Exit code 0 only when all is well, 1 when it is not, 2 for a call that was wrong."""

import argparse
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import orjson

from adapters.errors import CrossfadeError, InvalidArgument
from proxy.admin.records import LogKind
from proxy.environment import SettingsError, decimal, read_url, whole
from proxy.settings import Settings, load_settings
from proxy.wiring import commands
from proxy.wiring import control_commands as control
from proxy.wiring.commands import ContractError, Report
from proxy.wiring.demo import demo
from proxy.wiring.serve import run_server

EXIT_OK: Final = 0
EXIT_FAILED: Final = 1
LOG_ENTRIES: Final = 50

Command = Callable[[Settings, argparse.Namespace], Awaitable[Report]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit code."""
    options = _parser().parse_args(arguments)
    try:
        settings = load_settings(os.environ)
        if options.command is None:
            return run_server(settings)
        report = asyncio.run(options.command(settings, options))
    except SettingsError as error:
        return _complain("the settings are wrong", str(error))
    except ContractError as error:
        return _complain("the migration contract is wrong", str(error))
    except InvalidArgument as error:
        return _complain(str(error), "\n".join(f"{fault.path}: {fault.message}" for fault in error.faults))
    except (CrossfadeError, OSError) as error:
        return _complain(str(error), "")
    except KeyboardInterrupt:
        return _complain("interrupted", "")
    sys.stdout.write(_rendered(report, is_json=options.json) + "\n")
    return EXIT_OK if report.is_well else EXIT_FAILED


def _complain(what: str, details: str) -> int:
    sys.stderr.write(f"crossfade: {what}\n" + "".join(f"  {line}\n" for line in details.splitlines()))
    return EXIT_FAILED


def _rendered(report: Report, *, is_json: bool) -> str:
    return orjson.dumps(report.data, default=str).decode() if is_json else "\n".join(report.lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="crossfade",
        description="Carries a live shop from MySQL to DynamoDB. Settings come from CROSSFADE_* variables.",
    )
    commands_of = parser.add_subparsers(required=True, metavar="COMMAND")
    serve = commands_of.add_parser("serve", help="serve the shop's calls", description="Example: crossfade serve")
    serve.set_defaults(command=None, json=False)
    _add_database_commands(commands_of)
    _add_sweeps(commands_of)
    _add_phase(commands_of)
    _add_flags(commands_of)
    _add_control(commands_of)
    openapi = _leaf(commands_of, "openapi", commands.openapi, "print the OpenAPI document", "crossfade openapi")
    openapi.set_defaults(json=True)
    _add_demo(commands_of)
    return parser


def _add_database_commands(parent: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    group = parent.add_parser("db", help="prepare and look at the databases").add_subparsers(required=True)
    prepare = _leaf(
        group, "prepare", commands.db_prepare, "make what the proxy needs in both databases", "crossfade db prepare"
    )
    prepare.add_argument("--shop-tables", action="store_true", help="make the shop's own tables too")
    _leaf(group, "status", commands.db_status, "say what is there and what is missing", "crossfade db status")
    _leaf(group, "sample", commands.db_sample, "put a small sample shop into an empty one", "crossfade db sample")


def _add_sweeps(parent: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    _leaf(parent, "backfill", commands.backfill, "copy all rows to DynamoDB, beside live writes", "crossfade backfill")
    _leaf(parent, "verify", commands.verify, "compare all rows with DynamoDB; 0 only for equal", "crossfade verify")
    _leaf(parent, "repair", commands.repair, "settle all open intents now", "crossfade repair")


def _add_phase(parent: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    group = parent.add_parser("phase", help="show or set the migration phase").add_subparsers(required=True)
    _leaf(group, "show", control.phase_show, "say which phase is in force", "crossfade phase show")
    move = _leaf(group, "set", control.phase_set, "move to a phase", "crossfade phase set 2 --reason 'begin copying'")
    move.add_argument("phase", type=int, choices=range(1, 6))
    _add_change_options(move)
    move.add_argument(
        "--kill", type=int, action="append", default=[], metavar="ID", help="kill this MySQL connection if in the way"
    )


def _add_flags(parent: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    group = parent.add_parser("flags", help="show or set single flags").add_subparsers(required=True)
    _leaf(group, "show", control.flags_show, "show all flags", "crossfade flags show")
    change = _leaf(group, "set", control.flags_set, "set flags, all or none", "crossfade flags set compare_percent=10")
    change.add_argument("changes", nargs="+", metavar="NAME=VALUE")
    change.add_argument("--version", type=int, help="refuse when the flags have another version by now")
    _add_change_options(change)
    reset = _leaf(group, "reset", control.flags_reset, "set all flags to the phase's values", "crossfade flags reset")
    _add_change_options(reset)


def _add_change_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--reason", default="", help="why; it goes on record, and --force needs it")
    parser.add_argument("--force", action="store_true", help="go past a closed gate, and what could not be confirmed")


def _add_demo(parent: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    summary = "move a running proxy up to phase 4 and back under a made-up shop's calls, and show what comes of it"
    show = _leaf(parent, "demo", demo, summary, "crossfade demo --phase-s 20")
    show.add_argument("--url", type=_typed(read_url), help="where the proxy takes calls (default: as in the settings)")
    show.add_argument(
        "--admin-url", type=_typed(read_url), help="where it shows its metrics (default: as in the settings)"
    )
    show.add_argument(
        "--clients", type=_typed(whole(1, 1000)), default=4, metavar="N", help="how many shoppers call at once"
    )
    show.add_argument(
        "--phase-s", type=_typed(decimal(0.1, 86_400)), default=10.0, metavar="S", help="how many seconds a phase lasts"
    )
    show.add_argument("--yes", action="store_true", help="write made-up users, products and orders in production too")


def _typed(read: Callable[[str], object]) -> Callable[[str], object]:
    """What reads a setting, for an option: its message is told."""

    def parse(text: str) -> object:
        try:
            return read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return parse


def _add_control(parent: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    gate = _leaf(parent, "gate", control.gate, "say what a move does and what is in its way", "crossfade gate 3")
    gate.add_argument("phase", type=int, choices=range(1, 6))
    logs = _leaf(parent, "logs", control.logs, "show changes, mismatches and repairs", "crossfade logs --kind audit")
    logs.add_argument("--kind", choices=list(LogKind), help="entries of this kind alone")
    logs.add_argument("--limit", type=int, default=LOG_ENTRIES, help="how many")
    logs.add_argument("--cursor", help="where the page before ended")
    group = parent.add_parser("admin", help="make super admins").add_subparsers(required=True)
    promote = _leaf(
        group,
        "promote",
        control.admin_promote,
        "make a user super admin",
        "crossfade admin promote ana@shop.example",
    )
    promote.add_argument("email")


def _leaf(
    parent: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    command: Command,
    summary: str,
    example: str,
) -> argparse.ArgumentParser:
    parser = parent.add_parser(name, help=summary, description=f"{summary}. Example: {example}")
    parser.add_argument("--json", action="store_true", help="print JSON for machines")
    parser.set_defaults(command=command)
    return parser
