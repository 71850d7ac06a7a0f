"""Split rows into training, validation and test set, by a column or by settings."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import numpy as np

from sensorium.config import SplitConfig, as_yaml, set_value
from sensorium.errors import SchemaError
from sensorium.findings import Problem
from sensorium.split._codes import SPLITS, UNUSED, Codes, keep_classes_in_train
from sensorium.split._deal import Rules
from sensorium.split._findings import broken_groups, lacking_groups, left_out, not_named, off_shares, out_of_time
from sensorium.split.earlier import EarlierRows, deal_again, earlier_findings, kept_words
from sensorium.split.folds import Fold
from sensorium.split.spellings import named_codes
from sensorium.table import Column, Rows, Table

FEWEST = 4  # rows with a label


@dataclass(frozen=True)
class Split:
    """Split of the rows, and how it was made.

    Attributes:
        codes: int8[n]; 0 train, 1 validation, 2 test, -1 not used.
        how: description for the report.
        findings: problems, such as a fraction that could not be met or a group in two splits.
        earlier: rows that the start model or the teacher was trained on; None without such a model.
    """

    codes: Codes
    how: str
    findings: tuple[Problem, ...] = ()
    earlier: EarlierRows | None = None

    def rows(self, name: str) -> Rows:
        """Return int64: the rows of `train`, `validation` or `test`, in table order."""
        return np.flatnonzero(self.codes == SPLITS.index(name))

    def sizes(self) -> dict[str, int]:
        return {name: int((self.codes == code).sum()) for code, name in enumerate(SPLITS)}

    def names(self) -> list[str | None]:
        """Return the split of each row; None for rows that are not used."""
        return [None if code < 0 else SPLITS[code] for code in self.codes.tolist()]

    @property
    def digest(self) -> str:
        """Return a digest that identifies the split."""
        return hashlib.sha256(self.codes.tobytes()).hexdigest()


def make_split(
    table: Table,
    target: Column,
    config: SplitConfig,
    column: str | None,
    seed: int,
    *,
    earlier: EarlierRows | None = None,
) -> Split:
    """Split the rows that have a label.

    Args:
        table: the rows.
        target: its label column; rows without a label are not used.
        config: settings of the split: group, time, fractions.
        column: the column that names the splits; None without one. If it names no validation rows, they are taken from
            the training rows, by group and time if these are set.
        seed: random seed of the shuffle.
        earlier: rows that the start model or the teacher was trained on. They stay in the training part where rows are
            drawn at random or by group and enough other rows remain; else they are reported.

    Raises:
        SchemaError: the split column has unknown words; there are no training rows or too few rows to split; or the
            rows cannot be ordered by time.
    """
    rules, labelled = Rules(table, target, config, seed), np.flatnonzero(target.present)
    split = _named(rules, column, labelled, earlier) if column else _made(rules, labelled, earlier)
    _check_train(split.codes, table, column)
    if split.earlier is None:
        return split
    findings = earlier_findings(split.earlier, split.codes, column, config.time)
    return replace(split, how=split.how + kept_words(split.earlier), findings=(*split.findings, *findings))


def split_fold(table: Table, target: Column, config: SplitConfig, fold: Fold, *, seed: int, name: str) -> Split:
    """Split the rows of a fold: its judged rows are the test rows, and validation rows are taken from the others.

    Args:
        table: the rows.
        target: its label column.
        config: settings of the split: group, time, fraction of validation rows.
        fold: the rows, in the table.
        seed: random seed of the validation rows.
        name: description of the fold.

    Raises:
        SchemaError: no row is left to train on.
    """
    rules, codes = Rules(table, target, config, seed), np.full(len(table), UNUSED, np.int8)
    codes[fold.learn], _, findings = _take_validation(rules, fold.learn, None)
    if rules.stratified and not (config.time or config.group):
        keep_classes_in_train(codes, target)
    codes[fold.judge] = SPLITS.index("test")
    _check_train(codes, table, None)
    late = out_of_time(rules, codes, _span_cure(config))
    return Split(codes, f"{name}{_taken(rules)}", (*late, *findings, *_guesses(rules)))


def _take_validation(
    rules: Rules, rows: Rows, earlier: EarlierRows | None
) -> tuple[Codes, EarlierRows | None, list[Problem]]:
    """Take validation rows from training rows: return the codes of these rows, and what could not be met."""
    shares = (rules.config.validation, 0.0)
    dealt = rules.deal(rows, shares, step=0)
    if earlier:
        dealt, earlier = deal_again(rules, rows, shares, dealt, earlier, step=0)
    return dealt, earlier, [*left_out(rules, dealt), *off_shares(rules, dealt, shares)]


def _taken(rules: Rules) -> str:
    return f"; validation rows taken from the training rows{_by(rules.config)}{_notes(rules)}"


def _named(rules: Rules, name: str, labelled: Rows, earlier: EarlierRows | None) -> Split:
    """Split by a column; if it names no validation rows, take them from the training rows."""
    config = rules.config
    codes, how = named_codes(rules.table.column(name)), f"named by column {name!r}"
    findings = [*not_named(codes, labelled, name)]
    codes[~rules.target.present] = UNUSED
    findings += [
        *broken_groups(rules, codes, name),
        *out_of_time(rules, codes, "remove split.column or split.time, or correct the column"),
    ]
    if (codes == 0).any() and not (codes == 1).any() and config.validation:
        rows = np.flatnonzero(codes == 0)
        codes[rows], earlier, more = _take_validation(rules, rows, earlier)
        how += _taken(rules)
        findings += more
    return Split(codes, how, (*findings, *_guesses(rules)), earlier)


def _made(rules: Rules, labelled: Rows, earlier: EarlierRows | None) -> Split:
    config, codes = rules.config, np.full(len(rules.table), UNUSED, np.int8)
    shares = (config.validation, config.test)
    _check_count(rules.table, labelled)
    dealt = rules.deal(labelled, shares)
    if earlier:
        dealt, earlier = deal_again(rules, labelled, shares, dealt, earlier)
    codes[labelled] = dealt
    if not (config.time or config.group):
        if rules.stratified:
            keep_classes_in_train(codes, rules.target)
        dealt = codes[labelled]
        return Split(codes, f"made: {_chance(rules)}", tuple(off_shares(rules, dealt, shares)), earlier)
    if not config.time:
        how = f"made: by group ({config.group!r}), seed {rules.seed}"
    elif not config.group:
        how = f"made: by time ({config.time!r}); the latest rows are the test rows"
        gone = int((dealt == UNUSED).sum())
        how += f"; {gone:,} rows that overlap with the period of a later split are left out" if rules.reach else ""
    else:
        how = f"made: by time ({config.time!r}) and group ({config.group!r}); the latest groups are the test rows"
    findings = [
        *out_of_time(rules, codes, _span_cure(config)),
        *left_out(rules, dealt),
        *off_shares(rules, dealt, shares),
        *_guesses(rules),
    ]
    return Split(codes, how + _notes(rules), tuple(findings), earlier)


def _span_cure(config: SplitConfig) -> str:
    time = as_yaml(config.time or "")
    return f"{set_value('split.span', f'[{time}, {time}]')} leaves out rows so that the splits do not overlap in time"


def _chance(rules: Rules) -> str:
    return f"{'stratified by the label' if rules.stratified else 'at random'}, seed {rules.seed}"


def _by(config: SplitConfig) -> str:
    """Describe how validation rows are taken from the training rows."""
    parts = [f"by time ({config.time!r})"] * bool(config.time) + [f"by group ({config.group!r})"] * bool(config.group)
    return " " + " and ".join(parts) if parts else ""


def _notes(rules: Rules) -> str:
    """Describe how times or group names were normalized."""
    dates = "; text ordered as dates" if rules.config.time and rules.moments.as_dates else ""
    return dates + ("; case and blanks of group names ignored" if rules.config.group and rules.blanks else "")


def _guesses(rules: Rules) -> list[Problem]:
    found = lacking_groups(rules) if rules.config.group else []
    return found + (list(rules.moments.findings) if rules.config.time else [])


def _check_count(table: Table, labelled: Rows) -> None:
    if len(labelled) < FEWEST:
        raise SchemaError(
            f"too few rows with a label: {len(labelled)} of {len(table)}; at least {FEWEST} are needed",
            place=table.name,
            rule="training, validation and test need rows with a label",
        )


def _check_train(codes: Codes, table: Table, column: str | None) -> None:
    if not (codes == 0).any():
        place = f"column {column!r}" if column else table.name
        raise SchemaError("no row with a label is in the training split", place=place, rule="some rows are `train`")
