"""Limit the servers that a web address may lead to: the one that the caller named, and others if allowed.

The caller names a table's address; the addresses in its cells and its server's redirects come from elsewhere. Such an
address could reach servers that only this machine can reach. So the resolver checks each resolved address, and the
connection uses that same address.
"""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from sensorium.config import RemoteConfig, set_both
from sensorium.table._query import without_secrets

CONNECT, SILENCE = 10, 30  # seconds for an HTTP server to take a connection, and to send the next bytes
PORTS = {"http": 80, "https": 443}
MAPPED = ipaddress.ip_network("::ffff:0:0/96")
UNICAST = ipaddress.ip_network("2000::/3")  # all that is given out of the public IPv6 internet
TRANSLATED = ipaddress.ip_network("64:ff9b::/96")  # NAT64: the last 32 bits are an IPv4 address
WITHIN = f"{set_both('table.remote.private', True)} allows it"


class NotAllowed(Exception):
    """Address that leads to a server that is not allowed."""

    def __init__(self, reason: str, cure: str) -> None:
        self.reason, self.cure = reason, cure
        super().__init__(reason)


@dataclass(frozen=True)
class Guard:
    """Check of addresses before requests, of redirects, and of resolved names.

    Args:
        origin: `host:port` that the caller named; it may be on this machine or in a private network.
        redirects: whether to follow redirects to another host.
        private: whether cells and redirects may lead to this machine and to private networks.
        seconds: time limit per file.
    """

    origin: str = ""
    redirects: bool = False
    private: bool = False
    seconds: float = 3600.0
    _was_public: dict[str, bool] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, address: str, remote: RemoteConfig) -> Guard:
        """Return the guard for a table at this address; the guard of a local table has no origin."""
        return cls(origin_of(address), remote.redirects, remote.private, remote.timeout)

    async def session(self, **options: Any) -> Any:
        """Return an aiohttp session that uses this guard, for fsspec."""
        import aiohttp

        trace = aiohttp.TraceConfig()
        trace.on_request_start.append(self._at_start)
        trace.on_request_redirect.append(self._at_redirect)
        connector = aiohttp.TCPConnector(resolver=_resolver(self))
        return aiohttp.ClientSession(
            connector=connector, trace_configs=[trace], timeout=timeouts(self.seconds), **options
        )

    async def _at_start(self, _session: Any, _context: Any, request: Any) -> None:
        self.check(str(request.url))

    async def _at_redirect(self, _session: Any, _context: Any, request: Any) -> None:
        before, headers = request.response.url, request.response.headers
        self.check_redirect(str(before), _joined(before, headers.get("Location") or headers.get("URI") or ""))

    def check_redirect(self, before: str, after: str) -> None:
        """Raise NotAllowed if a redirect leaves its server, drops encryption or leads to a local address."""
        old, new = urlsplit(before), urlsplit(after)
        if new.scheme not in PORTS or (old.scheme, new.scheme) == ("https", "http"):
            reason = f"the server redirects from {old.scheme}:// to {new.scheme}://"
            raise NotAllowed(reason, "give the address that it redirects to, if you trust it")
        upgraded = (old.hostname, origin_of(before), origin_of(after)) == (
            new.hostname, f"{old.hostname}:80", f"{old.hostname}:443",
        )  # fmt: skip
        if origin_of(before) != origin_of(after) and not upgraded and not self.redirects:
            reason = f"the server redirects to another one: {_server(after)}"
            raise NotAllowed(reason, f"{set_both('table.remote.redirects', True)} follows it")
        self.check(after)

    def check(self, address: str) -> None:
        """Raise NotAllowed if the host is an IP address of this machine or of a private network."""
        host = urlsplit(address).hostname or ""
        number = _number(host)
        if number is not None and not (self.private or origin_of(address) == self.origin or is_public(number)):
            raise _private(host, number)

    def check_resolved(self, host: str, port: int, numbers: list[str]) -> None:
        """Raise NotAllowed if a name resolves to an address of this machine or of a private network.

        The host that the caller named may resolve to such an address, unless it resolved to a public one before.
        """
        hidden = [number for number in numbers if not is_public(number)]
        if f"{host}:{port}" == self.origin and not self._was_public.setdefault(self.origin, not hidden):
            return
        if hidden and not self.private:
            raise _private(host, hidden[0])


def _joined(before: Any, target: str) -> str:
    """Return the target of a redirect.

    Raises:
        NotAllowed: the server gave no valid address.
    """
    from yarl import URL

    try:
        found = str(before.join(URL(target)))
        origin_of(found)  # its port is one
        (urlsplit(found).hostname or "").encode("idna")  # its host can be looked up
    except ValueError:
        reason = "the server redirects to something that is not an address"
        raise NotAllowed(reason, "give the address of the file itself; the server's redirect is wrong") from None
    return found


def timeouts(seconds: float) -> Any:
    """Return the timeouts of a request, for aiohttp."""
    import aiohttp

    return aiohttp.ClientTimeout(total=seconds, sock_connect=CONNECT, sock_read=SILENCE)


def origin_of(address: str) -> str:
    """Return `host:port` of a web address; empty for other addresses."""
    parts = urlsplit(address)
    if parts.scheme not in PORTS:
        return ""
    return f"{parts.hostname or ''}:{parts.port or PORTS[parts.scheme]}"


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


def _number(host: str) -> str | None:
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


def _private(host: str, number: str) -> NotAllowed:
    shown = host if host == number else f"{host} ({number})"
    return NotAllowed(f"{shown} is on this machine or in a private network", WITHIN)


def _server(address: str) -> str:
    return without_secrets(urlsplit(address)._replace(path="", query="", fragment="").geturl())


def _resolver(guard: Guard) -> Any:
    from aiohttp import ThreadedResolver
    from aiohttp.abc import AbstractResolver

    class Resolver(AbstractResolver):
        """System resolver whose answers the guard checks."""

        def __init__(self) -> None:
            self._system = ThreadedResolver()

        async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> Any:
            found = await self._system.resolve(host, port, family)
            guard.check_resolved(host, port, [each["host"] for each in found])
            return found

        async def close(self) -> None:
            await self._system.close()

    return Resolver()
