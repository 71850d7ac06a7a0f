"""Errors of cells that cannot be read."""

from __future__ import annotations


class Unreadable(Exception):
    """Cell that cannot be decoded; it becomes a missing cell with this reason."""

    def __init__(self, reason: str, cure: str = "") -> None:
        super().__init__(reason)
        self.reason, self.cure = reason, cure


class Nothing(Unreadable):
    """Cell without the kind of content that a view reads; this is not reported as a problem."""


class NotFound(Unreadable):
    """File that does not exist."""


class Outside(Unreadable):
    """File outside the folders that the settings allow."""
