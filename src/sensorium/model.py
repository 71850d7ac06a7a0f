"""Schema + encoders + fusion + head → one `nn.Module`: wiring only."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from sensorium.batch import Batch, Cells, Tokens
from sensorium.config import Choice, Config, check_options
from sensorium.encoders import Encoder
from sensorium.encoders.module import Module
from sensorium.errors import ConfigError, did_you_mean
from sensorium.fusion import Fusion
from sensorium.modalities import Facts, Modality
from sensorium.prepare.loader import Loader
from sensorium.registry import encoders, fusions, heads, modalities


@dataclass(frozen=True)
class TowerPlan:
    """Columns that are encoded together, and by what. A tower is what fusions and reports call a modality."""

    name: str
    columns: list[str]
    encoder: str
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Blueprint:
    """Everything needed to build the network again, as JSON values."""

    towers: list[TowerPlan]
    fusion: str
    fusion_options: dict[str, Any]
    width: int
    head: str = "linear"
    head_options: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Blueprint:
        return cls(**{**content, "towers": [TowerPlan(**tower) for tower in content["towers"]]})


class Tower(nn.Module):
    """An encoder and the projection of its tokens to what the fusion takes."""

    def __init__(self, name: str, columns: Sequence[str], encoder: Encoder, project: nn.Module) -> None:
        super().__init__()
        self.name, self.columns = name, tuple(columns)
        self.encoder, self.project = encoder, project
        self.reads_features = False  # instead of cells: what the encoder's `features` gave, computed beforehand

    def present(self, batch: Batch) -> Bool[Tensor, " b"]:
        """A modality is there where one of its columns is."""
        return torch.stack([batch.cells[name].present for name in self.columns]).any(0)

    def forward(self, batch: Batch, keep: Bool[Tensor, " b"], tokens: bool) -> Tokens:
        """Encode the rows to keep; the others get no token, whatever their cells hold."""
        cells = [batch.cells[name] for name in self.columns]
        if bool(keep.all()):
            return self._encode(cells, tokens)
        rows = keep.nonzero().squeeze(1)
        if not len(rows):
            return Tokens(self._nothing(keep), keep[:, None])
        return self._encode([c.take(rows) for c in cells], tokens).scatter(rows, len(keep))

    def _encode(self, cells: Sequence[Cells], tokens: bool) -> Tokens:
        found = self.encoder.from_features(*cells) if self.reads_features else self.encoder(*cells)  # type: ignore[attr-defined]
        if tokens:
            return Tokens(self.project(found.values), found.mask)
        return Tokens.of_vector(self.project(found.pooled()))

    def _nothing(self, keep: Tensor) -> Tensor:
        width = getattr(self.project, "out_features", self.encoder.width)
        return torch.zeros(len(keep), 1, width, device=keep.device)


class FusionModel(nn.Module):
    """Towers → fusion → head.

    Args:
        towers: one a modality.
        fusion: of as many modalities.
        head: makes logits of the fused vector; a fusion of decisions gives them itself.
        outputs: number of logits.
    """

    def __init__(self, towers: Sequence[Tower], fusion: Fusion, head: nn.Module, *, outputs: int) -> None:
        super().__init__()
        self.towers = nn.ModuleList(towers)
        self.fusion, self.head, self.outputs = fusion, head, outputs
        self.resting: tuple[nn.Module, ...] = ()  # parts that stay in evaluation mode while others train

    def train(self, mode: bool = True) -> FusionModel:
        """Training mode, but for the parts that rest."""
        super().train(mode)
        for part in self.resting:
            part.eval()
        return self

    def forward(self, batch: Batch, hide: Bool[Tensor, "b m"] | None = None) -> Float[Tensor, "b k"]:
        """Logits; `hide` takes modalities away from rows as if they were missing."""
        return self.decide(*self.encode(batch, hide))

    def encode(self, batch: Batch, hide: Bool[Tensor, "b m"] | None = None) -> tuple[list[Tokens], Bool[Tensor, "b m"]]:
        """What each tower makes of the rows that have its modality, and which rows have which."""
        present = self.present(batch) if hide is None else self.present(batch) & ~hide
        every_token = self.fusion.level == "token"
        return [tower(batch, present[:, i], every_token) for i, tower in enumerate(self.every_tower)], present

    def decide(self, tokens: Sequence[Tokens], present: Bool[Tensor, "b m"]) -> Float[Tensor, "b k"]:
        """Logits, from the modalities that are present."""
        return self.head(self.fusion(list(tokens), present))

    @contextmanager
    def reading_features(self, towers: Collection[str]) -> Iterator[None]:
        """Within, some towers are given features that were computed beforehand."""
        for tower in self.every_tower:
            tower.reads_features = tower.name in towers
        try:
            yield
        finally:
            for tower in self.every_tower:
                tower.reads_features = False

    def shares(self, batch: Batch) -> Float[Tensor, "b m"] | None:
        """How much each modality counts in each row, where the fusion has such weights."""
        return self.fusion.shares(*self.encode(batch))

    def present(self, batch: Batch) -> Bool[Tensor, "b m"]:
        """Which modalities each row has."""
        return torch.stack([tower.present(batch) for tower in self.every_tower], 1)

    @property
    def parts(self) -> list[tuple[str, nn.Module]]:
        """The towers by their names, then `fusion` and `head`."""
        others: list[tuple[str, Any]] = [("fusion", self.fusion), ("head", self.head)]
        return [*((tower.name, tower) for tower in self.every_tower), *others]

    @property
    def every_tower(self) -> list[Tower]:
        """The towers, as what they are."""
        return [tower for tower in self.towers if isinstance(tower, Tower)]

    def tower(self, name: str) -> Tower:
        """The one of that name."""
        return next(tower for tower in self.every_tower if tower.name == name)


def plan_model(learnt: Mapping[str, Modality], kinds: Mapping[str, str], config: Config) -> Blueprint:
    """Group columns into towers, choose their encoders, check every option.

    Args:
        learnt: column → modality.
        kinds: column → the modality's registered name.
        config: encoders, towers, fusion, width.

    Raises:
        ConfigError: unknown names and options; an encoder that doesn't take a tower's modality.
    """
    towers = [_plan_tower(name, columns, learnt, kinds, config) for name, columns in _group(learnt, config).items()]
    _check_keys(config, towers, kinds)
    fusion = config.fusion.name or "concat"
    options = check_options(fusions.load(fusion), config.fusion.options, f"fusion {fusion!r}")
    return Blueprint(towers, fusion, options, config.width, *_plan_head(config, fusion))


def _plan_head(config: Config, fusion: str) -> tuple[str, dict[str, Any]]:
    head = config.head.name or "linear"
    options = check_options(heads.load(head), config.head.options, f"head {head!r}")
    if head != "linear" and fusions.load(fusion).level == "decision":
        rule = "each modality has a head of its own, whose logits are fused"
        raise ConfigError(f"fusion {fusion!r} takes no head {head!r}", place="head", rule=rule)
    return head, options


def build_model(
    blueprint: Blueprint, facts: Mapping[str, Facts], outputs: int, modules: Mapping[str, nn.Module]
) -> FusionModel:
    """The network that a blueprint describes, freshly initialised from torch's random state.

    Args:
        blueprint: towers and fusion.
        facts: column → what its modality tells encoders.
        outputs: number of logits.
        modules: tower → the user's own module, for towers whose encoder is `module`.
    """
    parts = [build_encoder(plan, facts, modules) for plan in blueprint.towers]
    kind = fusions.load(blueprint.fusion)
    width = outputs if kind.level == "decision" else blueprint.width
    widths = [part.width if kind.own_widths else width for part in parts]
    towers = [
        Tower(plan.name, plan.columns, part, _projection(part.width, goal, own_head=kind.level == "decision"))
        for plan, part, goal in zip(blueprint.towers, parts, widths, strict=True)
    ]
    fusion = kind(widths, width, **check_options(kind, blueprint.fusion_options, f"fusion {blueprint.fusion!r}"))
    head = nn.Identity() if kind.level == "decision" else _build_head(blueprint, fusion.width, outputs)
    return FusionModel(towers, fusion, head, outputs=outputs)


def _build_head(blueprint: Blueprint, width: int, outputs: int) -> nn.Module:
    kind = heads.load(blueprint.head)
    return kind(width, outputs, **check_options(kind, blueprint.head_options, f"head {blueprint.head!r}"))


def places_of(old: Tensor, new: Tensor, logits: Tensor, sizes: tuple[int, int]) -> tuple[Tensor, ...]:
    """Index by which a weight of a larger model gives what stands for another model's.

    Args:
        old: weight of a model of `sizes[0]` logits.
        new: the same weight where there are `sizes[1]`, in other respects the same.
        logits: int64[k], where each of the old logits is now.
        sizes: both numbers of logits.
    """
    grown = old.shape != new.shape
    pairs = zip(old.shape, new.shape, strict=True)
    axes = [logits if grown and pair == sizes and pair[0] != pair[1] else torch.arange(pair[0]) for pair in pairs]
    return torch.meshgrid(*axes, indexing="ij") if axes else ()


def infer(model: FusionModel, loader: Loader, rows: npt.NDArray[np.int64], size: int) -> npt.NDArray[np.float32]:
    """(n, k) logits of some rows, in their order, `size` of them at a time."""
    model.eval()
    logits = torch.zeros(len(rows), model.outputs)
    with torch.inference_mode():
        for places, batch in loader.by_length(rows, size):
            logits[places] = model(batch).float().cpu()
    return logits.numpy()


def _projection(inside: int, outside: int, own_head: bool) -> nn.Module:
    return nn.Linear(inside, outside) if own_head or inside != outside else nn.Identity()


def _group(learnt: Mapping[str, Modality], config: Config) -> dict[str, list[str]]:
    """Tower → columns: as set, else the modality's shared tower, else one a column; in the order of the columns.

    A shared tower of one column is called like the column.
    """
    chosen = {column: tower for tower, columns in config.towers.items() for column in columns}
    groups: dict[str, list[str]] = {}
    for column, modality in learnt.items():
        groups.setdefault(chosen.get(column) or modality.tower or column, []).append(column)
    return {
        tower if tower in config.towers or len(columns) > 1 else columns[0]: columns
        for tower, columns in groups.items()
    }


def _plan_tower(
    name: str, columns: list[str], learnt: Mapping[str, Modality], kinds: Mapping[str, str], config: Config
) -> TowerPlan:
    choice = _choice(config, kinds[columns[0]], columns[0], name)
    encoder = choice.name or learnt[columns[0]].encoder
    entry = encoders.entry(encoder)
    # A modality vouches for the encoder that it names itself: one new file is enough to add it.
    others = [kinds[column] for column in columns if learnt[column].encoder != encoder]
    _check_accepts(name, encoder, others, len(columns))
    kind, plan = entry.load(), TowerPlan(name, columns, encoder, choice.options)
    options = _checked_options(plan, kind)
    return replace(plan, options=kind.complete(options) if hasattr(kind, "complete") else options)


def encoder_wishes(column: str, modality: str, config: Config) -> dict[str, Any]:
    """What the encoder chosen for a column asks of its modality: a pretrained model wants its own tokenizer, its size.

    Empty where the settings choose none, or one that takes what comes.
    """
    tower = next((name for name, columns in config.towers.items() if column in columns), column)
    choice = _choice(config, modality, column, tower)
    kind = encoders.load(choice.name) if choice.name else None
    return kind.wishes(choice.options) if kind and hasattr(kind, "wishes") else {}


def _choice(config: Config, *keys: str) -> Choice:
    """What the settings say of the encoder, the later key over the earlier one."""
    choice = Choice()
    for key in keys:
        choice = _refine(choice, config.encoders.get(key))
    return choice


def _refine(choice: Choice, other: Choice | None) -> Choice:
    if other is None:
        return choice
    if other.name and other.name != choice.name:
        return other
    return Choice.model_validate({"name": choice.name, **choice.options, **other.options})


def _check_accepts(tower: str, encoder: str, kinds: Sequence[str], columns: int) -> None:
    entry = encoders.entry(encoder)
    accepts, joint = entry.literal("ACCEPTS", ()), entry.literal("JOINT", False)
    wrong = sorted(set(kinds) - set(accepts))
    if wrong:
        fitting = [n for n, e in encoders.entries.items() if set(kinds) <= set(e.literal("ACCEPTS", ()))]
        raise ConfigError(
            f"encoder {encoder!r} does not take {', '.join(wrong)}",
            place=f"tower {tower!r}",
            rule=f"it takes {', '.join(accepts)}",
            cure=f"one of: {', '.join(fitting)}" if fitting else "columns of one tower must suit one encoder",
        )
    if columns > 1 and not joint:
        raise ConfigError(f"encoder {encoder!r} encodes one column, not {columns}", place=f"tower {tower!r}")


def _check_keys(config: Config, towers: Sequence[TowerPlan], kinds: Mapping[str, str]) -> None:
    """A key of `encoders` that names nothing would be a setting without effect."""
    known = {*modalities.names(), *kinds, *(tower.name for tower in towers)}
    for key in config.encoders:
        if key not in known:
            raise ConfigError(
                f"there is no column, tower or modality {key!r}", place=f"encoders.{key}", cure=did_you_mean(key, known)
            )


def build_encoder(plan: TowerPlan, facts: Mapping[str, Facts], modules: Mapping[str, nn.Module]) -> Any:
    """The encoder of a tower, freshly initialised; `facts` of each of its columns, `modules` of the user's own."""
    if plan.encoder == "module":
        return Module(_module_of(plan, modules), facts[plan.columns[0]])
    entry = encoders.entry(plan.encoder)
    kind = entry.load()
    options = _checked_options(plan, kind)  # again: a blueprint that was read back holds lists for tuples
    if entry.literal("JOINT", False):
        return kind([facts[column] for column in plan.columns], **options)
    known = {**facts[plan.columns[0]], "facts": facts[plan.columns[0]]}
    lacking = [name for name in _positional(kind) if name not in known]
    if lacking:
        raise ConfigError(
            f"encoder {plan.encoder!r} needs {', '.join(lacking)} of its column, which are not there in this form",
            place=f"tower {plan.name!r}",
            rule="the options of the column's modality and the encoder fit each other",
            cure="leave the options of the modality, or name an encoder that takes them",
        )
    return kind(**{name: known[name] for name in _positional(kind)}, **options)


def _checked_options(plan: TowerPlan, kind: type) -> dict[str, Any]:
    return check_options(kind, plan.options, f"encoder {plan.encoder!r} of {plan.name!r}")


def _positional(kind: type) -> list[str]:
    parameters = inspect.signature(kind).parameters.values()
    return [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]


def _module_of(plan: TowerPlan, modules: Mapping[str, nn.Module]) -> nn.Module:
    if plan.name not in modules:
        raise ConfigError(
            f"the encoder of {plan.name!r} is a module of your own, which no file can hold",
            place=f"tower {plan.name!r}",
            cure=f"give it again: encoders={{{plan.name!r}: module}}",
        )
    return modules[plan.name]
