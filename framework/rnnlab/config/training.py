"""The core's own sections: training and tracking."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from rnnlab.config.section import Section


class TrainingConfig(Section):
    """How the model is trained, evaluated and saved. A step is always an optimizer step."""

    optimizer: Literal["adam", "adamw", "sgd"] = "adam"
    """Update rule."""
    learning_rate: float = Field(1e-3, gt=0)
    """Peak learning rate."""
    weight_decay: float = Field(0.0, ge=0)
    """L2 penalty (adam, sgd) or decoupled decay (adamw)."""
    momentum: float = Field(0.0, ge=0, lt=1)
    """Momentum; only sgd has it."""
    schedule: Literal["constant", "linear", "cosine", "plateau"] = "constant"
    """Learning rate after warm-up: constant, to zero linearly or by a cosine, or halved when the monitored
    metric stands still."""
    warmup_steps: int = Field(0, ge=0)
    """Steps over which the learning rate rises linearly from zero."""
    clip_grad_norm: float | None = Field(1.0, gt=0)
    """Largest global gradient norm, null for no clipping; the norm before clipping is logged."""
    batch_size: int = Field(32, ge=1)
    """Examples per optimizer step."""
    eval_batch_size: int = Field(256, ge=1)
    """Examples per evaluation batch."""
    epochs: int = Field(10, ge=1)
    """Passes over the training split."""
    max_steps: int | None = Field(None, ge=1)
    """Stop after this many optimizer steps, whatever `epochs` says."""
    eval_every: int | None = Field(None, ge=1)
    """Steps between evaluations of the validation split; null for once an epoch."""
    log_every: int = Field(20, ge=1)
    """Steps between logged training metrics."""
    samples: int = Field(4, ge=0, le=64)
    """Validation examples shown with the model's answers at each evaluation."""
    monitor: str | None = None
    """Validation metric that picks the best checkpoint, e.g. `accuracy`, or `loss`; null: the task's own."""
    patience: int | None = Field(None, ge=1)
    """Stop early after this many evaluations without a better `monitor`; null for never."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where to compute; auto takes a GPU if there is one."""
    dtype: Literal["float32", "float64"] = "float32"
    """Precision of parameters and arithmetic."""
    threads: int | None = Field(None, ge=1, le=256)
    """torch's threads on a CPU; null for one, which is fastest for small networks."""
    deterministic: bool = False
    """Ask torch for deterministic algorithms."""


class TrackingConfig(Section):
    """Where runs are shipped to."""

    enabled: bool = True
    """Ship the journal to MLflow; off keeps everything in the run's folder for a later `rnnlab sync`."""
    uri: str | None = None
    """MLflow server or store; null for MLFLOW_TRACKING_URI or else the lab's own `mlflow.db`."""
    experiment: str = Field("rnnlab", min_length=1)
    """MLflow experiment."""
    system_every: float = Field(5.0, gt=0)
    """Seconds between samples of processor, memory and GPU use."""
