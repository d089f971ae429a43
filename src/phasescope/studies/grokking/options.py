"""Which option of `phasescope grok` sets which field: what the command reads and the report prints."""

from __future__ import annotations

# Fields of `TrainingSettings`, shared by all runs of a study.
TRAINING = {
    "operation": "--task",
    "modulus": "--modulus",
    "width": "--width",
    "activation": "--activation",
    "split": "--split",
    "labels": "--labels",
    "steps": "--steps",
    "settle": "--settle",
    "dtype": "--dtype",
}
# Fields of `RunSettings`.
RUN = {
    "fraction": "--fraction",
    "learning_rate": "--lr",
    "weight_decay": "--weight-decay",
    "init_scale": "--init-scale",
    "temperature": "--temperature",
}
