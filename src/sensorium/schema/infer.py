"""Which modality each column is, which task the target asks for: the registered members claim, the best claim wins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from sensorium.config import Config
from sensorium.errors import ConfigError, SchemaError, did_you_mean, raise_together
from sensorium.registry import Registry, modalities, tasks
from sensorium.schema.alike import agree_on_lists
from sensorium.schema.guess import Guess
from sensorium.schema.split import SPELLINGS
from sensorium.table import Column, Table

SPLIT_NAMES = ("split", "fold", "subset", "partition", "set")
UNSURE = 0.7  # below this confidence a guess is shown with a caution
CLOSE = 0.125  # a runner-up this near is shown too
FEW = 10  # values below which nothing is said to be an identifier
MOSTLY_UNIQUE = 0.9  # share of different values from which short words and whole numbers look like an identifier


@dataclass(frozen=True)
class ColumnPlan:
    """What becomes of one column.

    Attributes:
        name: the column.
        modality: registered name; None where the column is left out.
        reason: why.
        caution: what the user should look at; empty where the guess is safe.
        confidence: 0 to 1.
    """

    name: str
    modality: str | None
    reason: str
    caution: str = ""
    confidence: float = 1.0


def infer_columns(table: Table, config: Config) -> list[ColumnPlan]:
    """A plan for every column of the table, in its order.

    Raises:
        SchemaError: settings that name columns the table lacks; no column left to learn from.
    """
    roles = _roles(table, config)
    plans = [_plan(table.column(name), config, roles.get(name)) for name in table.columns]
    plans = agree_on_lists(table, plans)
    plans = [each for plan in plans for each in (plan, *_views(plan, table, config))]
    _check_names(table, config, [plan.name for plan in plans])
    if not any(plan.modality for plan in plans):
        reasons = "; ".join(f"{p.name!r}: {p.reason}" for p in plans)
        raise SchemaError(
            "no column is left to learn from", place=table.name, rule=reasons, cure="--modality name=text"
        )
    return plans


def infer_task(column: Column, config: Config) -> tuple[str, Guess]:
    """The task that the target asks for, or the one that the settings name.

    Raises:
        SchemaError: the target has no values, or only one.
    """
    place = f"column {column.name!r}"
    if not len(column.values):
        raise SchemaError("the target is missing in every row", place=place)
    if column.distinct < 2:
        raise SchemaError(
            f"the target is always {column.sample(1)[0]!r}",
            place=place,
            rule="a target has two different values or more",
        )
    if config.task:
        tasks.entry(config.task)
        return config.task, Guess(1.0, "by setting")
    name, guess = _best(tasks, column, flag="--task {name}")
    guess = Guess(guess.confidence, guess.reason) if config.tasks else guess  # whoever chose has looked
    if not name:
        raise SchemaError("no task fits the target", place=place, cure=f"--task {' or '.join(tasks.names())}")
    return name, guess


def split_column(table: Table, config: Config) -> str | None:
    """The column that names each row's split: the one set, or one that is called and filled like one."""
    split = config.split
    if split.column or split.group or split.time:
        return split.column
    for name in table.columns:
        if name.lower() in SPLIT_NAMES and name != config.target:
            column = table.column(name)
            if (
                column.is_string
                and len(column.values)
                and column.distinct <= len(SPELLINGS)
                and _spelt_as_split(column)
            ):
                return name
    return None


def _spelt_as_split(column: Column) -> bool:
    return all(value.strip().lower() in SPELLINGS for value in column.values.unique().to_pylist())


def _views(plan: ColumnPlan, table: Table, config: Config) -> list[ColumnPlan]:
    """Plans of what else is in a column's cells.

    What its modality offers, such as a video's sound, is used wherever the column is; what is asked for by its name,
    such as a scan's attribute, with or without the column.
    """
    asked, cells = _asked_views(plan.name, table, config), table.column(plan.name)
    kind = plan.modality or (_kind(cells, config) if asked else None)
    if not kind or plan.name == config.target:
        return []
    member = modalities.load(kind)
    offered = member.views(cells)
    found = []
    for name in dict.fromkeys([*(offered if plan.modality else ()), *asked]):
        column = f"{plan.name}.{name}"
        if column in config.exclude:
            found.append(ColumnPlan(column, None, "left out by setting"))
        elif column not in table.columns and (reader := offered.get(name) or _reader(member, plan.name, name, config)):
            chosen = config.modalities.get(column)
            reason = f"the {name} in the cells of {plan.name}"
            found.append(ColumnPlan(column, (chosen and chosen.name) or reader, reason))
    return found


def _reader(member: Any, owner: str, name: str, config: Config) -> str | None:
    """The modality of a view that is there only because it was asked for: no other could read the cells.

    Raises:
        ConfigError: the settings name another one.
    """
    column, modality = f"{owner}.{name}", cast(str | None, member.view(name))
    chosen = config.modalities.get(column)
    if modality and chosen and chosen.name not in (None, modality):
        options = ", ".join(option.name for option in modalities.entry(modality).options("learn"))
        cure = f"leave the modality out; the options of {modality} are {options}"
        raise ConfigError(f"only {modality} can read it, not {chosen.name}", place=f"column {column!r}", cure=cure)
    return modality


def _asked_views(owner: str, table: Table, config: Config) -> list[str]:
    """Names of a column's views that the settings speak of."""
    said = dict.fromkeys([*(config.columns or []), *config.modalities, *(c for t in config.towers.values() for c in t)])
    apart = [name.rpartition(".") for name in said if name not in table.columns]
    return [name for column, _, name in apart if column == owner]


def _kind(column: Column, config: Config) -> str | None:
    """The modality of a column that is itself left out."""
    chosen = config.modalities.get(column.name)
    return (chosen and chosen.name) or (_best(modalities, column, "")[0] if len(column.values) else None)


def _check_names(table: Table, config: Config, known: list[str]) -> None:
    asked = [config.target, config.split.column, config.split.group, config.split.time, *(config.split.span or ())]
    asked += [*(config.columns or []), *config.exclude, *(c for tower in config.towers.values() for c in tower)]
    asked += [*config.table.lists]
    asked += [name for name in config.modalities if name not in modalities.entries]
    raise_together([
        SchemaError(f"the table has no column {name!r}", place=table.name, cure=did_you_mean(name, known))
        for name in dict.fromkeys(asked)
        if name is not None and name not in known
    ])  # fmt: skip


def _roles(table: Table, config: Config) -> dict[str, str]:
    """Columns that have another office than being learnt from."""
    roles = {config.split.group: "keeps rows together in a split", split_column(table, config): "names the split"}
    roles |= dict.fromkeys(config.split.span or (), "says how far a row reaches in time")
    roles[config.target] = "the target"
    return {name: role for name, role in roles.items() if name is not None}


def _plan(column: Column, config: Config, role: str | None) -> ColumnPlan:
    name = column.name
    chosen = config.modalities.get(name)
    if role:
        return ColumnPlan(name, None, role)
    if name in config.exclude or (config.columns is not None and name not in config.columns):
        return ColumnPlan(name, None, "left out by setting")
    if not len(column.values):
        return ColumnPlan(name, None, "every cell is missing", caution="there is nothing to learn from")
    if chosen and chosen.name:
        modalities.entry(chosen.name)
        return ColumnPlan(name, chosen.name, "by setting")
    if (windows := config.table.windows) and name in windows.series:
        return ColumnPlan(name, "series", f"by setting: windows of {windows.length} steps")
    if sources := config.table.series.get(name):
        return ColumnPlan(name, "series", f"by setting: {' … '.join(dict.fromkeys([sources[0], sources[-1]]))}")
    if column.distinct == 1:
        return ColumnPlan(name, None, f"always {str(column.sample(1)[0])[:40]!r}")
    found, guess = _best(modalities, column, flag=f"--modality {name}={{name}}")
    if name not in (config.columns or []) and _looks_like_identifier(column, guess):
        reason = f"looks like an identifier: {column.distinct:,} different values in {len(column.values):,} cells"
        return ColumnPlan(name, None, reason, f"--modality {name}=category (or text) to use it")
    if not found:
        reason = f"no modality fits Arrow type {column.data.type}"
        return ColumnPlan(name, None, reason, "make it text or numbers to use it")
    return ColumnPlan(name, found, guess.reason, guess.caution, guess.confidence)


def _looks_like_identifier(column: Column, guess: Guess) -> bool:
    """Nearly every row has its own value, which measures nothing and says nothing: it can't help with new rows."""
    if len(column.values) < FEW or column.distinct < MOSTLY_UNIQUE * len(column.values):
        return False
    if column.is_integer:
        return column.name.lower() in ("id", "index") or column.name.lower().endswith("_id") or _counts_up(column)
    return column.is_string and guess.confidence < UNSURE and all(map(_single_word, column.sample(200)))


def _counts_up(column: Column) -> bool:
    values = column.values.to_numpy(zero_copy_only=False)
    return bool(
        len(values) > 1
        and abs(values[1] - values[0]) == 1
        and (values[1:] - values[:-1] == values[1] - values[0]).all()
    )


def _single_word(value: str) -> bool:
    # A dot or a slash is left to the modalities: it may be the path of a file.
    return value.isascii() and len(value.split()) == 1 and not set(value) & set("./\\:")


def _best(members: Registry, column: Column, flag: str) -> tuple[str | None, Guess]:
    claims: list[tuple[str, Guess]] = []
    for name in members.names():
        guess: Guess | None = members.load(name).looks_like(column)
        if guess:
            claims.append((name, guess))
    claims.sort(key=lambda claim: -claim[1].confidence)
    if not claims:
        return None, Guess(0.0, "nothing claims it")
    name, guess = claims[0]
    others = [other for other, g in claims[1:] if guess.confidence - g.confidence <= CLOSE or guess.confidence < UNSURE]
    if not guess.caution and (others or guess.confidence < UNSURE):
        alternatives = " or ".join(
            flag.format(name=other) for other in others or [n for n in members.names() if n != name]
        )
        return name, Guess(guess.confidence, guess.reason, f"not sure; if it is not {name}: {alternatives}")
    return name, guess
