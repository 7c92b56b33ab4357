"""`ExplanationTrainer`: `fit`, `evaluate` and what belongs to them, as Keras has them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from interpnet_tf.data.inputs import input_batches
from interpnet_tf.data.sentence_batches import SentenceBatches
from interpnet_tf.data.streams import is_read_once, is_stream, number_of_batches
from interpnet_tf.data.training_examples import TrainingExamples, check_r, read_examples, split_off
from interpnet_tf.fitting.optimizers import build_optimizer
from interpnet_tf.fitting.word_loss import WordLossModel
from interpnet_tf.introspection.finite import finite_r

# Length that r(x) has for the decoder, in root mean square over the training examples, whatever its width: as
# long as r is, so much do the words said before count for less at the beginning of training.
_R_LENGTH = 4.0
_BATCH_SIZE = 32


class ExplanationTrainer(WordLossModel):
    """A model that learns sentences from r(x).

    Attributes:
        introspector: computes r(x).
        max_length: the most ids of a sentence.
        seed: of the order of the sentences.
        r_mean, r_scale: how r is shifted and scaled for the decoder, found with the first training data.
    """

    def prepare(
        self,
        x: Any,
        y: Any = None,
        batch_size: int | None = None,
        shuffle: bool = False,
        seed: int | None = None,
        r: np.ndarray | None = None,
        sample_weight: Any = None,
        class_weight: Mapping[Any, float] | None = None,
        steps: int | None = None,
    ) -> SentenceBatches:
        """Runs the classifier once over every example, and makes batches of sentences with its cached r(x).

        `fit` and `evaluate` do this by themselves; call it to use the same r(x) more than once.

        Args:
            x: an `ExplanationDataset`; a stream of `(inputs, sentences)` or `(inputs, sentences, weights)`
                batches, such as a `tf.data.Dataset` or a `keras.utils.PyDataset`, which is read once; or what
                the classifier reads.
            y: with the last, a sentence or a list of sentences for each example.
            batch_size: sentences a batch, by default 32.
            shuffle: whether every epoch has an order of its own.
            seed: of the orders; by default the model's.
            r: r(x) of the examples (of an `ExplanationDataset`, of those with sentences), where another model
                with the same classifier has computed it.
            sample_weight: a weight for each example, which all its sentences have; what counts is how they
                compare: the loss is the weighted mean.
            class_weight: with an `ExplanationDataset`, weights by an example's true class, by its number or
                name, to multiply the others with.
            steps: the most batches that are read of a stream; of other data, so many batches of sentences.

        Returns:
            The batches, which `fit` and `evaluate` take.

        Raises:
            ValueError: if there is no sentence, or not an entry of `y` for each example, or an argument does
                not fit the others.
        """
        parts = list(read_examples(x, y, sample_weight, class_weight, steps))
        batches = self._sentence_batches(parts, batch_size, shuffle, seed, r)
        return batches if steps is None or is_stream(x) else batches.first(steps)

    def _sentence_batches(
        self,
        parts: list[TrainingExamples],
        batch_size: int | None = None,
        shuffle: bool = False,
        seed: int | None = None,
        r: np.ndarray | None = None,
        mean_weight: float | None = None,
    ) -> SentenceBatches:
        explanations = [of_one for part in parts for of_one in part.explanations]
        counts = [len(of_one) for of_one in explanations]
        sentences = [sentence for of_one in explanations for sentence in of_one]
        if not sentences:
            raise ValueError("no example has an explanation; give at least one sentence to learn from")
        weights = None
        if any(part.weights is not None for part in parts):
            of_parts = [part.weights for part in parts]
            if any(one is None for one in of_parts):
                raise ValueError("some batches have weights and others have none; give weights in each")
            weights = np.repeat(np.concatenate(of_parts), counts)
        if r is None:
            of_input = self.introspector.input
            inputs = (batch for part in parts for batch in input_batches(part.inputs, 64, of_input))
            r = np.concatenate([*finite_r(self._r, self.classifier, inputs)])
        check_r(r, len(explanations), self.introspector.width)
        ids = self.tokenizer.tokenize(sentences)
        bounds = ids.row_splits.numpy()
        ids = np.split(ids.flat_values.numpy(), bounds[1:-1])
        return SentenceBatches(
            r,
            np.repeat(np.arange(len(explanations)), counts),
            [of_one[: self.max_length - 1] for of_one in ids],
            self.tokenizer.start_id,
            self.tokenizer.end_id,
            self.tokenizer.pad_id,
            batch_size=_BATCH_SIZE if batch_size is None else batch_size,
            shuffle=shuffle,
            seed=(self.seed or 0) if seed is None else seed,
            weights=weights,
            mean_weight=mean_weight,
        )

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: str | int = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: Mapping[Any, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int | list[int] = 1,
    ) -> keras.callbacks.History:
        """Trains the decoder, as `keras.Model.fit`.

        The classifier runs once over every example before the first epoch. Sentences of similar length
        share a batch. A stream must end.

        Args:
            x: see `prepare`; or what `prepare` returned.
            y: see `prepare`.
            batch_size: sentences a batch, by default 32.
            epochs: passes over all sentences.
            validation_split: share of the examples, the last ones, that validate; not of a stream.
            validation_data: whatever may stand for `x`, or `(x, y)`, or `(x, y, sample_weight)`.
            shuffle: whether every epoch has an order of its own.
            class_weight: see `prepare`; needs an `ExplanationDataset`.
            sample_weight: see `prepare`; a stream gives it in its batches.
            steps_per_epoch: batches of sentences an epoch.
            validation_steps: batches of `validation_data` that are read.
            validation_batch_size: by default `batch_size`.
            verbose, callbacks, initial_epoch, validation_freq: see `keras.Model.fit`.

        Returns:
            The `keras.callbacks.History`.

        Raises:
            ValueError: if the model is not compiled, or an argument does not fit the others.
        """
        if not self.compiled:
            raise ValueError("call model.compile() before fit()")
        if validation_split and validation_data is None:
            (x, y, sample_weight), validation_data = split_off(
                x, y, sample_weight, validation_split, self.introspector.input
            )
        weights = {"sample_weight": sample_weight, "class_weight": class_weight}
        if is_stream(x) and (is_read_once(x) or number_of_batches(x) == math.inf):
            raise ValueError(
                "x is read as a whole before the first epoch, and a generator or repeated data may never "
                "end; pass one that ends, such as dataset.take(100), without steps_per_epoch"
            )
        train = self._prepared(x, y, batch_size, shuffle=shuffle, **weights)
        if validation_data is not None:
            validation_data = self._validation(
                validation_data, validation_batch_size or batch_size, validation_steps
            ).to_tf()
        self._begin(train.r)
        followers = [train.follow_epochs()] if isinstance(train, SentenceBatches) else []
        if isinstance(callbacks, keras.callbacks.CallbackList):  # Keras takes it as it is
            for follower in followers:
                callbacks.append(follower)
        else:
            callbacks = [*keras.tree.flatten(callbacks or []), *followers]
        return super().fit(
            train.to_tf(),
            epochs=epochs,
            verbose=verbose,
            callbacks=callbacks,
            validation_data=validation_data,
            shuffle=False,
            initial_epoch=initial_epoch,
            steps_per_epoch=steps_per_epoch,
            validation_freq=validation_freq,
        )

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Returns the loss over sentences and the metrics over words, as `keras.Model.evaluate`.

        Args:
            x, y, batch_size, sample_weight: see `fit`.
            steps: batches that are read.
            verbose, callbacks, return_dict: see `keras.Model.evaluate`.
        """
        options = {"verbose": verbose, "callbacks": callbacks, "return_dict": return_dict, **kwargs}
        if "_use_cached_eval_dataset" in kwargs:  # Keras' fit validates with batches ready for `call`
            return super().evaluate(x, steps=steps, **options)
        if not self.compiled:
            raise ValueError("call model.compile() before evaluate()")
        if is_stream(x) and is_read_once(x) and steps is None:
            raise ValueError("x is a generator, which may never end; pass steps, the batches to read from it")
        return super().evaluate(
            self._prepared(x, y, batch_size, steps, sample_weight=sample_weight).to_tf(), **options
        )

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Mapping[Any, float] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """Makes one step of training with all sentences of some examples, as `keras.Model.train_on_batch`.

        Args:
            x, y, class_weight: see `fit`; no stream.
            sample_weight: as in `fit`, but not divided by their mean.
            return_dict: see Keras.
        """
        inputs, *others = self._one_batch(x, y, sample_weight, class_weight, begin=True)
        return super().train_on_batch(inputs, *others, return_dict=return_dict)

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """Returns loss and metrics of one batch, see `train_on_batch`."""
        return super().test_on_batch(*self._one_batch(x, y, sample_weight), return_dict=return_dict)

    def _one_batch(
        self, x: Any, y: Any, sample_weight: Any, class_weight: Any = None, begin: bool = False
    ) -> tuple:
        if is_stream(x):
            raise ValueError("x must be the examples of one batch, got a stream; pass it to fit or evaluate")
        batches = self._sentence_batches(
            list(read_examples(x, y, sample_weight, class_weight)), mean_weight=1.0
        )
        if begin:
            self._begin(batches.r)
        return batches.batch(np.arange(batches.size))

    def _prepared(
        self, x: Any, y: Any, batch_size: int | None, steps: int | None = None, **options: Any
    ) -> SentenceBatches:
        if not isinstance(x, SentenceBatches):
            return self.prepare(x, y, batch_size, steps=steps, **options)
        for name in ("sample_weight", "class_weight"):
            if options.get(name) is not None:
                raise ValueError(f"{name} must be passed to prepare(), which made these batches")
        return x if steps is None else x.first(steps)

    def _validation(self, data: Any, batch_size: int | None, steps: int | None) -> SentenceBatches:
        data = data if isinstance(data, (tuple, list)) else (data,)
        if not 1 <= len(data) <= 3:
            raise ValueError(
                f"validation_data must be x, (x, y) or (x, y, sample_weight), got {len(data)} parts"
            )
        x, y, sample_weight = (*data, None, None)[:3]
        if is_stream(x) and is_read_once(x) and steps is None:
            raise ValueError("validation_data is a generator, which may never end; pass validation_steps")
        return self._prepared(x, y, batch_size, steps, sample_weight=sample_weight)

    def _begin(self, r: np.ndarray) -> None:
        """Takes mean and scale of r from the first training data; later data leave them as they are."""
        build_optimizer(self)
        if np.any(keras.ops.convert_to_numpy(self.r_mean)):
            return
        deviation = r.std(axis=0)
        # A unit that hardly ever fires must not be blown up when it does.
        floor = 0.1 * float(deviation.mean()) or 1.0
        self.r_mean.assign(r.mean(axis=0))
        self.r_scale.assign(_R_LENGTH / np.sqrt(r.shape[1]) / np.maximum(deviation, floor))
