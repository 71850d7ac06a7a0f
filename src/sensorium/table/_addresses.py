"""Parts of addresses, and the check of their syntax."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

PORTS = {"http": 80, "https": 443}
# A scheme begins where a run of its characters begins: tried at each of them, a run of n costs n² steps.
SCHEME = r"(?<![\w+.-])([+.-]*)(\w[\w+.-]*://"
IN_CELL = re.compile(SCHEME + r"[^'\"|;\n]*)")  # a path may hold blanks
IN_MESSAGE = re.compile(SCHEME + r"[^\s'\"<>()]+)")
LITERAL = re.compile(r"(https?://(?:[^/?#@]*@)?)\[[0-9A-Fa-f:.]+(?:%[^]/]*)?\]", re.IGNORECASE)


class BadAddress(ValueError):
    """Invalid address, in a message of our own: those of a library may quote secrets."""


def checked(address: str) -> str:
    """Return the address with its scheme in lower case.

    Raises:
        BadAddress: its host or its port cannot be read, or it fetches through another address.
    """
    if "::" in LITERAL.sub(r"\1host", address) or "\0" in address:
        raise BadAddress("chained addresses (a::b) are not allowed")
    try:
        parts = urlsplit(address)
    except ValueError:
        raise BadAddress("the host of the address cannot be read") from None
    try:
        _ = parts.port
    except ValueError:
        raise BadAddress("the port of the address is not a number from 0 to 65535") from None
    scheme, between, rest = address.partition("://")
    if scheme.lower() in ("http", "https") and not parts.hostname:
        raise BadAddress("the address has no host")
    return f"{scheme.lower()}{between}{rest}"


def origin_of(address: str) -> str:
    """Return `host:port` of a web address; empty for other addresses."""
    parts = urlsplit(address)
    if parts.scheme not in PORTS:
        return ""
    return f"{parts.hostname or ''}:{parts.port or PORTS[parts.scheme]}"


def scheme_of(address: str) -> str:
    """Return the scheme in lower case."""
    return address.partition("://")[0].lower()


def server_of(address: str) -> str:
    """Return scheme, host and port: the same for all files of a server."""
    return without_secrets(address.partition("?")[0]).removesuffix(urlsplit(address).path)


def without_secrets(address: str) -> str:
    """Return scheme, host, port and database of an address, without its secrets."""
    try:
        parts = urlsplit(address)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return address.partition("://")[0] + "://"
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"


def hide_secrets(text: str, addresses: re.Pattern[str] = IN_CELL) -> str:
    """Return a text whose addresses have no secrets."""
    return addresses.sub(lambda found: found[1] + without_secrets(found[2]), text)
