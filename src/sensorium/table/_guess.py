"""Guess encodings of a text that is not UTF-8, for a hint in a message."""

from __future__ import annotations

import re

LOOKED_AT = 100_000  # bytes
WORDS = re.compile(rb"(?:(?<![A-Za-z])[A-Za-z]*)?[\x80-\xff][A-Za-z\x80-\xff]*")  # begun once per word
HIGH = re.compile(rb"[\x80-\xff]")
ACCENTS = 0.55  # of the bytes of such words that are beyond ASCII: fewer are accents among Latin letters
BEYOND = re.compile("[^\x00-\x7f]")
# Encoding → a script, and its share of the characters beyond ASCII that speaks for the encoding.
SCRIPTS = (
    ("shift_jis", "[\u3040-\u30ff]", 0.3),
    ("euc_jp", "[\u3040-\u30ff]", 0.3),
    ("euc_kr", "[\uac00-\ud7a3]", 0.9),
    ("gb2312", "[\u4e00-\u9fff\u3000-\u303f\uff00-\uffef]", 0.9),
    ("big5", "[\u4e00-\u9fff\u3000-\u303f\uff00-\uffef]", 0.9),
    ("cp1251", "[а-яё]", 0.6),
    ("koi8_r", "[а-яё]", 0.6),
    ("gb18030", "[\u4e00-\u9fff]", 0.9),
)
CALLED = {"gb2312": "gb18030"}  # what holds all of it
LATIN = ["cp1252", "latin-1"]


def likely_encodings(raw: bytes) -> list[str]:
    """Return the likely encodings, most likely first."""
    head = raw[:LOOKED_AT]
    head = head[: head.rfind(b"\n") + 1] or head  # no character is cut
    words = b"".join(WORDS.findall(head))
    if len(HIGH.findall(words)) < ACCENTS * len(words):
        return LATIN
    found = [CALLED.get(name, name) for name, script, share in SCRIPTS if _shows(head, name, script, share)]
    return list(dict.fromkeys([*found, *LATIN]))


def _shows(head: bytes, encoding: str, script: str, share: float) -> bool:
    try:
        text = head.decode(encoding)
    except UnicodeDecodeError:
        return False
    return len(re.findall(script, text)) > share * len(BEYOND.findall(text))
