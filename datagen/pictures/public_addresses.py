"""Keeps a Python program, and all Python that it starts, from addresses that aren't public: this machine's, those of its network,
of a cloud's metadata service.

A list of urls comes from strangers. Whoever downloads it would ask servers in their name that nobody outside can reach. The
program finds a copy of this file as `sitecustomize.py`, which Python runs before anything else, in processes that it spawns, too.
From then on Python itself refuses the connection, whatever name led to the address, and whatever redirect.

It imports the standard library alone. Programs in other languages, and libraries that open sockets in C, aren't held by it.
"""

import ipaddress
import os
import socket
import sys
from typing import Any

REFUSED = "this address is not public"
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def is_public(host: str) -> bool:
    """Whether an address, as digits, is one of the internet. A name isn't: nobody knows what it will lead to."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return address.is_global and not (address.is_multicast or address.is_reserved)


def refuse_others() -> None:
    """From now on this process connects to public addresses alone: others raise `PermissionError`. It can't be undone."""
    sys.addaudithook(_check)


def _check(event: str, arguments: tuple[Any, ...]) -> None:
    if event not in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        return
    opened, address = arguments[:2]
    if opened.family == socket.AF_UNIX or address is None:  # it is connected, and was looked at then
        return
    host = address[0] if isinstance(address, tuple) else address
    if not (isinstance(host, str) and is_public(host)):
        raise PermissionError(f"{REFUSED}: {host}")


if __name__ == "sitecustomize":
    try:
        refuse_others()
    except BaseException:
        os._exit(97)  # Python would go on without
