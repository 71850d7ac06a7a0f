"""Suggest known names that are close to a wrong one."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable, Sequence

LISTED = 60  # names in a message
NEAR = 0.8  # likeness of two names of which one may be meant by the other
UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """Return a sentence that names the closest known names, or lists all of them."""
    known = sorted(set(known))
    close = same_names(wrong, known) or difflib.get_close_matches(wrong, known, n=3)
    if close:
        return f"did you mean {' or '.join(map(repr, close))}?"
    return f"one of: {list_names(known)}" if known else "there are none"


def list_names(names: Sequence[str]) -> str:
    """Return the first names, and how many more there are."""
    more = f" and {len(names) - LISTED:,} more" if len(names) > LISTED else ""
    return ", ".join(names[:LISTED]) + more


def same_names(name: str, known: Iterable[str]) -> list[str]:
    """Return up to three names that differ only in case, accents, blanks, underscores or punctuation."""
    folded = _folds(name)
    return [other for other in known if folded & _folds(other)][:3]


def near_name(name: str, known: Sequence[str]) -> str | None:
    """Return the known name that is probably meant, judged by spelling."""
    folded = {fold: other for other in known for fold in _folds(other)}
    close = [hit for fold in _folds(name) for hit in difflib.get_close_matches(fold, folded, n=1, cutoff=NEAR)]
    return next(iter(same_names(name, known)), None) or (folded[close[0]] if close else None)


def _folds(name: str) -> set[str]:
    """Return the letters and digits of a name without accents, and with umlauts as two letters."""
    spelt = [unicodedata.normalize("NFKD", text) for text in (name, name.casefold().translate(UMLAUTS))]
    return {"".join(sign for sign in text.casefold() if sign.isalnum()) for text in spelt} - {""}
