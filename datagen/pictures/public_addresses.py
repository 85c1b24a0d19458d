"""Keeps a Python program, and all Python that it starts, from addresses that aren't public: this machine's, its network's, and
those of a cloud's metadata service.

Strangers write lists of urls. A downloader would ask servers in their name that nobody outside can reach. The program finds a
copy of this file as `sitecustomize.py`, which Python runs first, also in processes that it spawns. Then Python itself refuses the
connection, whatever name or redirect led to the address.

Only the standard library is imported. Programs in other languages, and libraries that open sockets in C, aren't held back.
"""

import ipaddress
import os
import socket
import sys
from typing import Any

REFUSED = "this address is not public"
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def is_public(host: str) -> bool:
    """Whether an address, as digits, is one of the internet. False for a name, since its address isn't known."""
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
    """Let this process connect to public addresses alone, for good: others raise `PermissionError`."""
    sys.addaudithook(_check)


def _check(event: str, arguments: tuple[Any, ...]) -> None:
    if event not in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        return
    opened, address = arguments[:2]
    if opened.family == socket.AF_UNIX or address is None:  # its address was checked when it was connected
        return
    host = address[0] if isinstance(address, tuple) else address
    if not (isinstance(host, str) and is_public(host)):
        raise PermissionError(f"{REFUSED}: {host}")


if __name__ == "sitecustomize":
    try:
        refuse_others()
    except BaseException:
        os._exit(97)  # Python would go on without the guard
