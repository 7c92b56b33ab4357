"""Learning rates over a training: the paper's schedule, and warm-up with a cosine."""

from __future__ import annotations

import os

import keras

from interpnet_tf.training.checkpoints import Checkpoints

SCHEDULES = ("paper", "cosine")


class PaperSchedule(Checkpoints):
    """Halves the learning rate when validation does not improve, stops early, brings the best weights back.

    Args:
        monitor: the quantity of an epoch's logs that should fall.
        factor: what the learning rate is multiplied by after `patience` epochs without improvement.
        patience: in epochs.
        stop_after: epochs without improvement after which training ends.
        cool_down: for a training of few epochs, too short to wait for a plateau: in so many epochs at its end
            the learning rate is multiplied by `factor` each time, whatever validation says.
        directory: where the checkpoints go, see `Checkpoints`.

    Raises:
        ValueError: in training, as `Checkpoints`.

    Example:

    ```python
    schedule = PaperSchedule(directory="checkpoints")
    model.fit(batches, validation_data=valid, epochs=30, callbacks=[schedule],
              initial_epoch=schedule.resume(model))
    ```

    References:
    - [Barratt 2017, section 4](https://arxiv.org/abs/1710.09511)
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.5,
        patience: int = 1,
        stop_after: int = 4,
        cool_down: int = 0,
        directory: str | os.PathLike | None = None,
    ) -> None:
        if not 0 < factor < 1:
            raise ValueError(f"factor must lie between 0 and 1, got {factor}")
        if not 1 <= patience <= stop_after:
            raise ValueError(f"1 <= patience <= stop_after must hold, got {patience} and {stop_after}")
        if cool_down < 0:
            raise ValueError(f"cool_down must not be negative, got {cool_down}")
        super().__init__(monitor, stop_after, directory)
        self.factor, self.patience, self.cool_down = factor, patience, cool_down

    def set_rate(self, epoch: int, rate: float) -> None:
        cooling = self.cool_down and epoch + 1 >= self.params["epochs"] - self.cool_down
        if cooling or (self.waited and self.waited % self.patience == 0):
            self.model.optimizer.learning_rate = rate * self.factor


def warmup_cosine(peak: float, steps: int, warmup_steps: int = 0) -> keras.optimizers.schedules.CosineDecay:
    """Returns a learning rate that rises linearly, and then falls to zero along half a cosine.

    Step s of the w of the warm-up has the rate `peak * (s + 1) / (w + 1)`, and step s after them
    `peak * (1 + cos(pi * (s - w) / (steps - w))) / 2`, counted from zero: no step is spent on a rate of zero.

    Args:
        peak: the highest rate.
        steps: length of the training, in batches.
        warmup_steps: how many of them are the warm-up.

    Raises:
        ValueError: if the warm-up leaves no step to the cosine.

    Example:

    >>> rate = warmup_cosine(0.8, steps=7, warmup_steps=3)
    >>> [round(float(rate(step)), 3) for step in range(8)]
    [0.2, 0.4, 0.6, 0.8, 0.683, 0.4, 0.117, 0.0]

    References:
    - [Loshchilov & Hutter 2017, SGDR](https://arxiv.org/abs/1608.03983)
    - [Vaswani et al. 2017, section 5.3](https://arxiv.org/abs/1706.03762), warm-up
    """
    if not 0 <= warmup_steps < steps:
        raise ValueError(f"warmup_steps must lie between 0 and steps - 1 = {steps - 1}, got {warmup_steps}")
    first = peak / (warmup_steps + 1)
    warmup = {"warmup_target": peak, "warmup_steps": warmup_steps} if warmup_steps else {}
    return keras.optimizers.schedules.CosineDecay(first, steps - warmup_steps, **warmup)
