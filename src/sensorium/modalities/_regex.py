"""Safety check for regular expressions of a saved model: only forms that finish quickly on any text.

The tokenizers library matches by backtracking, in Ruby's syntax. Its time is exponential in the number of open
quantifiers (`*`, `+`, `{2,}`) that are followed by something required: one is fast; two, or nested ones, are not. It
also grows with the product of all other choices, as in `a?a?a?`. The patterns of GPT-2, CLIP, Llama and similar models
have at most one open quantifier per alternative, and few other choices.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

LONGEST = 5000
MOST = 100  # largest count of a quantifier
WAYS = 300  # ways to match an alternative
DEEPEST = 20
GROUP = re.compile(r"\((?:\?(?:[im-]*:|=|!|<=|<!|>))?")
ESCAPE = re.compile(
    r"\\(?:[pP]\{\^?[\w ]+\}|x\{[0-9A-Fa-f]+\}|x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|[^kgGcCKM1-9])", re.DOTALL
)
QUANTIFIER = re.compile(r"([*+?])[+?]?|\{(?=[\d,]*\d)(\d*)(,?)(\d*)\}\??")


@dataclass
class _Part:
    """One alternative, or all alternatives of a group."""

    waiting: int = 0  # open quantifiers that something has to follow
    ending: int = 0  # open quantifiers that nothing has to follow yet
    varies: bool = False  # whether its length varies
    ways: int = 1

    def follow(self, other: _Part, *, optional: bool) -> None:
        """Append another part."""
        if not optional:
            self.waiting, self.ending = self.waiting + self.ending, 0
        self.waiting, self.ending = self.waiting + other.waiting, self.ending + other.ending
        self.varies |= other.varies or optional
        self.ways *= other.ways


def check_regex(pattern: str) -> None:
    """Raise ValueError for a regular expression that may be slow."""
    if len(pattern) > LONGEST:
        raise ValueError(f"the regex has {len(pattern):,} characters, over the limit of {LONGEST:,}")
    found, end = _alternatives(pattern, 0, 0)
    if end < len(pattern):
        raise ValueError(f"the regex closes a bracket that it does not open: {pattern[:80]!r}")
    if found.waiting > 1 or found.ways > WAYS:
        raise ValueError(f"the regex may be too slow: {pattern[:80]!r}")


def _alternatives(pattern: str, at: int, depth: int) -> tuple[_Part, int]:
    """Parse alternatives between `|`, up to a closing bracket or the end."""
    if depth > DEEPEST:
        raise ValueError("the regex is nested too deeply")
    parts = [_Part()]
    while at < len(pattern) and pattern[at] != ")":
        if pattern[at] == "|":
            parts.append(_Part())
            at += 1
            continue
        part, at = _atom(pattern, at, depth)
        part, optional, at = _quantified(part, pattern, at)
        parts[-1].follow(part, optional=optional)
    several = len(parts) > 1
    waiting, ending = max(part.waiting for part in parts), max(part.ending for part in parts)
    ways = sum(part.ways for part in parts) if depth else max(part.ways for part in parts)
    return _Part(waiting, ending, several or parts[0].varies, ways), at


def _atom(pattern: str, at: int, depth: int) -> tuple[_Part, int]:
    """Parse a group, a class, an escape or a character."""
    if pattern[at] == "(":
        opened = GROUP.match(pattern, at)
        if opened is None or pattern[opened.end() : opened.end() + 1] == "?":
            raise ValueError(f"the regex has a group of an unknown kind: {pattern[at : at + 20]!r}")
        found, at = _alternatives(pattern, opened.end(), depth + 1)
        if at == len(pattern):
            raise ValueError("the regex has an unclosed bracket")
        return found, at + 1
    if pattern[at] == "[":
        return _Part(), _class_end(pattern, at)
    if pattern[at] == "\\":
        escaped = ESCAPE.match(pattern, at)
        if escaped is None:
            raise ValueError(f"the regex has an unknown escape: {pattern[at : at + 20]!r}")
        return _Part(), escaped.end()
    return _Part(), at + 1


def _class_end(pattern: str, at: int) -> int:
    """Return the position after the bracket that closes a class; classes may be nested."""
    depth, first = 0, -1
    while at < len(pattern):
        character = pattern[at]
        if character == "[":
            depth, first = depth + 1, at + (2 if pattern[at + 1 : at + 2] == "^" else 1)
        elif character == "]" and at != first:
            depth -= 1
        at += 2 if character == "\\" else 1
        if not depth:
            return at
    raise ValueError("the regex has an unclosed class")


def _quantified(part: _Part, pattern: str, at: int) -> tuple[_Part, bool, int]:
    """Parse a quantifier; return the part with it, and whether the part is optional."""
    found, optional = QUANTIFIER.match(pattern, at), False
    while found:
        sign, least, comma, most = found.groups()
        is_open = sign in ("*", "+") or bool(comma and not most)
        if max(int(least or 0), int(most or 0)) > MOST:
            raise ValueError(f"the regex has a quantifier of more than {MOST}")
        if ((part.waiting or part.ending) and sign != "?") or (part.varies and sign != "?"):
            raise ValueError(f"the regex has nested quantifiers: {pattern[:80]!r}")
        optional |= sign in ("*", "?") or (not sign and not int(least or 0))
        varies = bool(sign or comma)
        more = int(most or 0) - int(least or 0) if most and comma else int(sign == "?")
        part = _Part(part.waiting, part.ending + is_open, part.varies or varies, part.ways + more)
        at = found.end()
        found = QUANTIFIER.match(pattern, at)
    return part, optional, at
