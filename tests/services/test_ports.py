"""The port of the web server."""

import socket

import pytest

from atlas.services.errors import ServiceError
from atlas.services.ports import check_port
from tests.stack import free_port


def test_a_port_in_use_is_told_with_what_to_do() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(ServiceError, match=f"Port {port} is in use by another program: choose another"):
            check_port("127.0.0.1", port)


def test_a_free_port_is_fine() -> None:
    check_port("127.0.0.1", free_port())
