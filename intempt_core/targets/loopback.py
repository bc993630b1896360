"""Whether a host is this machine: only then may a key travel without encryption."""

import ipaddress
import socket
from collections.abc import Callable, Iterable
from typing import Any

AddressLookup = Callable[[str, None], Iterable[tuple[Any, ...]]]
"""What finds the addresses of a name, with the arguments and results of ``socket.getaddrinfo``."""


def is_loopback_address(address: str) -> bool:
    """Whether an IP address is one of this machine's own network; a text that is no address is none."""
    try:
        found = ipaddress.ip_address(address.strip("[]"))
    except ValueError:
        return False
    return (getattr(found, "ipv4_mapped", None) or found).is_loopback


def leads_to_this_machine(host: str, look_up: AddressLookup = socket.getaddrinfo) -> bool:
    """Whether a host is a loopback address, or ``localhost`` or a name below it whose addresses all are.

    Such a name is looked up, not believed: where the system does not know it, it is asked for in the network, which
    may give any address. Any other name is not looked up.
    """
    if is_loopback_address(host):
        return True
    name = host.rstrip(".").lower()
    if name != "localhost" and not name.endswith(".localhost"):
        return False
    try:
        addresses = [str(found[4][0]) for found in look_up(name, None)]
    except (OSError, UnicodeError):
        return False
    return bool(addresses) and all(is_loopback_address(address.partition("%")[0]) for address in addresses)
