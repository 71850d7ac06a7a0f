"""What the failure of a download means, across the libraries of the protocols."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from sensorium.table._addresses import IN_MESSAGE, hide_secrets, without_secrets
from sensorium.table._guard import NotAllowed

LOOP = "the server redirects too often, perhaps in a circle"


class Refused(OSError):
    """Download that the server refused, because a token or a permission is missing."""


def is_not_found(error: BaseException) -> bool:
    """Return whether the error means a missing file; fsspec raises it for every HTTP failure, with the cause."""
    cause, status = error.__cause__, http_status(error)
    plain = cause is None or isinstance(cause, FileNotFoundError)
    return status in (404, 410) or (isinstance(error, FileNotFoundError) and plain)


def http_status(error: BaseException) -> int:
    """Return the HTTP status of a library's error; 0 if it has none."""
    for each in filter(None, (error, error.__cause__)):
        for name in ("status", "status_code", "code"):
            if isinstance(found := getattr(each, name, None), int):
                return found
    return 0


def denied_by_guard(error: BaseException) -> NotAllowed | None:
    """Return the error of the guard that a library's error wraps."""
    chain: list[BaseException] = [error]
    while chain and not isinstance(chain[-1], NotAllowed):
        below = chain[-1].__cause__ or chain[-1].__context__
        if below is None or below in chain:
            return None
        chain.append(below)
    found = chain[-1]
    return found if isinstance(found, NotAllowed) else None


def failure_in_words(error: BaseException, address: str) -> str:
    """Describe a failure, if possible without the library's message, which may quote addresses."""
    if type(error).__name__ == "TooManyRedirects":
        return LOOP
    if isinstance(error, TimeoutError):
        return "the server did not answer in time"
    status = http_status(error)
    return f"HTTP {status}" if status else masked(error, address)


def masked(error: BaseException, address: str) -> str:
    """Return a library's message on one line, without secrets of the address."""
    parts = urlsplit(address)
    text = " ".join(str(error).split()) or type(error).__name__
    for secret in filter(None, (address, parts.query, parts.password, unquote(parts.password or ""), parts.netloc)):
        text = text.replace(secret, without_secrets(address) if secret == address else "…")
    # A redirect may lead to an address with another signature.
    return hide_secrets(text, IN_MESSAGE)[:300]
