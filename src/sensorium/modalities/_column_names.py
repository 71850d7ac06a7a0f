"""Words of a column's name."""

from __future__ import annotations

import re


def name_words(name: str) -> frozenset[str]:
    """Return the words of a name in lower case: `userId`, `user_id` and `User ID` have the words user and id."""
    return frozenset(re.split(r"[^a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower())) - {""}
