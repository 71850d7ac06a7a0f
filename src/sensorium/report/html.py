"""Build pieces of an HTML page: escaped text, tables, charts as SVG, embedded images.

A piece is a `Markup`; anything else is text and is escaped. A page loads nothing and runs no script; its content
security policy forbids both.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

import numpy as np
import numpy.typing as npt

from sensorium.errors.printable import printable

WIDTH, HEIGHT = 320, 96  # of a chart, in its own units
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
# Every pair of text and ground has a contrast of 4.5 or more, in either scheme.
STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --ground: #ffffff; --card: #f4f6f8;
  --line: #c9d1d9; --bar: #0b63c5; --warn: #8a4600; --warn-ground: #fff4e0; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8ecf1; --soft: #a9b4c0; --ground: #12161b; --card: #1c2229;
  --line: #3b444e; --bar: #6cb2ff; --warn: #ffc36b; --warn-ground: #33270f; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem 1.25rem 3rem; max-width: 72rem; color: var(--ink); background: var(--ground);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; margin: .5rem 0; } h2 { font-size: 1.25rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1.05rem; margin: 0 0 .25rem; } h4 { font-size: .9rem; margin: .75rem 0 .25rem; color: var(--soft); }
a { color: var(--bar); } code { font-size: .9em; } p { margin: .25rem 0; } small, .soft { color: var(--soft); }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: .92rem; }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .9rem 1rem;
  margin: .75rem 0; }
.note { color: var(--warn); background: var(--warn-ground); border-left: 4px solid; padding: .35rem .7rem;
  margin: .4rem 0; }
.row { display: flex; flex-wrap: wrap; gap: 1.25rem; } figure { margin: 0; } figcaption { font-size: .8rem; }
figure, .chart { max-width: 100%; } svg { display: block; max-width: 100%; height: auto; }
.bar { fill: var(--bar); } .back { fill: var(--line); } .axis { fill: var(--soft); font-size: 11px; }
img { display: block; border: 1px solid var(--line); border-radius: .25rem; background: #fff; }
"""


class Markup(str):
    """HTML text that is not escaped again."""

    __slots__ = ()


def text(value: object) -> Markup:
    """Convert anything to HTML: text and control characters are escaped, markup is unchanged."""
    return value if isinstance(value, Markup) else Markup(escape(printable(str(value))))


def join(pieces: Iterable[object]) -> Markup:
    """Join pieces of markup."""
    return Markup("".join(map(text, pieces)))


def tag(name: str, /, *content: object, **attributes: object) -> Markup:
    """Build a tag, as `tag("p", "a < b", class_="soft")`; attributes that are None are left out, `_` becomes `-`."""
    given = "".join(
        f' {key.strip("_").replace("_", "-")}="{escape(printable(str(value)))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{name}{given}>{join(content)}</{name}>")


def void(name: str, /, **attributes: object) -> Markup:
    """Build a tag without content, closed as SVG requires."""
    return Markup(tag(name, **attributes).removesuffix(f"></{name}>") + " />")


def page(title: str, *content: object) -> str:
    """Build a whole document."""
    head = tag(
        "head",
        Markup('<meta charset="utf-8">'),
        void("meta", http_equiv="Content-Security-Policy", content=POLICY),
        void("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", title),
        tag("style", Markup(STYLE)),
    )
    body = tag("body", tag("main", tag("h1", title), *content))
    return "<!doctype html>\n" + tag("html", head, body, lang="en") + "\n"


def table(headers: Sequence[str], rows: Iterable[Sequence[object]], numbers: Sequence[int] = ()) -> Markup:
    """Build a table; `numbers` are the indices of right-aligned columns."""
    kinds = ["number" if place in numbers else None for place in range(len(headers))]
    head = tag("tr", *(tag("th", h, scope="col", class_=k) for h, k in zip(headers, kinds, strict=True)))
    body = [tag("tr", *(tag("td", c, class_=k) for c, k in zip(row, kinds, strict=True))) for row in rows]
    return tag(
        "div",
        tag("table", tag("thead", head), tag("tbody", *body)),
        class_="scroll",
        tabindex=0,
        role="region",
        aria_label=", ".join(filter(None, headers)),
    )


def figure(content: Markup, caption: object) -> Markup:
    """Show a drawing or an image with a caption."""
    return tag("figure", content, tag("figcaption", caption, class_="soft"))


def histogram(counts: Sequence[int], low: str, high: str, label: str) -> Markup:
    """Draw a histogram, with the ends of its range below."""
    most, step = max([*counts, 1]), WIDTH / max(1, len(counts))
    bars = [
        _bar(i * step, HEIGHT * (1 - n / most), max(step - 1, 0.5), HEIGHT * n / most) for i, n in enumerate(counts)
    ]
    ends = [_words(0, HEIGHT + 14, low), _words(WIDTH, HEIGHT + 14, high, "end")]
    return _drawing(HEIGHT + 20, label, *bars, void("rect", y=HEIGHT, width=WIDTH, height=1, class_="back"), *ends)


def bars(counts: Sequence[tuple[str, int]], total: int, label: str) -> Markup:
    """Draw a line for each value: its name, a bar, and its count."""
    most = max([count for _, count in counts] + [1])
    rows = [
        (
            name,
            _drawing(12, f"{count:,}", _bar(0, 0, WIDTH * count / most, 12)),
            f"{count:,} ({count / max(1, total):.0%})",
        )
        for name, count in counts
    ]
    return table([label, "", "cells"], rows, numbers=[2])


def share(parts: Sequence[tuple[str, float]]) -> Markup:
    """Draw one bar with its first part filled, and a caption."""
    told = ", ".join(f"{name} {part:.1%}" for name, part in parts)
    filled = [void("rect", width=WIDTH, height=10, class_="back"), _bar(0, 0, WIDTH * parts[0][1], 10)]
    return figure(_drawing(10, told, *filled), told)


def curve(outline: npt.NDArray[np.float64], label: str) -> Markup:
    """Draw the band between the lowest and the highest value, [points, 2]."""
    across = np.linspace(0, WIDTH, len(outline))
    down = HEIGHT / 2 * (1 - outline)
    points = [*zip(across, down[:, 1], strict=True), *zip(across[::-1], down[::-1, 0] + 0.75, strict=True)]
    shape = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return _drawing(HEIGHT, label, void("polygon", points=shape, class_="bar"))


def picture(pixels: npt.NDArray[np.uint8], label: str) -> Markup:
    """Embed an image [height, width, 1 or 3] as PNG."""
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).save(stream, "PNG", optimize=True)
    source = "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()
    return void("img", src=source, alt=label, width=pixels.shape[1], height=pixels.shape[0])


def _drawing(height: float, label: str, *content: object) -> Markup:
    box: dict[str, Any] = {"viewBox": f"0 0 {WIDTH} {height}"}
    return tag("svg", tag("title", label), *content, role="img", width=WIDTH, height=height, **box)


def _bar(x: float, y: float, width: float, height: float) -> Markup:
    return void("rect", x=f"{x:.1f}", y=f"{y:.1f}", width=f"{width:.1f}", height=f"{height:.1f}", class_="bar")


def _words(x: float, y: float, words: str, anchor: str | None = None) -> Markup:
    return tag("text", words, x=x, y=y, class_="axis", text_anchor=anchor)
