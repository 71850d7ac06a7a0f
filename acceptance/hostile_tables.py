"""Tables of odd cells are inspected, or refused with an error of our own: never a library's traceback.

A case is a table of a few columns whose cells are drawn from what real files, spreadsheets and programs hold; a part
comes as CSV, a part as Python objects.
"""

import random
import tempfile
import warnings
from pathlib import Path

import sensorium
from sensorium.errors import SensoriumError

CASES = 4_000
ATOMS = [
    "", " ", "NA", "n/a", "None", "null", "-", "0", "1", "1.0", "1,5", "1.234,5", "1e400", "-0", "∞", "NaN", "007",
    "12345678901234567890", "$5", "(5.00)", "5%", "<5", "2018-12", "2018-02-30", "1/2/3", "31.12.1999 25:61", "Mon",
    "yes", "no", "TRUE", "a|b|c", "a,b", "[1, 2, 3]", "[1, [2]]", "[{}]", "{\"a\": 1}", "(1, 2)", "1 2 3", "[0.1 0.2]",
    "./x.png", "C:\\x\\y.jpg", "file:///etc/passwd", "~/x.wav", "http://127.0.0.1:9/x.png", "../../x.nii.gz", "x.heic",
    "é", "日本", "\u202e", "\ufeff", "\x1b[31m", "=1+1", "a" * 500, "word " * 40, "[bold]", "<b>", "\t", "'", "％５",
]  # fmt: skip
OBJECTS = [
    None, True, 0, -1, 2**70, 1.5, float("nan"), float("inf"), b"", b"\x89PNG", "text", [], [1, 2], [None], ["a", "b"],
    [[1.0], [2.0, 3.0]], {}, {"a": 1}, (1, 2), {1, 2}, 1 + 2j, Path("x.png"), object, range(3),
]  # fmt: skip
NAMES = ["v", "id", "date", "x.y", "", "Unnamed: 0", "split", "price", "日付", "[red]", "a b", "index", "photo", "v.1"]


def check(case: int) -> str | None:
    """Inspect the case's table."""
    draw = random.Random(case)
    rows, names = draw.choice([1, 2, 5, 12, 40]), draw.sample(NAMES, draw.randint(1, 5))
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        warnings.simplefilter("error")
        as_csv = draw.random() < 0.5
        table = {name: cells(draw, rows, ATOMS if as_csv else [*ATOMS, *OBJECTS]) for name in names}
        table["label"] = [draw.choice(["a", "b"]) for _ in range(rows)]
        try:
            sensorium.inspect(write_csv(table, Path(folder), draw) if as_csv else table, target="label")
        except SensoriumError:
            return None
        except Exception as error:  # noqa: BLE001 - any other error is what the proof looks for
            return f"{type(error).__name__}: {str(error)[:200]!r} for {str(table)[:300]}"
    return None


def cells(draw: random.Random, rows: int, atoms: list[object]) -> list[object]:
    """Mostly of one or two kinds, as the columns of a table are, at times of all."""
    few = draw.sample(atoms, draw.choice([1, 2, 3, len(atoms)]))
    return [draw.choice(few) for _ in range(rows)]


def write_csv(table: dict[str, list[object]], folder: Path, draw: random.Random) -> Path:
    """Cells quoted or not, as careless programs do."""
    separator, quote = draw.choice(",;\t|"), draw.choice(["", '"'])
    lines = [[*table], *([str(cell) for cell in row] for row in zip(*table.values(), strict=True))]
    text = "\n".join(separator.join(f"{quote}{cell}{quote}" for cell in line) for line in lines)
    path = folder / "table.csv"
    path.write_text(text, encoding="utf-8")
    return path
