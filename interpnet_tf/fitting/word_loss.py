"""`WordLossModel`: the loss and the metrics of words that follow one another, compiled and saved."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from interpnet_tf.fitting.optimizers import FusedAdam, build_optimizer
from interpnet_tf.language.tokenizer import ExplanationTokenizer


class WordLossModel(keras.Model):
    """A model of the next word that is trained with the words' cross-entropy.

    Padding counts neither in the loss nor in any metric: metrics are given the real words of a batch, targets
    `(words,)` and logits `(words, vocabulary)`.

    Attributes:
        tokenizer: knows the ids of padding and start.
        decoder: the layers that are trained; their own losses, of regularizers, are added.
        label_smoothing: see `compile`.
    """

    tokenizer: ExplanationTokenizer
    decoder: keras.layers.Layer
    label_smoothing: float = 0.0

    def compile(self, optimizer: Any = None, label_smoothing: float = 0.0, **kwargs) -> None:
        """Configures training, as `keras.Model.compile`.

        Args:
            optimizer: as in Keras. `None` is the paper's, Adam at 5e-4; `"adam"` is Adam at Keras' own rate.
                Both are the fused form, which is the same and faster on CPUs.
            label_smoothing: share of the probability, in [0, 1), that the target distribution of a word
                spreads evenly over all ids but padding and start, which never follow a word. It counts in
                training only: validation and `evaluate` give the plain cross-entropy, by which trainings with
                and without it compare.
            **kwargs: those of `keras.Model.compile` but `loss` and `loss_weights`: the loss is the
                cross-entropy of the words, the mean over a sentence's words, then over sentences. `metrics`
                and `weighted_metrics` are over the real words, padding left out, and read logits.

        Raises:
            ValueError: if there is a `loss`, a metric takes logits for probabilities, or `label_smoothing` is
                out of its range.

        References:
        - [Szegedy et al. 2016, section 7](https://arxiv.org/abs/1512.00567), label smoothing
        """
        for argument in ("loss", "loss_weights"):
            if kwargs.get(argument) is not None:
                raise ValueError(
                    f"InterpNet has its own loss (word cross-entropy); call compile without {argument}="
                )
        if not 0 <= label_smoothing < 1:
            raise ValueError(f"label_smoothing must be at least 0 and less than 1, got {label_smoothing}")
        for argument in ("metrics", "weighted_metrics"):
            for metric in keras.tree.flatten(kwargs.get(argument)):
                _check_reads_logits(argument, metric)
                _check_reads_words(argument, metric)
        self.label_smoothing = label_smoothing
        if optimizer is None or (isinstance(optimizer, str) and optimizer == "adam"):
            optimizer = FusedAdam(5e-4 if optimizer is None else 1e-3)
        kwargs.setdefault("jit_compile", False)  # XLA would compile anew for every length of sentences
        super().compile(optimizer=optimizer, **kwargs)

    def get_compile_config(self) -> dict[str, Any]:
        config = super().get_compile_config()
        return {**config, "label_smoothing": self.label_smoothing} if config else {}

    def compile_from_config(self, config: dict[str, Any]) -> None:
        if config:
            self.compile(**keras.saving.deserialize_keras_object(config))
            build_optimizer(self)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True) -> tf.Tensor:
        """Returns the mean over sentences of the mean cross-entropy of their words.

        Args:
            x: plays no part.
            y: ids of the words, int `(batch, words)`, with padding behind them.
            y_pred: logits, float `(batch, words, vocabulary)`.
            sample_weight: by which the sentences' terms are multiplied, `(batch,)`, as in Keras.
            training: whether labels are smoothed.
        """
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=y_pred)
        if training and self.label_smoothing:
            losses += self.label_smoothing * self._smoothing(y, y_pred)
        real = tf.cast(tf.not_equal(y, self.tokenizer.pad_id), losses.dtype)
        by_sentence = tf.reduce_sum(losses * real, axis=1) / tf.maximum(tf.reduce_sum(real, axis=1), 1)
        if sample_weight is not None:
            by_sentence *= tf.cast(sample_weight, by_sentence.dtype)
        loss = tf.add_n([tf.reduce_mean(by_sentence), *self.decoder.losses])
        return loss / tf.distribute.get_strategy().num_replicas_in_sync  # whose gradients Keras adds

    def _smoothing(self, targets: Any, logits: Any) -> tf.Tensor:
        """Returns the cross-entropy with the uniform distribution less that with the target, for each word.

        As the log-sum-exp is the same in both, it is the target's logit less the mean of all.
        """
        never = {self.tokenizer.pad_id, self.tokenizer.start_id}
        size = self.tokenizer.vocabulary_size
        share = tf.constant([0.0 if index in never else 1 / (size - len(never)) for index in range(size)])
        return tf.gather(logits, targets, axis=2, batch_dims=2) - tf.linalg.matvec(logits, share)

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        real = tf.not_equal(y, self.tokenizer.pad_id)
        if sample_weight is not None:
            of_words = tf.cast(sample_weight, tf.float32)[:, None] * tf.ones(tf.shape(y))
            sample_weight = tf.boolean_mask(of_words, real)
        return super().compute_metrics(
            x, tf.boolean_mask(y, real), tf.boolean_mask(y_pred, real), sample_weight
        )


def _check_reads_logits(argument: str, metric: Any) -> None:
    """Raises a `ValueError` for a metric that would take the decoder's logits for probabilities."""
    config = metric.get_config() if isinstance(metric, keras.metrics.Metric) else {}
    name = metric if isinstance(metric, str) else getattr(metric, "__name__", type(metric).__name__)
    of_keras = isinstance(metric, str) or str(getattr(metric, "__module__", "")).startswith("keras.")
    by_name = "crossentropy" in name or name == "ce"
    if config.get("from_logits") is False or (of_keras and by_name):
        raise ValueError(
            f"{argument}: {name} reads probabilities, but the outputs are logits; pass a metric with "
            "from_logits=True, such as keras.metrics.SparseCategoricalCrossentropy(from_logits=True)"
        )


def _check_reads_words(argument: str, metric: Any) -> None:
    """Raises a `ValueError` for one of Keras' metrics that compares numbers, not the ids of words."""
    if not isinstance(metric, str) or metric in ("accuracy", "acc"):
        return
    try:
        value = keras.metrics.get(metric)
        value = value() if isinstance(value, type) else value
        # Of eight words the last is the most probable: it must count as another than the first.
        logits = np.tile(np.arange(8, dtype="float32"), (2, 1))
        right, wrong = (np.asarray(value(np.full(2, word), logits)) for word in (7, 0))
        fits = np.isfinite(right).all() and np.any(right != wrong)
    except Exception:
        fits = False
    if not fits:
        raise ValueError(
            f"{argument}: {metric!r} cannot compare word ids with logits; pass 'accuracy', "
            "'sparse_top_k_categorical_accuracy' or a metric of sparse targets"
        )
