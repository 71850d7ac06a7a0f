"""Limit the servers that a web address may lead to: the one that the caller named, and others if allowed.

The caller names a table's address; the addresses in its cells and its server's redirects come from elsewhere. Such an
address could reach servers that only this machine can reach. So the resolver checks each resolved address, and the
connection uses that same address.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from sensorium.config import RemoteConfig, set_both
from sensorium.table._addresses import PORTS, origin_of, without_secrets
from sensorium.table._public import address_number, is_public

CONNECT, SILENCE = 10, 30  # seconds for an HTTP server to take a connection, and to send the next bytes
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
        number = address_number(host)
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
