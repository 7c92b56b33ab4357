"""`InterpNet`: a classifier, its introspector and a decoder, as one Keras model."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from interpnet_tf import attribution, decoders
from interpnet_tf.fitting.trainer import ExplanationTrainer
from interpnet_tf.generation.class_names import read_class_names
from interpnet_tf.generation.explainer import Explainer
from interpnet_tf.introspection.finite import check_weights
from interpnet_tf.introspection.introspector import Introspector
from interpnet_tf.introspection.probabilities import output_kind
from interpnet_tf.language.tokenizer import ExplanationTokenizer
from interpnet_tf.support.atomic import replacing
from interpnet_tf.support.checks import check_whole
from interpnet_tf.support.keras_files import read_model


@keras.saving.register_keras_serializable(package="interpnet_tf")
class InterpNet(Explainer, ExplanationTrainer):
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

    >>> import numpy as np
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
        self._trace()
        attribution.trace(self)

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

    def standardize(self, r: Any) -> tf.Tensor:
        """Returns r(x) `(batch, width)` as the decoder reads it: float32, shifted and scaled."""
        return (tf.cast(r, tf.float32) - self.r_mean) * self.r_scale

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

    def attribute(self, x: Any, explanations: Any = None, **options: Any) -> list[attribution.Attribution]:
        """Returns how much each layer of r(x) contributed to each word.

        Args:
            x: as in `explain`.
            explanations: what was said of each example, an `Explanation` or a text; `None` is what `explain`
                says greedily.
            **options: those of `analysis.attribute`, such as `method="shapley"` or `baseline="zeros"`.

        Returns:
            An `Attribution` for each example.

        Raises:
            ValueError: if an argument is out of its range, or there is not an explanation for each example.
        """
        return attribution.attribute(self, x, explanations, **options)

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
