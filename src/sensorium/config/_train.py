"""Settings of training."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, PositiveInt

from sensorium.config._types import CALLER_ONLY, Fraction, Location, Named, Share, Some, Strict

IMBALANCE_TECHNIQUE = "modality_imbalance"  # the technique that diagnoses modality imbalance


SelectBy: TypeAlias = Literal["metric", "log_loss"]


class UnfreezeConfig(Strict):
    """Fine-tuning of frozen pretrained encoders in a second stage, kept if validation improves."""

    epochs: PositiveInt = Field(3, description="maximum number of passes over the training rows")
    layers: PositiveInt | Literal["all"] = Field(
        2, description="number of last layers of an encoder that are trained, or all"
    )
    learning_rate_scale: Share = Field(
        0.02, description="learning rate of the encoders, as a fraction of train.learning_rate"
    )


class PretrainConfig(Strict):
    """Self-supervised pre-training on the training rows, with or without labels."""

    techniques: Annotated[Named, Field(min_length=1)] = Field(
        description="self-supervised techniques, with their options"
    )
    epochs: PositiveInt | None = Field(
        None, description="number of passes over the rows; depends on their number by default"
    )
    batch_size: PositiveInt | None = Field(None, description="rows per batch; 64 by default, less for small tables")
    learning_rate: Annotated[float, Field(gt=0)] | None = Field(
        None, description="learning rate; train.learning_rate by default"
    )


class TrainConfig(Strict):
    """The training loop."""

    epochs: PositiveInt | None = Field(
        None, description="maximum number of passes over the training rows; depends on their number by default"
    )
    batch_size: PositiveInt | None = Field(
        None, description="rows per batch; 64 by default, fewer for few training rows"
    )
    accumulate: PositiveInt = Field(
        1, description="gradient accumulation: number of parts that a batch is computed in, to save memory"
    )
    learning_rate: Annotated[float, Field(gt=0)] = Field(2e-3, description="learning rate at the peak of the schedule")
    optimizer: Literal["adam", "adamw", "sgd"] = Field("adamw", description="optimizer; sgd has a momentum of 0.9")
    weight_decay: Annotated[float, Field(ge=0)] = Field(
        0.01, description="weight decay: decoupled in adamw, L2 in adam and sgd"
    )
    schedule: Literal["constant", "cosine", "linear"] = Field(
        "cosine", description="learning rate schedule after the warm-up; cosine and linear end at zero"
    )
    warmup: Fraction = Field(0.1, description="fraction of the steps over which the learning rate rises")
    clip_norm: Annotated[float, Field(gt=0)] | None = Field(
        1.0, description="gradient clipping: maximum norm of the gradient"
    )
    patience: PositiveInt | None = Field(
        8,
        description="early stopping: epochs without a better validation metric (see stop_by) before training stops; "
        "null: no early stopping",
    )
    stop_at_plateau: bool = Field(
        True,
        description="early stopping: also stop when the validation metric has been perfect for 3 epochs, or training "
        "loss and validation metric have not changed for 5; train.patience: null switches this off, too",
    )
    metric: str | None = Field(
        None, description="validation metric for early stopping and model selection; depends on the task by default"
    )
    select_by: SelectBy | None = Field(
        None,
        description="validation criterion that chooses the epoch; metric: train.metric; log_loss: moving average of "
        "the log loss after temperature scaling (of the loss, for targets without classes); by default "
        "log_loss if the target has classes and train.metric is not set",
    )
    stop_by: SelectBy | None = Field(
        None,
        description="validation criterion that train.patience watches; metric: train.metric; log_loss: the log loss "
        "after temperature scaling; by default metric, and for the networks of a blend train.select_by",
    )
    modality_dropout: Fraction = Field(0.3, description="probability that a modality of a row is hidden in training")
    mixup: Annotated[float, Field(ge=0)] = Field(
        0.0, description="mixup: rows and labels are mixed with weights from Beta(α, α); 0 switches it off"
    )
    precision: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        "auto", description="number format in training; auto: bfloat16 on accelerators that have it, else float32"
    )
    compile: bool = Field(False, description="compile encoders and fusion; pays off in long runs on accelerators")
    checkpoint: Annotated[float, Field(ge=0)] | None = Field(
        60.0,
        description="seconds between two checkpoints within an epoch; null: no checkpoints, an interrupted run "
        "starts over",
    )
    soup: PositiveInt = Field(
        1, description="number of best epochs whose weights are averaged (greedy soup), if that improves validation"
    )
    freeze: Some = Field(
        [], description="parts that are not trained: towers, fusion, head, globs such as image.encoder.*"
    )
    unfreeze: UnfreezeConfig | None = Field(
        None,
        description="fine-tune frozen encoders in a second stage; keep the result if validation improves",
    )
    techniques: Named = Field({}, description="training techniques and their options")
    teacher: Annotated[Location | None, CALLER_ONLY] = Field(
        None, description="fitted model whose predictions this one learns from (distillation)"
    )
    few_labels: Literal["auto", "few", "none"] = Field(
        "auto",
        description="`few`: more patience and label smoothing; `auto`: `few` for up to 600 training rows, else `none`",
    )
    imbalance: Literal["off", "auto", "always"] = Field(
        "off",
        description="modality imbalance; auto: try mitigations if a modality is undertrained; always: try them in any "
        "case; the best model is kept",
    )

    pretrain: PretrainConfig | None = Field(None, description="self-supervised pre-training before the task")
    class_weight: Literal["auto", "none", "balanced", "sqrt"] = Field(
        "auto",
        description="class weights in the loss; auto: sqrt if one class has three times the rows of another",
    )
    outliers: Literal["leave_out", "keep"] = Field(
        "leave_out",
        description="training rows with a target far from all others, such as 999999999: leave them out, or keep them",
    )
    target_transform: Literal["auto", "none", "log", "yeo_johnson"] = Field(
        "auto",
        description="regression: transform of the target before training, inverted in predictions; auto: if the "
        "amounts are skewed, yeo_johnson, or what predicts them better out of fold",
    )
    loss: Literal["auto", "squared", "huber"] = Field(
        "auto",
        description="regression: loss on the standardized target; auto: huber if the target has heavy tails",
    )
