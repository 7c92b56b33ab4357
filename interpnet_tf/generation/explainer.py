"""`Explainer`: the verbs of a model that explains: `explain`, `predict`, `score_sentences`, `attention`."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from interpnet_tf.data.inputs import batch_of, input_batches
from interpnet_tf.generation import attending, explaining, predicting, scoring
from interpnet_tf.generation.decoding import Decoding
from interpnet_tf.generation.explanation import Explanation
from interpnet_tf.generation.traces import Traces
from interpnet_tf.introspection.finite import finite_r
from interpnet_tf.introspection.introspector import Introspector
from interpnet_tf.language.tokenizer import ExplanationTokenizer


class Explainer:
    """What an `InterpNet` does with r(x), as `ExplanationTrainer` is how it learns.

    A class beside `keras.Model`; `ExplainingModel` tells what the attributes are that it reads.
    """

    classifier: keras.Model
    introspector: Introspector
    tokenizer: ExplanationTokenizer

    def _trace(self) -> None:
        """Prepares the graphs; the model's parts must be there."""
        self._explain = Traces(functools.partial(explaining.explain_examples, self))
        self._r = Traces(self._introspect_batch)
        self._score = Traces(functools.partial(scoring.score_ids, self))
        self._attend = Traces(functools.partial(attending.attend, self))
        self._say = Traces(functools.partial(explaining.say_batch, self))
        self._diverge = Traces(functools.partial(scoring.diverge, self))

    def _introspect_batch(self, x: Any) -> tf.Tensor:
        return self.introspector(x, training=False)["r"]

    def introspect(self, x: Any, batch_size: int = 64) -> np.ndarray:
        """Returns r(x), float32 `(batch, width)`; `model.introspector(x)` gives the layers by name.

        Raises:
            ValueError: if it is not finite for some example, which is named.
        """
        nothing = np.zeros((0, self.introspector.width), "float32")
        parts = input_batches(x, batch_size, self.introspector.input)
        return np.concatenate([nothing, *finite_r(self._r, self.classifier, parts)])

    def explain(
        self,
        x: Any,
        sampler: str = "greedy",
        beams: int = 5,
        n_best: int = 1,
        seed: int | None = None,
        batch_size: int = 64,
        max_length: int | None = None,
        forbidden: Iterable[str] = (),
        required: Iterable[str] = (),
        class_id: Any = None,
        jit_compile: bool = False,
        **options: Any,
    ) -> list[Explanation]:
        """Classifies examples and says why.

        Args:
            x: what the classifier reads, an `ExplanationDataset`, or a `tf.data.Dataset` of batches.
            sampler: `"greedy"`, `"beam"`, `"top_k"` or `"top_p"`, see `generation.Decoding`.
            beams: of beam search.
            n_best: sentences an example; those after the first are the `alternatives` of the record.
            seed: of the draws of `"top_k"` and `"top_p"`, from 0; `None` draws anew at each call.
            batch_size: examples at a time.
            max_length: the most words, by default the model's.
            forbidden: words that are not said.
            required: words all of which are said, with `sampler="beam"`.
            class_id: the class to be explained, by its number or its name, or one for each example; `None` is
                the predicted one. To ask "why that class" of an r(x) that holds the classifier's output, its
                numbers change places so that the class stands first, see `asked_class.decided`; all other
                activations are those of x. So one hears what the decoder says of this x were it of that
                class, not what x would have to be. `label` and `probability` are those of that class.
            jit_compile: whether XLA compiles the loop over the words, which takes some seconds for every new
                number of examples in a batch.
            **options: further ones of `generation.Decoding`, such as `no_repeat_ngram=3`.

        Returns:
            An `Explanation` for each example.

        Raises:
            ValueError: if an option is out of its range, or there is no such class, or `class_id` is given
                and r(x) does not hold the classifier's output.
        """
        options["forbidden"] = explaining.word_ids(self.tokenizer, "forbidden", forbidden)
        options["required"] = explaining.word_ids(self.tokenizer, "required", required)
        decoding = Decoding(sampler, beams, n_best, **options)
        return explaining.explain(self, x, decoding, max_length, class_id, seed, batch_size, jit_compile)

    def score_sentences(self, x: Any, sentences: Any, batch_size: int = 64) -> np.ndarray | list[np.ndarray]:
        """Returns how probable given sentences are as explanations of examples.

        Args:
            x: as in `explain`.
            sentences: for each example a sentence or a list of sentences. A word that the tokenizer does not
                know counts as the unknown id, which the model never says itself.
            batch_size: examples or sentences at a time.

        Returns:
            The natural logarithm of each sentence's probability, its end included: float32 `(examples,)`
            where each example has one sentence; where it has a list, a list of arrays `(sentences,)`.

        Raises:
            ValueError: if there is not an entry for each example, or a sentence has no word or, with its end,
                more than `max_length`.

        Example:

        >>> from interpnet_tf import ExplanationTokenizer, InterpNet
        >>> inputs = keras.Input((2,))
        >>> classifier = keras.Model(inputs, keras.layers.Dense(2, "softmax")(inputs))
        >>> model = InterpNet(classifier, ExplanationTokenizer().adapt(["a gull."]), max_length=8)
        >>> model.score_sentences(np.eye(2), ["a gull.", "a gull."]).shape
        (2,)
        """
        return scoring.score_sentences(self, x, sentences, batch_size)

    def attention(
        self, x: Any, explanations: Sequence[Explanation | str] | None = None, batch_size: int = 64
    ) -> list[attending.Attention]:
        """Returns which layers each word of an explanation looked at, if the decoder attends to layers.

        Args:
            x: as in `explain`.
            explanations: what was said of each example, an `Explanation` or a text; `None` is what `explain`
                says greedily.
            batch_size: examples at a time.

        Returns:
            For each example an `Attention`: `words`, `layers` and `weights` `(words, layers)`, the mean of
            the cross-attention over blocks and heads at the moment when the word was chosen.

        Raises:
            ValueError: if the decoder attends to nothing, as the LSTM, or there is not an explanation for
                each example.
        """
        return attending.attention(self, x, explanations, batch_size)

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> dict[str, np.ndarray]:
        """Classifies examples and says why in the most probable words, as arrays; see `explain` for records.

        Args:
            x: as in `explain`.
            batch_size: examples at a time, by default 32; a `tf.data.Dataset` has its own.
            verbose, steps, callbacks: see `keras.Model.predict`.

        Returns:
            A dict of `"probabilities"`, float32 `(batch, classes)`; `"token_ids"`, int32
            `(batch, max_length)`, padded; and `"texts"`, strings `(batch,)`.
        """
        batch_size = 32 if batch_size is None else batch_size
        with predicting.input_pipeline(x, batch_size, self.introspector, steps) as batches:
            if batches is None:
                return predicting.with_texts(self, predicting.nothing_predicted(self))
            return predicting.with_texts(self, super().predict(batches, None, verbose, steps, callbacks))

    def predict_step(self, data: Any) -> dict[str, tf.Tensor]:
        return predicting.predict_batch(self, keras.utils.unpack_x_y_sample_weight(data)[0])

    def predict_on_batch(self, x: Any) -> dict[str, np.ndarray]:
        """Returns what `predict` gives, for examples that are one batch."""
        return predicting.with_texts(self, super().predict_on_batch(batch_of(x, self.introspector.input)))
