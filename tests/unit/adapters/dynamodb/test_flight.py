"""The connections that requests travel on."""

import socket

from adapters.dynamodb.flight import KEEPALIVE_IDLE_S, keepalive_socket


def test_keepalive_socket_notices_a_vanished_peer() -> None:
    """Probes begin long before the system's two hours."""
    address = socket.getaddrinfo("127.0.0.1", 1, type=socket.SOCK_STREAM)[0]
    with keepalive_socket(address) as made:
        assert made.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert KEEPALIVE_IDLE_S == made.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)
        assert (socket.AF_INET, socket.SOCK_STREAM) == (made.family, made.type)
