"""Settings of training."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from sensorium.config._types import CALLER_ONLY, Fraction, Named, Share, Some, Strict


class UnfreezeConfig(Strict):
    """A second stage of training that asks whether tuning pretrained encoders pays: it keeps what validates better."""

    epochs: PositiveInt = Field(3, description="passes over the training rows, at most")
    layers: PositiveInt | Literal["all"] = Field(2, description="how many of an encoder's last layers learn, or all")
    rate: Share = Field(0.02, description="learning rate of the encoders, as a share of learning_rate")


class PretrainConfig(Strict):
    """Before the task: learning from the training rows alone, whether they have a label or not."""

    techniques: Annotated[Named, Field(min_length=1)] = Field(description="self-supervised ones, with options")
    epochs: PositiveInt | None = Field(None, description="passes over these rows; by their number by default")
    batch_size: PositiveInt | None = Field(None, description="64 by default, less where these rows are few")
    learning_rate: Annotated[float, Field(gt=0)] | None = Field(None, description="that of the training by default")


class TrainConfig(Strict):
    """The training loop."""

    epochs: PositiveInt | None = Field(None, description="passes over the training rows; by their number by default")
    batch_size: PositiveInt | None = Field(None, description="64 by default, less where training rows are few")
    accumulate: PositiveInt = Field(1, description="parts in which a batch goes through the model, for want of memory")
    learning_rate: Annotated[float, Field(gt=0)] = Field(2e-3, description="peak of the schedule")
    optimizer: Literal["adam", "adamw", "sgd"] = Field("adamw", description="sgd has a momentum of 0.9")
    weight_decay: Annotated[float, Field(ge=0)] = Field(0.01, description="decoupled in adamw, L2 in adam and sgd")
    schedule: Literal["constant", "cosine", "linear"] = Field("cosine", description="after the warm-up, down to zero")
    warmup: Fraction = Field(0.1, description="share of the steps over which the rate rises")
    clip_norm: Annotated[float, Field(gt=0)] | None = Field(1.0, description="largest norm of the gradient")
    patience: PositiveInt | None = Field(8, description="epochs without a better validation metric before stopping")
    metric: str | None = Field(None, description="validation metric to watch; the task's own by default")
    modality_dropout: Fraction = Field(0.3, description="chance that a row's modality is hidden in training")
    mixup: Annotated[float, Field(ge=0)] = Field(
        0.0, description="α: rows and their labels mixed by Beta(α, α); 0: not"
    )
    precision: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        "auto", description="that networks compute in while training; auto: bfloat16 on accelerators that have it"
    )
    compile: bool = Field(False, description="compile encoders and fusion for training: long runs on accelerators")
    checkpoint: Annotated[float, Field(ge=0)] | None = Field(
        60.0, description="seconds between two checkpoints in an epoch; null: none, a run that was killed is lost"
    )
    soup: PositiveInt = Field(1, description="average the weights of the best so many epochs, where it helps")
    freeze: Some = Field([], description="what stays as it is: towers, fusion, head, globs such as image.encoder.*")
    unfreeze: UnfreezeConfig | None = Field(
        None, description="afterwards, train frozen pretrained encoders too, and keep them if validation improves"
    )
    techniques: Named = Field({}, description="what else training does, by registered name, with options")
    teacher: Annotated[str | None, CALLER_ONLY] = Field(
        None, description="a fitted model whose answers this one learns from: distillation"
    )
    preset: Literal["auto", "few", "none"] = Field(
        "auto", description="few: patience and label smoothing for few rows, unless set; auto: by their number"
    )
    balance: Literal["off", "auto", "always"] = Field(
        "off", description="auto: where a modality is undertrained, try the remedies and keep what validates best"
    )

    pretrain: PretrainConfig | None = Field(None, description="learn from rows without their labels first")
    class_weight: Literal["auto", "none", "balanced", "sqrt"] = Field(
        "auto", description="auto: sqrt where the largest class has three times the rows of the smallest or more"
    )
    outliers: Literal["leave_out", "keep"] = Field(
        "leave_out", description="training rows whose target is far from all others, such as 999999999"
    )
