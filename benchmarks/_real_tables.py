"""The real tables of `tables.py`: columns, target, metric, and the rule by which their rows are split.

Columns are all but identifiers and those that the table's README calls labels or leaks. Split 0 is the official one,
the column `split`. Splits 1 to 4 are redrawn by the same rule, with the official shares.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from pyarrow import csv, parquet

Rows = npt.NDArray[np.int64]
UNUSED, TRAIN, VALIDATION, JUDGED = -1, 0, 1, 2
WORDS = {"train": TRAIN, "val": VALIDATION, "validation": VALIDATION, "test": JUDGED}
SPLITS = 5


@dataclass(frozen=True)
class RealTable:
    """One table of the benchmark.

    Attributes:
        name: its folder in the folder of data sets.
        target: the column to predict.
        metric: the metric that ranks the models.
        kinds: column → text, category, number, date, image, audio, series or scan. A model of Sensorium gets the
            columns without the kinds.
        rule: stratified (by the class), grouped, stratified groups, random, or time (the latest
            rows are the test rows).
        group: the column of groups or of time.
        unit: the column whose values are resampled together for intervals; rows by default.
        why: the rule in words.
    """

    name: str
    target: str
    metric: str
    kinds: dict[str, str]
    rule: str
    group: str = ""
    unit: str = ""
    why: str = ""

    @property
    def is_amount(self) -> bool:
        return self.metric in ("r2", "rmse")

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        return cls(**json.loads(text))


def _kinds(**named: str) -> dict[str, str]:
    """`text="title review"` → {"title": "text", "review": "text"}."""
    return {column: kind for kind, columns in named.items() for column in columns.split()}


TABLES = {
    table.name: table
    for table in (
        RealTable(
            "av_digits", "digit", "accuracy", _kinds(image="image_degraded", audio="audio_noisy"),
            "grouped", "take",
            why="Five of the fifty takes (repetitions of every digit by every speaker) test, five validate.",
        ),
        RealTable(
            "clothing_reviews", "recommended", "f1",
            _kinds(text="title review_text", number="age positive_feedback_count",
                   category="clothing_id division_name department_name class_name"),
            "stratified",
            why="The official split is random: rows are drawn stratified by the label. `rating` is left out.",
        ),
        RealTable(
            "exercises", "primary_muscle", "accuracy",
            _kinds(image="image_start image_end", text="name instructions", number="n_steps",
                   category="equipment force mechanic level category"),
            "stratified",
            why="The official split is random: rows are drawn stratified by the label. `secondary_muscles`, the other "
            "half of the same annotation, is left out.",
        ),
        RealTable(
            "fashion_products", "article_type", "accuracy",
            _kinds(image="image", text="product_name", category="gender base_colour season usage", number="year"),
            "stratified groups", "product_name", "product_name",
            why="Products of one name stay together. `master_category` and `sub_category` group the classes and are "
            "left out.",
        ),
        RealTable(
            "fomc_stance", "stance", "f1_weighted",
            _kinds(text="sentence", category="source", number="year n_words"),
            "stratified groups", "sentence", "sentence",
            why="The official split is random, with 12 sentences in training and test set: rows are drawn "
            "stratified by the label, and rows of one sentence stay together.",
        ),
        RealTable(
            "hippocampus_mri", "hippocampus_mm3", "r2",
            _kinds(scan="scan", number="intensity_max", category="dtype"),
            "random",
            why="The official split is random. `mask` and its volumes are the label; `shape` is left out.",
        ),
        RealTable(
            "mitbih_ecg", "ventricular_beat", "roc_auc",
            _kinds(series="ecg_125hz", number="age", category="sex", text="medication"),
            "grouped", "patient", "patient",
            why="Windows of one patient stay together. The annotations of the window are left out.",
        ),
        RealTable(
            "nlvr", "label", "accuracy", _kinds(image="image", text="sentence"),
            "grouped", "sentence", "sentence",
            why="Rows of one sentence stay together. `structured` and `n_objects` describe the picture and are left "
            "out.",
        ),
        RealTable(
            "openmoji", "group", "accuracy", _kinds(image="image", text="name tags", category="designer", date="drawn"),
            "stratified",
            why="The official split is random: rows are drawn stratified by the label. `hexcode` and `subgroup` are "
            "left out.",
        ),
        RealTable(
            "pokedex", "type_1", "accuracy",
            _kinds(image="image", text="name description species abilities egg_groups", category="type_2",
                   number="height_m weight_kg male_pct evolves_from hp attack defense sp_attack sp_defense speed"),
            "stratified",
            why="The official split is random: rows are drawn stratified by the label.",
        ),
        RealTable(
            "stocknet", "rises", "accuracy",
            _kinds(text="tweets", series="movement close high low log_volume", category="ticker sector",
                   number="n_tweets"),
            "time", "date", "date",
            why="The latest days test, those before validate. Split k tests k windows earlier and leaves out all rows "
            "after its window.",
        ),
    )
}  # fmt: skip


@dataclass(frozen=True)
class Shared:
    """The rows of a table that a cell may see.

    Attributes:
        table: their cells, as Arrow columns.
        folder: the folder that paths in cells are relative to.
        roles: int8[n]: training, validation or judged row, or not used.
        rows: number of each row in the whole table.
    """

    table: pa.Table
    folder: Path
    roles: npt.NDArray[np.int8]
    rows: Rows

    def of(self, role: int) -> Rows:
        return np.flatnonzero(self.roles == role)


def open_shared(spec: RealTable, data: Path, split: int, *, final: bool) -> Shared:
    """Read a table and give each row its role.

    With `final`, the test rows are judged. Without it, they are dropped before anything else is done: the official
    validation rows are judged in split 0, and further splits are redrawn from the remaining rows; the validation rows
    of a model are then drawn from the training rows.
    """
    folder = (data / spec.name).resolve()
    table = read_table(folder)
    official = np.array([WORDS[word.lower()] for word in table["split"].to_pylist()], np.int8)
    seen = np.arange(len(official)) if final else np.flatnonzero(official != JUDGED)
    rows = seen[np.asarray(table[spec.target].take(seen).is_valid())]
    table, official = table.take(rows), official[rows]
    return Shared(table, folder, roles_of(spec, table, official, split, final=final), rows)


def read_table(folder: Path) -> pa.Table:
    """Read `table.csv`, whose empty cells are missing, or `table.parquet`."""
    if (folder / "table.parquet").exists():
        return parquet.read_table(folder / "table.parquet").replace_schema_metadata(None)
    options = csv.ConvertOptions(null_values=[""], strings_can_be_null=True)
    return csv.read_csv(
        folder / "table.csv", csv.ReadOptions(), csv.ParseOptions(newlines_in_values=True), convert_options=options
    )


def roles_of(
    spec: RealTable, table: pa.Table, official: npt.NDArray[np.int8], split: int, *, final: bool
) -> npt.NDArray[np.int8]:
    """Return the role of each row: the official one, or redrawn by the rule of the table."""
    shares = [float((official == code).mean()) for code in (VALIDATION, JUDGED)]
    if not final:  # no test rows are left
        shares = [shares[0], shares[0]]
    if split:
        return divide(spec, table, (shares[0], shares[1]), split)
    if final:
        return official
    roles = np.where(official == VALIDATION, JUDGED, TRAIN).astype(np.int8)
    train = np.flatnonzero(roles == TRAIN)
    roles[train] = divide(spec, table.take(train), (shares[0], 0.0), 0)
    return roles


def divide(spec: RealTable, table: pa.Table, shares: tuple[float, float], split: int) -> npt.NDArray[np.int8]:
    """Draw training, validation and judged rows by the rule of a table.

    Args:
        shares: of the validation and of the judged rows.
        split: number of the split: the seed of a draw, or the number of windows to go back in time.
    """
    names = table[spec.group].to_pylist() if spec.group else list(range(len(table)))
    units, first, places = np.unique(np.array(names), return_index=True, return_inverse=True)
    if spec.rule == "time":
        return _by_time(places, shares, split)
    order = np.random.default_rng(1000 + split).permutation(len(units))
    strata = np.zeros(len(units), np.int64)
    if spec.rule.startswith("stratified"):
        strata = np.unique(np.array(table[spec.target].to_pylist()), return_inverse=True)[1][first]
    codes = np.empty(len(units), np.int8)
    sizes = np.bincount(places)
    for stratum in np.unique(strata):
        drawn = order[strata[order] == stratum]
        middle = (sizes[drawn].cumsum() - sizes[drawn] / 2) / sizes[drawn].sum()
        codes[drawn] = np.where(middle < shares[1], JUDGED, np.where(middle < sum(shares), VALIDATION, TRAIN))
    return codes[places]


def _by_time(places: Rows, shares: tuple[float, float], split: int) -> npt.NDArray[np.int8]:
    """The judged rows are the window `split` windows before the end; all rows of a moment have one role."""
    sizes = np.bincount(places)
    middle = ((sizes.cumsum() - sizes / 2) / len(places))[places]
    end = 1 - split * shares[1]
    cuts = [end - shares[1] - shares[0], end - shares[1], end]
    return np.array([TRAIN, VALIDATION, JUDGED, UNUSED], np.int8)[np.searchsorted(cuts, middle, side="right")]


def codes_of(spec: RealTable, table: pa.Table) -> tuple[npt.NDArray[Any], list[str]]:
    """Return class codes and class names, in order; or amounts and no names."""
    cells = table[spec.target].to_pylist()
    if spec.is_amount:
        return np.array(cells, np.float64), []
    names = sorted({str(cell) for cell in cells})
    place = {name: number for number, name in enumerate(names)}
    return np.array([place[str(cell)] for cell in cells], np.int64), names


def numbered(table: pa.Table, column: str) -> Rows:
    """Number the values of a column in their order; each row is a value of its own without a column."""
    if not column:
        return np.arange(len(table))
    return np.unique(np.array(table[column].to_pylist()), return_inverse=True)[1].astype(np.int64)


def to_pandas(table: pa.Table, kinds: dict[str, str]) -> pd.DataFrame:
    return table.select(list(kinds)).to_pandas()
