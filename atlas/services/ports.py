"""The TCP port of the web server."""

import errno
import socket

from atlas.services.errors import ServiceError


def check_port(host: str, port: int) -> None:
    """Raises ServiceError when nothing can listen on `host`:`port`, saying why."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As the web server does: a connection of a minute ago is no reason to refuse.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                reason = "is in use by another program"
            elif error.errno == errno.EACCES:
                reason = "may be used by root alone"
            else:
                reason = f"cannot be used ({error.strerror})"
            raise ServiceError(
                f"Port {port} {reason}: choose another, for example ATLAS_PORT={_another(port)}."
            ) from error


def _another(port: int) -> int:
    return port + 1 if 1024 <= port < 65535 else 8001
