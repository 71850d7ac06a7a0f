"""Write a commented file of settings from an inspection: `sensorium init`."""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from sensorium.config import TrainConfig, as_yaml, dump_yaml, few_label_changes, list_settings, split_saved
from sensorium.errors.printable import one_line
from sensorium.inspection import Inspection
from sensorium.inspection.result import ColumnReport
from sensorium.registry import fusions, modalities
from sensorium.registry.choices import encoders_for
from sensorium.registry.defaults import DEFAULT_FUSION, DEFAULT_HEAD

WIDTH = 118
HOW = (
    'Other settings are shown with the values that are used for this table. To change one, remove "# " before it and '
    "before the name of its group. `sensorium list settings` describes all of them."
)
FILL_IN = (
    "No target is given: fill in `target` first. With --target, `sensorium init` also shows the task, the split and "
    "the values that are used for few training rows (train.few_labels)."
)
FEW_LABELS = "train.few_labels"
OFTEN = (
    "preset", "width", "train.epochs", "train.batch_size", "train.learning_rate", "train.patience", "train.metric",
    "train.class_weight", "train.modality_dropout", "train.techniques", "train.few_labels", "train.imbalance",
    "calibrate", "seed", "device", "prepare.stream",
)  # fmt: skip
SPLIT = ("split.column", "split.group", "split.time", "split.validation", "split.test")


def settings_file(found: Inspection, given: Mapping[str, Any], *, table: str, file: str) -> str:
    """Return the content of a settings file: YAML with what `inspect` found as comments.

    Target and modalities are set; other settings are comments with the values in force, unless they are given. Without
    a target, the file has a line to fill in.

    Args:
        found: the inspection.
        given: the settings that the inspection used, `target` among them. Those that only the caller sets are left out.
        table, file: names of the table and of the file, for the first line.
    """
    plain, left_out = split_saved(given)
    lines = [
        *_comment(f"Settings of {table}. Train a model with:"),
        _command("fit", table, "--config", file),
        *(() if plain.get("target") else _comment(FILL_IN)),
        *_comment(HOW),
        *(_comment(f"Only the command line sets {', '.join(left_out)}: give it again.") if left_out else ()),
        "",
        *_target(found, plain),
        "",
        *_columns(found, plain),
        "",
        *_split(found, plain),
        "",
        *_network(found, plain),
        "",
        *_often(plain, _few_labels(found, plain)),
        *_others(plain),
    ]
    return "\n".join(lines) + "\n"


def _command(*words: str) -> str:
    """Return a command as a comment on one line, so that it can be copied."""
    return f"#   {one_line(shlex.join(['sensorium', *words]))}"


def _few_labels(found: Inspection, given: Mapping[str, Any]) -> dict[str, str]:
    """Return setting → value in YAML of what `train.few_labels` changes; empty if the split is unknown."""
    if not (found.split and found.target):
        return {}
    train = TrainConfig.model_validate(given.get("train") or {})
    changes = few_label_changes(train, found.split["rows"]["train"], found.target["task"])
    return {f"train.{key}": _flow(value) for key, value in changes.items()}


def _comment(text: str) -> list[str]:
    """Wrap a text as comment lines; what YAML reads as a line break becomes a blank."""
    return _wrap(text, "# ", "# ")


def _wrap(text: str, first: str, rest: str) -> list[str]:
    plain = " ".join(text.split())
    return textwrap.wrap(plain, WIDTH, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)


def _target(found: Inspection, given: Mapping[str, Any]) -> Iterator[str]:
    target = found.target
    if target:
        labels = f", {target['missing']:,} rows have no label" if target["missing"] else ""
        yield from _comment(f"Task: {target['task']} ({target['reason']}){labels}.")
        yield from _cautions(target["caution"])
    names = given.get("target")
    names = names[0] if isinstance(names, list) and len(names) == 1 else names
    yield from _lines({"target": names}) if names else ["target:  # fill in the column to predict"]
    if "task" in given or target:
        yield from _lines({"task": given["task"]}) if "task" in given else [f"# task: {target and target['task']}"]


def _cautions(text: str) -> Iterator[str]:
    if text:
        yield from _comment(f"Check: {text}")


def _columns(found: Inspection, given: Mapping[str, Any]) -> Iterator[str]:
    """Set the modality of each column that is used, with the reason; list those that are left out."""
    chosen = dict(given.get("modalities") or {})
    used = [column for column in found.columns if column.modality]
    yield from _comment(f"{found.rows:,} rows. Modality of each column, with the reason:")
    yield "modalities:"
    for column in used:
        yield from (f"  {line}" for line in _column(column, chosen.pop(column.name, None)))
    yield from (f"  {line}" for line in (_lines(chosen) if chosen else ()))
    target = (found.target or {}).get("column")
    for column in found.columns:
        if not column.modality and column.name != target:
            yield from _comment(f"Left out: {as_yaml(column.name)}: {column.reason}")
            yield from _cautions(column.caution)
    yield from (line for key in ("columns", "exclude") if key in given for line in _lines({key: given[key]}))
    if "exclude" not in given:
        example = f", for example [{as_yaml(used[-1].name)}]" if used else ""
        yield f"# exclude: []  # columns to ignore{example}"


def _column(column: ColumnReport, chosen: Any) -> Iterator[str]:
    missing = f"; {column.missing:,} missing" if column.missing else ""
    yield from _comment(f"{column.reason}{missing}")
    yield from _cautions(column.caution)
    options = {key: value for key, value in chosen.items() if key != "name"} if isinstance(chosen, Mapping) else {}
    setting = {"name": column.modality, **options} if options else column.modality
    yield from _lines({column.name: setting})


def _split(found: Inspection, given: Mapping[str, Any]) -> Iterator[str]:
    if found.split:
        sizes = ", ".join(f"{rows:,} {name}" for name, rows in found.split["rows"].items())
        yield from _comment(f"Split {found.split['how']}; {sizes}.")
    advice = [each for each in found.advice if each["setting"]]
    for each in advice:
        yield from _comment(f"Consider {each['setting']}: {each['reason']}")
    yield from _group("split", SPLIT, given)


def _network(found: Inspection, given: Mapping[str, Any]) -> Iterator[str]:
    """Show the default encoder of each modality and the other encoders that take it, and the fusions."""
    kinds = list(dict.fromkeys(column.modality for column in found.columns if column.modality))
    yield from _comment(
        "Encoders, by modality, column or tower; `sensorium list encoders NAME` shows their options. Where none "
        "is set, the presets good and best may choose installed backbones, which `fit` reports."
    )
    if "encoders" in given:
        yield from _lines({"encoders": given["encoders"]})
    else:
        yield "# encoders:"
        for kind in kinds:
            yield from _encoder(str(kind))
    yield from _comment(f"Fusions: {', '.join(fusions.names())}; `sensorium compare` compares them.")
    yield from _lines({"fusion": given["fusion"]}) if "fusion" in given else [f"# fusion: {DEFAULT_FUSION}"]
    yield from _lines({"head": given["head"]}) if "head" in given else [f"# head: {DEFAULT_HEAD}"]


def _encoder(kind: str) -> Iterator[str]:
    fitting = [name for name in encoders_for([kind]) if name != "module"]  # which is passed in Python
    default = getattr(modalities.load(kind), "encoder", "")
    several = f"  # one of {', '.join(fitting)}" if len(fitting) > 1 else ""
    yield from _wrap(f"{kind}: {default if isinstance(default, str) else fitting[0]}{several}", "#   ", "#     # ")


def _often(given: Mapping[str, Any], few: Mapping[str, str]) -> Iterator[str]:
    """Show the settings that are changed most often, in their groups.

    Args:
        given: the given settings.
        few: the values that `train.few_labels` sets instead of defaults.
    """
    for name in OFTEN:
        if "." not in name:
            yield from _lines({name: given[name]}) if name in given else _default(name, name)
    for group in dict.fromkeys(name.partition(".")[0] for name in OFTEN if "." in name):
        yield ""
        yield from _group(group, [name for name in OFTEN if name.startswith(f"{group}.")], given, few)


def _group(
    group: str, names: Sequence[str], given: Mapping[str, Any], few: Mapping[str, str] = MappingProxyType({})
) -> Iterator[str]:
    """Show settings of a group; a group of which nothing is given is a comment as a whole."""
    own = dict(given.get(group) or {})
    if own:
        yield from _lines({group: own})
    else:
        yield f"# {group}:"
    for name in names:
        key = name.partition(".")[2]
        if key not in own:
            yield from _default(name, key, indent="  ", active=bool(own), value=few.get(name))


def _default(name: str, key: str, indent: str = "", *, active: bool = False, value: str | None = None) -> Iterator[str]:
    """Show a setting with its default as a comment; below a group that is set, the comment is indented.

    With a value, `train.few_labels` sets it instead of the default.
    """
    setting = next(each for each in list_settings(name) if each.name == name)
    why = f" (instead of {setting.default}: few training rows, see {FEW_LABELS})" if value else ""
    text = f"{key}: {value or setting.default}  # {setting.description}{why}"
    first = f"{indent}# " if active else f"# {indent}"
    yield from _wrap(text, first, f"{first}  # ")


def _others(given: Mapping[str, Any]) -> Iterator[str]:
    """Set the other settings that were given."""
    shown = {"target", "task", "modalities", "columns", "exclude", "encoders", "fusion", "head", "split"}
    shown |= {name.partition(".")[0] for name in OFTEN}
    others = {key: value for key, value in given.items() if key not in shown and value not in ({}, None)}
    if others:
        yield ""
        yield from _lines(others)


def _lines(tree: Mapping[str, Any]) -> list[str]:
    return dump_yaml(tree, width=WIDTH).rstrip("\n").split("\n")


def _flow(value: Any) -> str:
    """Write one value as YAML on one line."""
    import yaml

    return str(yaml.safe_dump(value, default_flow_style=True)).removesuffix("\n...\n").strip()
