"""The training loop: epochs, an average of the weights, validation, checkpoints.

Killed at any instant, the same call goes on from the last finished epoch and ends where an undisturbed run ends: what
is random comes from the seed and the epoch, or stands in the checkpoint.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tensorflow as tf
import tf_keras

from tfrs_pipeline.config import TrainingConfig
from tfrs_pipeline.models.two_tower import Batch, TwoTower
from tfrs_pipeline.progress import Progress
from tfrs_pipeline.runs import load_weights, save_weights
from tfrs_pipeline.training.batches import Batches
from tfrs_pipeline.training.checkpoints import Checkpoints, tensorflow_disk_errors

Validate = Callable[[TwoTower], dict[str, float]]
Hear = Callable[[dict[str, Any]], None]
CRITERION = "ndcg@100"
"""The validation figure that decides; it hears of the whole list and is calmer than recall at one length."""


def make_deterministic(seed: int) -> None:
    """Same seed, same numbers, to the bit on a processor. To be called before a model is built."""
    tf_keras.utils.set_random_seed(seed)
    # On a graphics card the product with a sparse matrix has no such implementation, and would raise.
    if not tf.config.list_physical_devices("GPU"):
        tf.config.experimental.enable_op_determinism()


def fit(
    model: TwoTower,
    batches: Batches,
    config: TrainingConfig,
    folder: Path,
    progress: Progress,
    epochs: int,
    validate: Validate | None = None,
    hear: Hear | None = None,
) -> list[dict[str, Any]]:
    """Train for `epochs`, or until validation has not improved for `config.patience` epochs.

    Args:
        folder: for checkpoints, the best weights and TensorBoard's logs; what is found there is gone on from.
        validate: figures of the model after an epoch, CRITERION among them. Without it all epochs are trained.
        hear: is given each epoch's record once it is saved, and those of before an interruption first; what it raises
            ends the training.

    Returns:
        A record for each epoch: epoch, loss, seconds, examples_per_second, and the figures of `validate`. The model
        holds the averaged weights of the best epoch, or of the last one without `validate`.
    """
    optimizer = tf_keras.optimizers.AdamW(
        config.learning_rate,
        weight_decay=config.weight_decay,
        use_ema=True,
        ema_momentum=config.averaging,
        ema_overwrite_frequency=None,
    )
    variables = model.tower_weights
    optimizer.build(variables)
    checkpoints = Checkpoints(folder, model, optimizer)
    history = checkpoints.restore()
    if history:
        progress.say(f"Going on after epoch {len(history)}.")
    if hear:
        for entry in history:
            hear(entry)
    best_weights = folder / "best.npz"
    step = _step_function(model, optimizer, variables, batches.signature)
    writer = tf.summary.create_file_writer(str(folder / "tensorboard"))
    while len(history) < epochs and not (validate and _is_over(history, config.patience)):
        entry = _epoch(step, batches, len(history), progress)
        raw = [variable.numpy() for variable in variables]
        optimizer.finalize_variable_values(variables)
        if validate:
            entry |= validate(model)
            if all(entry[CRITERION] > earlier[CRITERION] for earlier in history):
                save_weights(model, best_weights)
        history.append(entry)
        with tensorflow_disk_errors(folder):
            _log(writer, entry)
        for variable, value in zip(variables, raw, strict=True):
            variable.assign(value)
        checkpoints.save(history)
        progress.say(_line(entry))
        if hear:
            hear(entry)
    if validate:
        load_weights(model, best_weights)
    else:
        optimizer.finalize_variable_values(variables)
    return history


def best_epoch(history: list[dict[str, Any]]) -> int:
    """The epoch, counted from 1, with the best validation; the earliest among equals."""
    return max(history, key=lambda entry: (entry[CRITERION], -entry["epoch"]))["epoch"]


def _is_over(history: list[dict[str, Any]], patience: int) -> bool:
    return bool(history) and len(history) - best_epoch(history) >= patience


def _step_function(
    model: TwoTower, optimizer: tf_keras.optimizers.Optimizer, variables: list[tf.Variable], signature: Batch
) -> Callable[[Batch], tf.Tensor]:
    # Compiled, moments, weights and their average are updated in one pass over memory; op by op it takes about as long
    # as the gradients themselves.
    @tf.function(jit_compile=True)
    def update(gradients: list[tf.Tensor]) -> None:
        optimizer.apply_gradients(zip(gradients, variables, strict=True))

    @tf.function(input_signature=[signature])
    def step(batch: Batch) -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss = model.compute_loss(batch, training=True)
        update([tf.convert_to_tensor(gradient) for gradient in tape.gradient(loss, variables)])
        return loss

    return step


def _epoch(step: Callable[[Batch], tf.Tensor], batches: Batches, epoch: int, progress: Progress) -> dict[str, Any]:
    begin = time.perf_counter()
    loss = 0.0
    with progress.steps(batches.steps, f"Epoch {epoch + 1}") as advance:
        for batch in batches.epoch(epoch):
            loss += float(step(batch))
            advance(1)
    seconds = time.perf_counter() - begin
    return {
        "epoch": epoch + 1,
        "loss": loss / batches.examples,
        "seconds": seconds,
        "examples_per_second": batches.examples / seconds,
    }


def _log(writer: tf.summary.SummaryWriter, entry: dict[str, Any]) -> None:
    with writer.as_default(step=entry["epoch"]):
        for name, value in entry.items():
            tf.summary.scalar(name, value)
    writer.flush()


def _line(entry: dict[str, Any]) -> str:
    figures = [f"loss {entry['loss']:.3f}"]
    figures += [f"{name} {value:.4f}" for name, value in entry.items() if "@" in name]
    return f"Epoch {entry['epoch']}: {', '.join(figures)} ({entry['seconds']:.0f} s)"
