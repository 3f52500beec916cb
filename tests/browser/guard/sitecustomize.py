"""Python runs this at its start when this folder is on `PYTHONPATH`: from then on, no connection leaves the machine.

An attempt is written to the file that `SSMLAB_GUARD_LOG` names, and raises: no `OSError`, lest a branch for those who
are offline swallow it.
"""

import ipaddress
import os
import socket
import sys
from pathlib import Path
from typing import Any

LOOKUPS = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}  # (host, …)
CONTACTS = {"socket.connect", "socket.sendto", "socket.sendmsg"}  # (socket, address)
HERE = {"", "localhost", socket.gethostname()}


class LeftTheMachine(RuntimeError):  # noqa: N818 - it says what happened
    """A connection, or a look-up of a name, beyond loopback."""


def is_here(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host in HERE
    return address.is_loopback or address.is_unspecified


def guard(event: str, arguments: tuple[Any, ...]) -> None:
    if event in LOOKUPS:
        host = arguments[0]
    elif event in CONTACTS and isinstance(arguments[1], tuple) and arguments[0].family != socket.AF_NETLINK:
        host = arguments[1][0]
    else:
        return
    name = os.fsdecode(host or "")
    if not is_here(name):
        with Path(os.environ["SSMLAB_GUARD_LOG"]).open("a") as log:
            log.write(f"{event} {name}: {' '.join(sys.argv[:3])}\n")
        raise LeftTheMachine(f"{event}: expected a loopback address, got `{name}`")


sys.addaudithook(guard)
