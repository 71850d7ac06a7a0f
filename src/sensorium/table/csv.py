"""CSV and TSV: text tables with a header line."""

from __future__ import annotations

import csv as text_csv
from pathlib import Path

import pyarrow as pa
from pyarrow import csv as arrow_csv

from sensorium.config import TableConfig
from sensorium.errors import TableError

SUFFIXES = (".csv", ".tsv", ".tab", ".txt")
SEPARATOR = b"sensorium.separator"  # metadata of the table: what parts its cells
SHOWN = 5  # ragged lines that a message names


def csv(path: Path, config: TableConfig) -> pa.Table:
    """Every cell as text (types are narrowed later, where nothing is lost by it).

    Raises:
        TableError: empty file, wrong encoding, rows of unequal length, two columns of one name.
    """
    header, separator = _header(path, config)
    try:
        table = arrow_csv.read_csv(
            path,
            read_options=arrow_csv.ReadOptions(
                encoding=config.encoding, column_names=_unique(header), skip_rows=1, use_threads=False
            ),
            parse_options=arrow_csv.ParseOptions(delimiter=separator, newlines_in_values=True),
            convert_options=arrow_csv.ConvertOptions(
                column_types={name: pa.string() for name in _unique(header)}, strings_can_be_null=True, null_values=[""]
            ),
        )
        return table.rename_columns(header).replace_schema_metadata({SEPARATOR: separator})
    except UnicodeDecodeError as error:
        raise _encoding_error(path, config, str(error)) from None
    except pa.ArrowInvalid as error:
        raise _explain(path, config, separator, len(header), error) from None


def _header(path: Path, config: TableConfig) -> tuple[list[str], str]:
    try:
        with path.open(newline="", encoding="utf-8-sig" if config.encoding == "utf-8" else config.encoding) as stream:
            first = stream.readline()
            separator = config.separator or _separator(path, first)
            stream.seek(0)
            return next(text_csv.reader(stream, delimiter=separator)), separator
    except StopIteration:
        raise TableError("the file is empty", place=str(path), rule="a header line, then rows") from None
    except (UnicodeError, LookupError) as error:
        raise _encoding_error(path, config, str(error)) from None
    except (OSError, text_csv.Error) as error:
        raise TableError(f"the file can't be read: {error}", place=str(path)) from None


def _separator(path: Path, header: str) -> str:
    if path.suffix.lower() in (".tsv", ".tab"):
        return "\t"
    return max(",;\t|", key=header.count) if header else ","


def _unique(header: list[str]) -> list[str]:
    # Arrow looks types up by name; the real names, which may collide, are put back (and judged) afterwards.
    return [f"c{i}" for i in range(len(header))]


def _explain(path: Path, config: TableConfig, separator: str, width: int, error: Exception) -> TableError:
    """Arrow says that it can't; the slow reader says where."""
    ragged = []
    try:
        with path.open(newline="", encoding=config.encoding) as stream:
            reader = text_csv.reader(stream, delimiter=separator)
            ragged = [(reader.line_num, len(row)) for row in reader if row and len(row) != width]
    except UnicodeDecodeError as fault:
        return _encoding_error(path, config, str(fault))
    except text_csv.Error as fault:
        return TableError(f"the text can't be parsed: {fault}", place=str(path))
    if not ragged:
        return TableError(f"the file can't be parsed: {error}", place=str(path))
    shown = ", ".join(f"line {line} has {count}" for line, count in ragged[:SHOWN])
    more = f" and {len(ragged) - SHOWN} more" if len(ragged) > SHOWN else ""
    return TableError(
        f"{len(ragged)} rows have another number of cells than the header's {width}: {shown}{more}",
        place=str(path),
        rule="every row has as many cells as the header",
        cure="quote cells that hold the separator or a line break, or set table.separator",
    )


def _encoding_error(path: Path, config: TableConfig, detail: str) -> TableError:
    return TableError(
        f"the text is not {config.encoding}: {detail}",
        place=str(path),
        cure="--set table.encoding=cp1252 (or latin-1, utf-16, gb18030 …), or save the file as UTF-8",
    )
