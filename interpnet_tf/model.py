"""`InterpNet`: a classifier, its introspector and a decoder, as one Keras model."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from interpnet_tf import attending, decoders, explaining, generation, predicting, scoring
from interpnet_tf.atomic import replacing
from interpnet_tf.checks import check_whole
from interpnet_tf.class_names import read_class_names
from interpnet_tf.data.inputs import batch_of, input_batches
from interpnet_tf.explanation import Explanation
from interpnet_tf.finite import check_weights, finite_r
from interpnet_tf.introspector import Introspector
from interpnet_tf.keras_files import read_model
from interpnet_tf.probabilities import output_kind
from interpnet_tf.tokenizer import ExplanationTokenizer
from interpnet_tf.traces import Traces
from interpnet_tf.trainer import ExplanationTrainer


@keras.saving.register_keras_serializable(package="interpnet_tf")
class InterpNet(ExplanationTrainer):
    """A classifier that explains its decisions in sentences.

    The activations of the classifier's layers form r(x), where the gradient stops; a decoder learns to say
    the explanation from r(x). `fit` trains the decoder only: train the classifier before, with its own `fit`.

    Args:
        classifier: a trained functional or sequential Keras classifier.
        tokenizer: an adapted `ExplanationTokenizer`.
        layers: names of the layers that form r(x), paths such as `"backbone/block_3"` for layers of nested
            models; `None` takes input features, hidden activations and class probabilities.
        decoder: `"lrcn"`, `"transformer"` or an `ExplanationDecoder`.
        max_length: the most words an explanation may have, its end included; longer training sentences are
            cut.
        class_names: one name a class; by default the class numbers.
        pooling: how feature maps enter r(x), see `Introspector`.
        seed: of the decoder's initial weights and dropout, and of the order of the sentences in `fit`.
        output: what the classifier gives: `"probabilities"`, `"logits"` or `"multi_label"`; `None` finds it
            out, see `probabilities.output_kind`. Of labels that do not exclude each other the most probable
            is the class that an explanation tells.
        **kwargs: those of `keras.Model`. `dtype="mixed_bfloat16"` trains and runs the decoder in mixed
            precision.

    Call arguments:
        inputs: dict of `"tokens"`, int `(batch, words)`, and either `"r"`, float `(batch, width)`, or `"x"`,
            what the classifier reads.
        training: whether the decoder's dropout is on; the classifier always runs in inference mode.

    Returns:
        Logits of the next words, float32 `(batch, words, vocabulary)`.

    Example:

    >>> inputs = keras.Input((4,), name="features")
    >>> classifier = keras.Model(inputs, keras.layers.Dense(2, "softmax", name="probabilities")(inputs))
    >>> sentences = [["a black bird."], ["a white bird."]]
    >>> model = InterpNet(classifier, ExplanationTokenizer().adapt(sentences), class_names=["crow", "gull"])
    >>> model.compile("adam")
    >>> history = model.fit(np.eye(2, 4, dtype="float32"), sentences, verbose=0)
    >>> len(model.explain(np.eye(2, 4, dtype="float32")))
    2

    References:
    - [Barratt 2017, InterpNET](https://arxiv.org/abs/1710.09511)
    """

    def __init__(
        self,
        classifier: keras.Model,
        tokenizer: ExplanationTokenizer,
        layers: list[str] | None = None,
        decoder: str | decoders.ExplanationDecoder = "lrcn",
        max_length: int = 32,
        class_names: list[str] | None = None,
        pooling: str = "average",
        seed: int | None = None,
        output: str | None = None,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        self.jit_compile = False  # until `compile` says otherwise
        if not isinstance(tokenizer, ExplanationTokenizer):
            raise ValueError(f"tokenizer must be an ExplanationTokenizer, got {tokenizer!r}")
        if not tokenizer.vocabulary:
            raise ValueError("the tokenizer has no vocabulary yet; call tokenizer.adapt(sentences) first")
        check_whole("max_length", max_length, least=2)  # a word and the end
        if seed is not None:
            check_whole("seed", seed, least=0)
        self.classifier, self.tokenizer, self.max_length, self.seed = classifier, tokenizer, max_length, seed
        self.introspector = Introspector(classifier, layers, pooling)
        check_weights(classifier)
        self.output_kind = output_kind(classifier, output)
        self.class_names = read_class_names(class_names, classifier)
        # Found by `fit`: the layers' scales differ by orders of magnitude. The decoder could undo them, so
        # that they change nothing but how fast it learns.
        shape, options = (self.introspector.width,), {"trainable": False, "autocast": False}
        self.r_mean = self.add_weight(shape, "zeros", name="r_mean", **options)
        self.r_scale = self.add_weight(shape, "ones", name="r_scale", **options)
        self.decoder = decoders.get(
            decoder, tokenizer.vocabulary_size, max_length, seed=seed, dtype=self.dtype_policy
        )
        self.decoder.check_length(max_length)
        self.decoder.read_layers(self.introspector.slices)
        if not self.decoder.built:
            self.decoder({"r": tf.zeros((1, self.introspector.width)), "tokens": tf.zeros((1, 2), tf.int32)})
        self.built = True
        self._explain = Traces(functools.partial(explaining.explain_examples, self))
        self._r = Traces(self._introspect_batch)
        self._score = Traces(functools.partial(scoring.score_ids, self))
        self._attend = Traces(functools.partial(attending.attend, self))

    @property
    def trainable_variables(self) -> list[Any]:
        """The decoder's: explaining never changes the classifier."""
        return self.decoder.trainable_variables if self.trainable else []

    @property
    def trainable_weights(self) -> list[Any]:
        return self.trainable_variables

    def __call__(self, inputs: dict[str, Any], *args, **kwargs) -> tf.Tensor:
        if not isinstance(inputs, Mapping) or "tokens" not in inputs or not {"r", "x"} & set(inputs):
            raise ValueError(
                "an InterpNet is called with a dict of 'tokens' and 'x' or 'r', for the next words' logits; "
                "use model.explain(x) for sentences, or model.predict(x) for arrays"
            )
        return super().__call__(inputs, *args, **kwargs)

    def call(self, inputs: dict[str, Any], training: bool | None = None) -> tf.Tensor:
        r = inputs["r"] if "r" in inputs else self.introspector(inputs["x"], training=False)["r"]
        tokens = tf.cast(inputs["tokens"], tf.int32)
        return self.decoder({"r": self.standardize(r), "tokens": tokens}, training=training)

    def introspect(self, x: Any, batch_size: int = 64) -> np.ndarray:
        """Returns r(x), float32 `(batch, width)`; `model.introspector(x)` gives the layers by name.

        Raises:
            ValueError: if it is not finite for some example, which is named.
        """
        nothing = np.zeros((0, self.introspector.width), "float32")
        parts = input_batches(x, batch_size, self.introspector.input)
        return np.concatenate([nothing, *finite_r(self, parts)])

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
        decoding = generation.Decoding(sampler, beams, n_best, **options)
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
        with predicting.input_pipeline(x, batch_size, self.introspector.input, steps) as batches:
            if batches is None:
                return predicting.with_texts(self, predicting.nothing_predicted(self))
            return predicting.with_texts(self, super().predict(batches, None, verbose, steps, callbacks))

    def predict_step(self, data: Any) -> dict[str, tf.Tensor]:
        return predicting.predict_batch(self, keras.utils.unpack_x_y_sample_weight(data)[0])

    def predict_on_batch(self, x: Any) -> dict[str, np.ndarray]:
        """Returns what `predict` gives, for examples that are one batch."""
        return predicting.with_texts(self, super().predict_on_batch(batch_of(x, self.introspector.input)))

    def standardize(self, r: Any) -> tf.Tensor:
        """Returns r(x) `(batch, width)` as the decoder reads it: float32, shifted and scaled."""
        return (tf.cast(r, tf.float32) - self.r_mean) * self.r_scale

    def _introspect_batch(self, x: Any) -> tf.Tensor:
        return self.introspector(x, training=False)["r"]

    def get_config(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "dtype": keras.saving.serialize_keras_object(self.dtype_policy),
            "classifier": keras.saving.serialize_keras_object(self.classifier),
            "tokenizer": self.tokenizer.get_config(),
            "layers": list(self.introspector.layer_paths),
            "decoder": keras.saving.serialize_keras_object(self.decoder),
            "max_length": self.max_length,
            "class_names": self.class_names,
            "pooling": keras.saving.serialize_keras_object(self.introspector.pooling),
            "seed": self.seed,
            "output": self.output_kind,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> InterpNet:
        config = dict(config)
        for key in ("classifier", "decoder", "dtype", "pooling"):
            config[key] = keras.saving.deserialize_keras_object(config[key], custom_objects)
        return cls(tokenizer=ExplanationTokenizer.from_config(config.pop("tokenizer")), **config)

    def save(self, filepath: str | os.PathLike, overwrite: bool = True, **kwargs) -> None:
        """Writes the whole model to a `.keras` file, which appears complete or not at all."""
        path = Path(filepath)
        if path.suffix != ".keras":
            raise ValueError(f"filepath must end in .keras, got {str(filepath)!r}")
        if path.exists() and not overwrite:
            raise FileExistsError(f"{path} exists; pass overwrite=True to replace it")
        with replacing(path) as temporary:
            super().save(temporary, **kwargs)

    def export(self, filepath: str | os.PathLike, format: str = "savedmodel", **options: Any) -> Path:
        """Writes the model for use without Keras.

        Args:
            filepath: the version folder, such as `"export/birds/1"`, or the `.tflite` file to write.
            format: `"savedmodel"`, for servers (see `export.saved_model.export_saved_model`), or `"litert"`,
                for phones (see `export.litert.export_litert`).
            **options: those of the two functions, such as `overwrite=True`, `quantize="int8"`, or
                `input="picture"` or `"array"` where the classifier does not show which it reads.

        Returns:
            `filepath`.

        Raises:
            FileExistsError: if `filepath` exists and `overwrite` is not set.
            ValueError: if an argument is out of its range, or the model cannot be exported.
        """
        if format == "savedmodel":
            from interpnet_tf.export.saved_model import export_saved_model as write
        elif format == "litert":
            from interpnet_tf.export.litert import export_litert as write
        else:
            raise ValueError(f"format must be 'savedmodel' or 'litert', got {format!r}")
        write(self, filepath, **options)
        return Path(filepath)


def load(path: str | os.PathLike, custom_objects: Any = None, compile: bool = True) -> InterpNet:
    """Reads a model that `InterpNet.save` wrote, with Keras' safe mode on.

    Args:
        path: the `.keras` file.
        custom_objects: classes and functions of one's own by name, where they are not registered with Keras.
        compile: whether the model is compiled as it was when it was saved: optimizer and its state, metrics,
            label smoothing.

    Returns:
        The model.

    Raises:
        FileNotFoundError: if there is no such file.
        UnreadableFileError: if it cannot be read.
        ValueError: if it holds another kind of model.
    """
    model = read_model(path, compile, custom_objects)
    if not isinstance(model, InterpNet):
        raise ValueError(f"{path} holds a {type(model).__name__}; load it with keras.saving.load_model")
    return model
