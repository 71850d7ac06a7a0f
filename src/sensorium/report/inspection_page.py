"""Build the HTML page of an inspection."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sensorium.errors import DataError
from sensorium.files import replaced_file
from sensorium.findings import count
from sensorium.report import html as h
from sensorium.report._wide import kinds_of, shown_columns
from sensorium.report.text import missing_text, notice_text

if TYPE_CHECKING:
    from sensorium.inspection import ColumnReport, Inspection

LISTED = 8  # groups of copies
COLUMNS = 200  # with a card of their own
NOTES = 100


def write_page(found: Inspection, path: str | os.PathLike[str]) -> None:
    """Write the page to a file.

    Raises:
        DataError: the page cannot be written to this path.
    """
    try:
        with replaced_file(Path(path)) as new:
            new.write_text(inspection_page(found), encoding="utf-8", errors="replace")
    except OSError as error:
        raise DataError(f"the page cannot be written: {error.strerror}", place=str(path)) from None


def inspection_page(found: Inspection) -> str:
    """Build the page: main findings, the target, duplicate rows, then every column."""
    looked = "every cell" if found.every else "a sample of each column's cells"
    return h.page(
        f"{Path(found.table).name}: {count(found.rows, 'row')}, {count(len(found.columns), 'column')}",
        h.tag("p", f"{found.table}. Nothing was trained. Checked by decoding: {looked}.", class_="soft"),
        _section("What to look at", *_notes(found)),
        _target(found),
        _copies(found),
        _columns(found),
    )


def _columns(found: Inspection) -> h.Markup:
    """Show a table of columns and a card for each; of a wide table, those that need attention and the first ones."""
    shown = shown_columns(found.columns, COLUMNS)
    left, places = len(found.columns) - len(shown), {place for place, _ in shown}
    kinds = kinds_of(column.modality for place, column in enumerate(found.columns) if place not in places)
    more = _more(f"and {count(left, 'more column')} ({kinds}), which sensorium inspect --json lists") if left else ""
    return _section("Columns", _overview(shown), more, *(_column(*numbered) for numbered in shown))


def _more(words: str) -> h.Markup:
    return h.tag("p", words, class_="soft")


def _section(title: str, *content: object) -> h.Markup:
    return h.tag("section", h.tag("h2", title), *content)


def _note(*content: object) -> h.Markup:
    return h.tag("p", *content, class_="note")


def _notes(found: Inspection) -> list[h.Markup]:
    notes = [_note(notice_text(notice)) for notice in found.table_notices]
    notes += [_note(*_setting(advice["setting"]), advice["reason"]) for advice in found.advice]
    target = found.target["column"] if found.target else None  # it has a separate section
    columns = [column for column in found.columns if column.caution and column.name != target]
    notes += [_note(h.tag("strong", column.name), f": {column.caution}") for column in columns]
    notes += [_note(str(copies)) for copies in found.copies if copies.across]
    more = len(notes) - NOTES
    if more > 0:
        return [*notes[:NOTES], _more(f"and {count(more, 'more note')}, which sensorium inspect --json lists")]
    return notes or [h.tag("p", "Nothing stands out.")]


def _setting(setting: str) -> list[object]:
    return [h.tag("code", f"--set {shlex.quote(setting)}"), " – "] if setting else []


def _target(found: Inspection) -> h.Markup:
    if not found.target or not found.split:
        return h.Markup()
    target, split = found.target, found.split
    sizes = ", ".join(f"{rows:,} {name}" for name, rows in split["rows"].items())
    lines = [h.tag("p", h.tag("strong", target["column"]), f": {target['task']} ({target['reason']})")]
    lines += [_note(target["caution"])] if target["caution"] else []
    lines += [_note(f"without a label: {count(target['missing'], 'row')}")] if target["missing"] else []
    lines.append(h.tag("p", f"Split {split['how']}: {sizes}."))
    parts = ("rows", "train", "validation", "test")
    rows = [[label["label"], *(f"{label[part]:,}" for part in parts)] for label in target["labels"]]
    if rows:
        lines.append(h.table(["label", *parts], rows, numbers=[1, 2, 3, 4]))
    return _section("Target and split", *lines)


def _copies(found: Inspection) -> h.Markup:
    if not found.copies:
        return _section("Rows that are alike", h.tag("p", "None were found."))
    parts = []
    for copies in found.copies:
        rows = [[_rows(group["rows"], group["size"]), _splits(group["splits"])] for group in copies.listed[:LISTED]]
        more = copies.groups - len(rows)
        parts.append(
            h.tag(
                "div",
                h.tag("h3", copies.column or "Whole rows"),
                h.tag("p", str(copies)),
                h.table(["rows", "splits"], rows) if rows else "",
                h.tag("p", f"and {count(more, 'more group')}", class_="soft") if more > 0 else "",
                class_="card",
            )
        )
    return _section("Rows that are alike", *parts)


def _rows(rows: list[int], size: int) -> str:
    return ", ".join(map(str, rows)) + (f" … ({size:,} rows)" if size > len(rows) else "")


def _splits(splits: dict[str, int]) -> str:
    return ", ".join(f"{rows:,} {name}" for name, rows in splits.items()) or "–"


def _overview(shown: Sequence[tuple[int, ColumnReport]]) -> h.Markup:
    rows = [
        [
            h.tag("a", column.name, href=f"#column-{place}"),
            column.modality or "–",
            column.reason,
            missing_text(column),
            f"{column.distinct:,}",
        ]
        for place, column in shown
    ]
    return h.table(["column", "modality", "why", "missing", "different"], rows, numbers=[3, 4])


def _column(place: int, column: ColumnReport) -> h.Markup:
    lines = [h.tag("h3", column.name), h.tag("p", f"{column.modality or 'left out'}: {column.reason}")]
    lines += [_note(column.caution)] if column.caution else []
    lines.append(h.share(list(column.coverage.items())))
    lines += [_note(_fault(fault)) for fault in column.faults]
    charts = [_chart(figures) for figures in column.overview.to_json()]
    lines += [h.tag("div", *charts, class_="row")] if charts else []
    if column.commonest:
        lines.append(h.bars(column.commonest, column.rows - column.missing, "commonest values"))
    lines += _previews(column)
    if column.examples and not column.commonest:
        lines += [h.tag("h4", "Examples"), h.tag("ul", *(h.tag("li", example) for example in column.examples))]
    return h.tag("article", *lines, class_="card", id=f"column-{place}")


def _fault(fault: dict[str, Any]) -> str:
    rows = ", ".join(map(str, fault["rows"]))
    value = f" ({fault['value']})" if fault["value"] else ""
    cure = f" – {fault['cure']}" if fault["cure"] else ""
    return f"{fault['count']:,} × {fault['reason']}: rows {rows}{value}{cure}"


def _chart(figures: dict[str, Any]) -> h.Markup:
    low, middle, high = (_figure(figures[key]) for key in ("lowest", "median", "highest"))
    label = f"{figures['name']}: {low} to {high}, median {middle}, {count(figures['count'], 'cell')}"
    if len(figures["counts"]) == 1:
        return h.tag("p", f"{figures['name']}: {low} in all of {count(figures['count'], 'cell')}")
    return h.figure(h.histogram(figures["counts"], low, high, label), label)


def _figure(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:,.6g}"


def _previews(column: ColumnReport) -> list[h.Markup]:
    view, name = column.overview, column.name
    shown = [h.figure(h.picture(pixels, f"{name} of row {row}"), f"row {row}") for row, pixels in view.pictures.items()]
    shown += [h.figure(h.curve(points, f"{name} of row {row}"), f"row {row}") for row, points in view.curves.items()]
    return [h.tag("h4", "Some cells"), h.tag("div", *shown, class_="row")] if shown else []
