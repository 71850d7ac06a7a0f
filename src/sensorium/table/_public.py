"""Tell public IP addresses from those of this machine and of private networks."""

from __future__ import annotations

import ipaddress
import socket

MAPPED = ipaddress.ip_network("::ffff:0:0/96")
UNICAST = ipaddress.ip_network("2000::/3")  # all that is given out of the public IPv6 internet
TRANSLATED = ipaddress.ip_network("64:ff9b::/96")  # NAT64: the last 32 bits are an IPv4 address


def is_public(number: str) -> bool:
    """Return whether an IP address is public, also if an IPv6 one wraps an IPv4 one."""
    found = ipaddress.ip_address(number.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        if found in MAPPED or found in TRANSLATED:
            return is_public(str(ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)))
        if found not in UNICAST:  # such as fec0::/10, which routers of a site hand on
            return False
        if found.sixtofour and not is_public(str(found.sixtofour)):
            return False
    return found.is_global and not (found.is_multicast or found.is_reserved)


def address_number(host: str) -> str | None:
    """Return the IP address that a host spells, also as `127.1`, `2130706433` or `0x7f000001`; None for a name."""
    bare = host.rstrip(".").partition("%")[0]
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        pass
    try:
        return socket.inet_ntoa(socket.inet_aton(bare))
    except (OSError, UnicodeError):
        return None
