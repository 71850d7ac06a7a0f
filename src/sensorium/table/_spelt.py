"""Parse lists in brackets from text: JSON, and the notation of Python, NumPy, PyTorch and PostgreSQL."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sensorium.findings import Unreadable

# A bracket alone says nothing: "(5.00)" is a negative amount, "(1,234.50)" another.
OPENS = r"(?s)^\s*(?:\[|[\w.]+\s*\(\s*[\[(]|[({].*[\w.]\s*[,;\s]\s*.*[)}]\s*$)"
AMOUNT = r"^\s*\(\s*[$€£¥]?\s*[0-9]{1,3}(?:[,'][0-9]{3})*(?:\.[0-9]*)?\s*\)\s*$"
PYTHON = re.compile(r"\b(?:None|nan)\b")  # how a list is spelt by Python's own `str`
GAP = re.compile(r"<NA>|\b(?:None|nan|NaN|NAN|NULL|Null|null|NA|NaT)\b")
INFINITE = re.compile(r"\b(?:inf|Inf|Infinity)\b")
CALL = re.compile(r"^[\w.]+\s*\(\s*([\[(].*)\)$", re.DOTALL)  # array([…]), tensor([…]), DenseVector([…]), deque([…])
KEYWORD = re.compile(r"(?<=[\])])\s*,\s*\w+\s*=.*$", re.DOTALL)  # dtype=float32, device='cuda:0', grad_fn=<…>
SCALAR = re.compile(r"\b(?:np|numpy)\.\w+\(([^()]*)\)")  # NumPy 2 in a list: [np.float64(0.1), np.float64(0.2)]
BETWEEN = re.compile(r"(?<=[\w.\]]) ?[ ;] ?(?=[\[\w.+-])")  # NumPy puts blanks between numbers, not commas
LAST_COMMA = re.compile(r",\s*(?=\])")
NUMBER = re.compile(r"(?<![\w.])[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?(?![\w.])")
GAP_WORDS = frozenset(("", "na", "n/a", "#n/a", "<na>", "nan", "null", "none", "nil", "nat", "-", "--", "?"))
LONGEST_WORD = max(map(len, GAP_WORDS))
BRACKETS = str.maketrans("(){}", "[][]")
SHORTENED = "..."
CURE = "write it as JSON: [1.0, 2.5, null, 3]"


def is_gap_word(text: str) -> bool:
    """Return whether the cell is a word for a missing value, such as None or n/a."""
    word = text.strip()
    return len(word) <= LONGEST_WORD and word.lower() in GAP_WORDS


def spells_lists(cells: pa.Array) -> npt.NDArray[Any]:
    """Return bool[n]: whether the cells of a text column begin like a list."""
    found = pc.and_not(pc.match_substring_regex(cells, OPENS), pc.match_substring_regex(cells, AMOUNT))
    return found.fill_null(False).to_numpy(zero_copy_only=False)


def spelt_list(text: str, *, shortened: bool = False) -> list[Any]:
    """Parse text in brackets as a list; Python's `None` and `nan` are read as null.

    Args:
        text: the cell.
        shortened: whether to accept arrays that NumPy shortened to `[0.1 0.2 ... 0.9]`, without their middle.

    Raises:
        Unreadable: the text is not a list, or is a shortened array.
    """
    for spelling in (text, PYTHON.sub("null", text)):
        try:
            found = json.loads(spelling)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, list):
            return found
    if SHORTENED in text:
        if not shortened:
            raise Unreadable("an array whose middle was cut when it was written ('...')", CURE)
        text = text.replace(SHORTENED, " ")
    return _loose_list(text)


def _loose_list(text: str) -> list[Any]:
    """Parse a list of numbers in any brackets, with commas or blanks between them."""
    text = text.strip()
    if call := CALL.match(text):
        text = KEYWORD.sub("", call.group(1)).strip()
    # A quote begins a text, a colon a mapping; a semicolon beside a comma may part rows or numbers.
    if text[:1] not in ("[", "(", "{") or any(sign in text for sign in "\"':") or (";" in text and "," in text):
        raise Unreadable("text that is not a list", CURE)
    text = " ".join(SCALAR.sub(r"\1", text).translate(BRACKETS).split())
    text = INFINITE.sub("Infinity", GAP.sub("null", text))
    text = NUMBER.sub(lambda found: json.dumps(float(found.group())), LAST_COMMA.sub("", BETWEEN.sub(",", text)))
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, list):
        return found
    raise Unreadable("text that is not a list", CURE)
