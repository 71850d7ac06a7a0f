"""Say where an option or a setting belongs that is given at a wrong place."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable

from sensorium.errors import ConfigError
from sensorium.registry import KINDS, Registry, encoders, modalities
from sensorium.registry.weights import PACKAGED

SHOWN = 6  # members in a message
# Kind → key under which the options of a member are set.
KEYS = {"fusion": "fusion", "head": "head", "encoder": "encoders.{}", "modality": "modalities.{}"}
JOINED = re.compile(r"(?P<name>\w+)[.:](?P<option>\w+)=(?P<value>.*)", re.DOTALL)


def belongs_to(kind: str, name: str, option: str) -> str:
    """Return which other members have an option that a member lacks, and how it is set there; empty if none has it.

    Args:
        kind, name: the member that got the option.
        option: the name of the option.
    """
    same = f"{option} is an option of {_listed(kind, found)}" if (found := _having(KINDS[kind], option)) else ""
    return "; ".join(filter(None, (_beside(kind, name, option), same)))


def _beside(kind: str, name: str, option: str) -> str:
    """Return where a modality's option belongs that an encoder got, or the reverse."""
    if kind == "encoder":
        accepted = encoders.entry(name).literal("ACCEPTS", ())
        found = [each for each in _having(modalities, option) if each in accepted]
        flags = " or ".join(f"--set modalities.{each}.{option}=…" for each in found[:SHOWN])
        return f"{option} is an option of {_listed('modality', found)}: {flags}" if found else ""
    if kind == "modality":
        found = [each for each in _having(encoders, option) if name in encoders.entry(each).literal("ACCEPTS", ())]
        flag = f"--set encoders.{name}.{option}=…"
        return f"{option} is an option of {_listed('encoder', found)}: {flag}" if found else ""
    return ""


def _having(registry: Registry, option: str) -> list[str]:
    return [name for name in registry.names() if any(each.name == option for each in registry.options(name))]


def _listed(kind: str, names: Iterable[str]) -> str:
    shown = list(names)
    plural = {"modality": "modalities"}.get(kind, f"{kind}s")
    more = f" and {len(shown) - SHOWN} more" if len(shown) > SHOWN else ""
    return f"the {kind if len(shown) == 1 else plural} {', '.join(shown[:SHOWN])}{more}"


def joined_option(kind: str, text: str, flag: str) -> ConfigError | None:
    """Return the error of a name with an option, as in `--fusion gated.heads=4`; None if the text is not of this form.

    Args:
        kind: of the member that the flag names.
        text: the value of the flag.
        flag: the flag.
    """
    match = JOINED.fullmatch(text)
    if match is None or match["name"] not in KINDS[kind].entries:
        return None
    name, option = match["name"], match["option"]
    known = [each.name for each in KINDS[kind].options(name)]
    setting = shlex.quote(f"{KEYS[kind].format(name)}.{option}={match['value']}")
    cure = f"{flag} {name} --set {setting}" if option in known else belongs_to(kind, name, option)
    rule = f"{flag} takes a name; options are settings: {KEYS[kind].format('NAME')}.OPTION"
    finding = f"{flag} {text!r} sets an option"
    if option not in known:
        finding = f"{kind} {name!r} has no option {option!r}"
        cure = cure or (f"its options: {', '.join(known)}" if known else "it has no options")
    return ConfigError(finding, place=f"{flag} {text}", rule=rule, cure=cure)


def modality_option(column: str, value: str) -> ConfigError | None:
    """Return the error of `--modality image.size=96`; None if it sets no option."""
    owner, dot, option = column.rpartition(".")
    having = _having(modalities, option)
    if value in modalities.entries or not dot or not having:
        return None
    cure = f"--set {shlex.quote(f'modalities.{_quoted(owner)}.{option}={value}')}"
    finding = f"--modality {f'{column}={value}'!r} sets an option, {option}, of {_listed('modality', having)}"
    return ConfigError(finding, place="--modality", rule="--modality takes column=modality: age=category", cure=cure)


def _quoted(name: str) -> str:
    return name if re.fullmatch(r"[^.=\"]+", name) else '"{}"'.format(name.replace('"', '""'))


def setting_flag(flag: str, value: str | None) -> ConfigError | None:
    """Return the error of a flag that is no flag of a command but a setting; None if it is none.

    Args:
        flag: such as `--batch-size` or `--encoder`.
        value: the argument that follows it, if any.
    """
    from sensorium.config._describe import list_settings

    key = flag.removeprefix("--").replace("-", "_")
    member = {"encoder": "encoders", "encoders": "encoders", "modalities": "modalities", "head": "head"}.get(key)
    if member in ("encoders", "modalities"):
        assignments = _of_column(member, value or "COLUMN=NAME")
    else:
        names = [each.name for each in list_settings() if key in (each.name, each.name.rpartition(".")[2])]
        if not (member or names):
            return None
        assignments = [f"{member or min(names, key=len)}={value or 'VALUE'}"]
    return ConfigError(
        f"there is no flag {flag}: it is a setting",
        place=flag,
        rule="--set sets any setting (see `sensorium list settings`)",
        cure=" ".join(f"--set {shlex.quote(assignment)}" for assignment in assignments),
    )


def _of_column(member: str, value: str) -> list[str]:
    """Return the settings for `--encoder VALUE`: the value is a column with a name, a name, or an option."""
    column, equals, given = value.partition("=")
    registry = encoders if member == "encoders" else modalities
    known = {*registry.names(), *(weights.name for weights in PACKAGED if member == "encoders")}
    if not equals:
        return [f"{member}.COLUMN={column}" if column in known else f"{member}.{column}=NAME"]
    name, _, option = column.partition(".")
    if option and name in known and name not in modalities.entries:  # options of one encoder
        return [f"{member}.COLUMN={name}", f"{member}.COLUMN.{option}={given}"]
    options = {each.name for name in registry.names() for each in registry.options(name)}
    return [f"{member}.COLUMN.{column}={given}" if column in options else f"{member}.{column}={given or 'NAME'}"]
