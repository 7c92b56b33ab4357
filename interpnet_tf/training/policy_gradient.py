"""Training of a decoder for what its sentences achieve, not word by word: REINFORCE with a baseline."""

from __future__ import annotations

import functools
import os
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from interpnet_tf.data.dataset import ExplanationDataset
from interpnet_tf.data.pipeline import SeededBatches
from interpnet_tf.data.sentence_batches import SentenceBatches
from interpnet_tf.fitting.optimizers import FusedAdam
from interpnet_tf.generation import Decoding, generate, silence
from interpnet_tf.model import InterpNet
from interpnet_tf.support.checks import check_number, check_whole
from interpnet_tf.training.checkpoints import Checkpoints
from interpnet_tf.training.rewards import BoundReward, Reward

BASELINES = ("greedy", "samples", "none")


def train_policy(
    model: InterpNet,
    train: ExplanationDataset,
    valid: ExplanationDataset,
    reward: Reward,
    baseline: str = "greedy",
    likelihood_weight: float = 0.0,
    samples: int = 5,
    temperature: float = 1.0,
    epochs: int = 3,
    batch_size: int = 32,
    learning_rate: float = 5e-5,
    seed: int = 0,
    r: np.ndarray | None = None,
    directory: str | os.PathLike | None = None,
    callbacks: list[Any] | None = None,
) -> list[dict[str, float]]:
    """Trains the decoder of `model` to say sentences of high reward.

    The loss is `likelihood_weight * (the word cross-entropy of a reference sentence) - (the expected reward
    of a sentence drawn from the model)`. The gradient of the second part is estimated by REINFORCE (Williams
    1992): the mean over drawn sentences of `(reward - baseline) * gradient of log p(sentence)`.

    Args:
        model: an `InterpNet` that has learned sentences before; it is compiled anew.
        train, valid: data with sentences.
        reward: such as `rewards.ClassProbability` or `rewards.CiderD`.
        baseline: what a reward is compared with; none of them changes the expected gradient. `"greedy"`, the
            reward of the most probable sentence of the example, makes it self-critical training (Rennie et
            al. 2017); `"samples"` is the mean reward of the other sentences drawn of the example; `"none"`
            is 0.
        likelihood_weight: of the cross-entropy; Hendricks et al. weigh the reward with λ, which is one over
            this. 0 trains on the reward alone.
        samples: sentences drawn of each example at a step.
        temperature: by which the logits are divided in drawing; the gradient is that of sentences so drawn.
        epochs: passes over the examples.
        batch_size: examples a step.
        learning_rate: of Adam.
        seed: of the draws and of the order of the examples.
        r: r(x) of the examples of `train` that have sentences, `(examples, width)`, if it is to be another
            than the model's own.
        directory: where the checkpoints go, see `Checkpoints`; training goes on from those it holds.
        callbacks: further Keras callbacks.

    Returns:
        One dict an epoch: `reward`, the mean over the drawn sentences; `val_reward` of the most probable
        sentences of `valid`; `val_loss`, the word cross-entropy; `val_objective`, which is
        `likelihood_weight * val_loss - val_reward` and decides which epoch's weights come back; the learning
        rate.

    Raises:
        ValueError: if an argument is out of its range.

    Example:

    ```python
    reward = rewards.CiderD(model.tokenizer, train.explanations)
    train_policy(model, train, valid, reward, epochs=2)  # self-critical training
    ```

    References:
    - [Hendricks et al. 2016, section 3.2](https://arxiv.org/abs/1603.08507)
    - [Rennie et al. 2017](https://arxiv.org/abs/1612.00563)
    - [Williams 1992](https://doi.org/10.1007/BF00992696)
    """
    check_data(train, valid)
    _check(epochs, batch_size, temperature, learning_rate, likelihood_weight)
    if baseline not in BASELINES:
        raise ValueError(f"baseline must be one of {list(BASELINES)}, got {baseline!r}")
    if samples < 1 + (baseline == "samples"):
        raise ValueError(f"samples must be at least {1 + (baseline == 'samples')}, got {samples}")
    train, valid = train.explained(), valid.explained()
    sentences, valid_sentences = model.prepare(train), model.prepare(valid, batch_size=64)
    if r is not None and r.shape != sentences.r.shape:
        raise ValueError(f"r must have the shape {sentences.r.shape}, got {r.shape}")
    sentences.r = sentences.r if r is None else r
    train_reward, valid_reward = reward.bind(train), reward.bind(valid)

    model.compile(FusedAdam(learning_rate))
    policy = Policy(model, likelihood_weight, samples, temperature)
    checkpoints = Checkpoints("val_objective", directory=directory)
    first_epoch = checkpoints.resume(model)
    batches = SeededBatches(len(train), batch_size, shuffle=True, seed=seed)
    observers = keras.callbacks.CallbackList(
        [checkpoints, *(callbacks or [])], model=model, epochs=epochs, steps=len(batches)
    )
    model.stop_training = False
    observers.on_train_begin()
    for epoch in range(first_epoch, epochs):
        if model.stop_training:
            break
        observers.on_epoch_begin(epoch)
        batches.epoch = epoch
        reference_rows = _one_sentence_each(sentences, np.random.default_rng((seed, epoch)))
        rewards = []
        for step, rows in enumerate(batches.draw()):
            observers.on_train_batch_begin(step)
            ids = policy.sample(sentences.r[rows], (seed, epoch * len(batches) + step))
            values = train_reward(ids, np.repeat(rows, samples))
            if baseline == "greedy":
                less = np.repeat(train_reward(policy.most_probable(sentences.r[rows]), rows), samples)
            else:
                less = mean_of_others(values, samples) if baseline == "samples" else 0.0
            policy.update(sentences.r[rows], ids, values - less, sentences.batch(reference_rows[rows]))
            rewards.append(float(values.mean()))
            observers.on_train_batch_end(step, {"reward": rewards[-1]})
        logs = {"reward": float(np.mean(rewards)), **_validate(policy, valid_sentences, valid_reward)}
        observers.on_epoch_end(epoch, logs)
    observers.on_train_end()
    return checkpoints.history


class Policy:
    """A model as what chooses sentences at random: draws them, and makes the good ones more probable.

    Args:
        model: a compiled `InterpNet`.
        likelihood_weight, samples, temperature: see `train_policy`.
    """

    def __init__(
        self, model: InterpNet, likelihood_weight: float = 0.0, samples: int = 5, temperature: float = 1.0
    ) -> None:
        self.model, self.likelihood_weight, self.temperature = model, likelihood_weight, temperature
        r, seed = tf.TensorSpec((None, model.introspector.width), tf.float32), tf.TensorSpec((2,), tf.int32)
        drawing = Decoding("top_p", n_best=samples, p=1.0, temperature=temperature)
        self._draw, self._choose = (
            tf.function(
                functools.partial(self._generate, decoding), input_signature=[r, seed], autograph=False
            )
            for decoding in (drawing, Decoding())
        )
        ids, of_rows = tf.TensorSpec((None, None), tf.int32), tf.TensorSpec((None,), tf.float32)
        self._update = tf.function(
            self._update, input_signature=[r, ids, of_rows, r, ids, ids], autograph=False
        )

    def sample(self, r: np.ndarray, seed: tuple[int, int]) -> np.ndarray:
        """Draws sentences of examples with r(x) `(batch, width)`.

        Returns:
            ids `(batch * samples, words)`, those of one example one after the other.
        """
        return _without_padding(self._draw(r, seed))

    def most_probable(self, r: np.ndarray) -> np.ndarray:
        """Returns ids `(batch, words)` of the sentences in which each word is the most probable."""
        return _without_padding(self._choose(r, (0, 0)))

    def _generate(self, decoding: Decoding, r: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        decoder, r = self.model.decoder, self.model.standardize(r)
        length, folded = self.model.max_length, decoder.fold()
        return generate(decoder, r, length, decoding, seed, folded, probabilities=False).ids

    def log_probabilities(self, r: Any, ids: Any) -> tf.Tensor:
        """Returns the logarithm of the probability with which `sample` draws each sentence.

        Args:
            r: r(x) of each sentence's example, `(sentences, width)`.
            ids: int `(sentences, words)`.

        Returns:
            float32 `(sentences,)`.
        """
        tokenizer = self.model.tokenizer
        begun = tf.pad(ids[:, :-1], [[0, 0], [1, 0]], constant_values=tokenizer.start_id)
        # Without dropout, as the sentences were drawn.
        logits = self.model({"r": r, "tokens": begun}, training=False) / self.temperature
        logits += silence(tokenizer.vocabulary_size)
        said = tf.not_equal(ids, tokenizer.pad_id)
        labels = tf.where(said, ids, tokenizer.end_id)
        negative = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
        return -tf.reduce_sum(tf.where(said, negative, 0.0), axis=1)

    def update(
        self, r: np.ndarray, ids: np.ndarray, advantages: np.ndarray, references: tuple[dict, np.ndarray]
    ) -> None:
        """Makes one step of the optimizer.

        Args:
            r: r(x) of the examples, `(batch, width)`.
            ids: of the drawn sentences, int `(batch * samples, words)`.
            advantages: rewards less baseline, `(batch * samples,)`.
            references: a batch of `SentenceBatches`.
        """
        inputs, targets = references
        self._update(r, ids, advantages.astype("float32"), inputs["r"], inputs["tokens"], targets)

    def _update(self, r: Any, ids: Any, advantages: Any, reference_r: Any, tokens: Any, targets: Any) -> None:
        model = self.model
        with tf.GradientTape() as tape:
            r = tf.repeat(r, tf.shape(ids)[0] // tf.shape(r)[0], axis=0)
            loss = -tf.reduce_mean(advantages * self.log_probabilities(r, ids))
            if self.likelihood_weight:
                logits = model({"r": reference_r, "tokens": tokens}, training=True)
                loss += self.likelihood_weight * model.compute_loss(y=targets, y_pred=logits, training=True)
        gradients = tape.gradient(loss, model.trainable_variables)
        model.optimizer.apply(gradients, model.trainable_variables)


def mean_of_others(values: np.ndarray, samples: int) -> np.ndarray:
    """Returns for each reward the mean of the other rewards of the same example.

    As it does not depend on the sentence itself, the estimate of the gradient stays without bias, which the
    mean over all of them would shrink.

    Args:
        values: rewards `(examples * samples,)`.
        samples: sentences an example.

    Returns:
        `(examples * samples,)`.

    Example:

    >>> mean_of_others(np.array([1.0, 2.0, 6.0, 0.0, 0.0, 3.0]), samples=3)
    array([4. , 3.5, 1.5, 1.5, 1.5, 0. ])
    """
    by_example = values.reshape(-1, samples)
    return ((by_example.sum(axis=1, keepdims=True) - by_example) / (samples - 1)).reshape(-1)


def check_data(train: Any, valid: Any) -> None:
    """Raises a `ValueError` that names the argument if one of them is no `ExplanationDataset`."""
    for name, part in {"train": train, "valid": valid}.items():
        if not isinstance(part, ExplanationDataset):
            raise ValueError(f"{name} must be an ExplanationDataset, got a {type(part).__name__}")


def _check(
    epochs: int, batch_size: int, temperature: float, learning_rate: float, likelihood_weight: float
) -> None:
    for name, whole in {"epochs": epochs, "batch_size": batch_size}.items():
        check_whole(name, whole, 1)
    for name, number in {"temperature": temperature, "learning_rate": learning_rate}.items():
        check_number(name, number)
        if not number > 0:
            raise ValueError(f"{name} must be above 0, got {number}")
    check_number("likelihood_weight", likelihood_weight, 0)


def _without_padding(ids: tf.Tensor) -> np.ndarray:
    """Returns ids `(batch, n, words)` as rows `(batch * n, words)` as long as the longest sentence."""
    rows = ids.numpy().reshape(-1, ids.shape[-1])
    return rows[:, : np.count_nonzero(rows, axis=1).max()]


def _one_sentence_each(sentences: SentenceBatches, draws: np.random.Generator) -> np.ndarray:
    """Returns the row of a sentence of each example, drawn at random."""
    counts = np.bincount(sentences.owners)
    first = np.concatenate([[0], np.cumsum(counts)[:-1]])
    return first + draws.integers(counts)


def _validate(policy: Policy, sentences: SentenceBatches, reward: BoundReward) -> dict[str, float]:
    rows = np.arange(len(sentences.r))
    values = [
        reward(policy.most_probable(sentences.r[part]), part)
        for part in np.split(rows, range(128, len(rows), 128))
    ]
    loss = float(policy.model.evaluate(sentences, verbose=0))
    value = float(np.concatenate(values).mean())
    return {
        "val_reward": value,
        "val_loss": loss,
        "val_objective": policy.likelihood_weight * loss - value,
    }
