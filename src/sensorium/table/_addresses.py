"""How an address is spelt: whether it can be read at all, and whether it fetches through another one."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

LITERAL = re.compile(r"(https?://(?:[^/?#@]*@)?)\[[0-9A-Fa-f:.]+(?:%[^]/]*)?\]", re.IGNORECASE)


class BadAddress(ValueError):
    """No address: said in words of our own, for those of a library may quote what is secret in it."""


def checked(address: str) -> str:
    """The address with its scheme in lower case.

    Raises:
        BadAddress: its host or its port can't be read, or it fetches through another address.
    """
    if "::" in LITERAL.sub(r"\1host", address) or "\0" in address:
        raise BadAddress("an address that fetches through another one")
    try:
        parts = urlsplit(address)
    except ValueError:
        raise BadAddress("the host of the address can't be read") from None
    try:
        _ = parts.port
    except ValueError:
        raise BadAddress("the port of the address is no number from 0 to 65535") from None
    scheme, between, rest = address.partition("://")
    if scheme.lower() in ("http", "https") and not parts.hostname:
        raise BadAddress("the address names no host")
    return f"{scheme.lower()}{between}{rest}"
