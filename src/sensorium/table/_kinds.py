"""Map a server's content type to the suffix of its kind."""

from __future__ import annotations

import mimetypes

# Those of tables, which the standard library does not know or gives another suffix.
SUFFIXES = {
    "text/csv": ".csv",
    "application/csv": ".csv",
    "text/tab-separated-values": ".tsv",
    "text/tsv": ".tsv",
    "application/jsonl": ".jsonl",
    "application/jsonlines": ".jsonl",
    "application/json-lines": ".jsonl",
    "application/x-jsonlines": ".jsonl",
    "application/x-ndjson": ".jsonl",
    "application/ndjson": ".jsonl",
    "application/vnd.apache.parquet": ".parquet",
    "application/x-parquet": ".parquet",
    "application/parquet": ".parquet",
    "application/vnd.apache.arrow.file": ".arrow",
    "application/vnd.apache.arrow.stream": ".arrow",
    "application/vnd.sqlite3": ".sqlite",
    "application/x-sqlite3": ".sqlite",
    "application/vnd.duckdb": ".duckdb",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/vnd.oasis.opendocument.spreadsheet": ".ods",
    "application/vnd.ms-excel": ".xls",
    "application/x-tar": ".tar",
}
UNTOLD = ("application/octet-stream", "binary/octet-stream", "text/plain", "text/html")  # what servers call anything


def suffix_of(kind: str | None) -> str:
    """Return the suffix of a content type such as `text/csv; charset=utf-8`; empty if it is unknown."""
    bare = (kind or "").partition(";")[0].strip().lower()
    return "" if bare in UNTOLD else SUFFIXES.get(bare) or mimetypes.guess_extension(bare) or ""
