"""The parts of the RPC listener, and the rules that it goes by."""

from collections.abc import Callable
from dataclasses import dataclass, field

from proxy.calls import CallRecorder, Dispatcher, Overrides
from proxy.inflight import Inflight
from proxy.logs import AccessLog
from proxy.shedding import Limiter


@dataclass(frozen=True, slots=True)
class RpcRules:
    """Who may call, and how much of it.

    `allowed_hosts` are in lower case and without ports; without a `token` none is asked for.
    """

    allowed_hosts: frozenset[str]
    token: str | None = field(repr=False)
    default_timeout_s: float
    body_max_bytes: int


@dataclass(frozen=True, slots=True)
class RpcParts:
    """What the RPC listener works with; `is_draining` once no further call is wanted on a connection.

    Without `overrides` all callers read by the same flags.
    """

    dispatcher: Dispatcher
    recorder: CallRecorder
    access_log: AccessLog
    limiter: Limiter
    rules: RpcRules
    inflight: Inflight
    is_draining: Callable[[], bool]
    overrides: Overrides | None = None
