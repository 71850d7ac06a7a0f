"""Check the syntax of addresses, and reject those that fetch through another address."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

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
