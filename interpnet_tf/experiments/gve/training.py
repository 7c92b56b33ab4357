"""The training of Generating Visual Explanations and of its ablations."""

from __future__ import annotations

import dataclasses
import functools
import os
from collections.abc import Callable, Mapping
from typing import Any

import keras

from interpnet_tf.data.dataset import ExplanationDataset
from interpnet_tf.decoders.base import ExplanationDecoder
from interpnet_tf.decoders.lrcn import LRCNDecoder
from interpnet_tf.experiments.gve.stages import Stages
from interpnet_tf.experiments.gve.true_classes import with_true_classes
from interpnet_tf.introspection.class_embedding import CLASS_EMBEDDING, with_class_embedding
from interpnet_tf.introspection.default_layers import default_layers
from interpnet_tf.introspection.graph import trace
from interpnet_tf.language import sentence_models
from interpnet_tf.language.tokenizer import ExplanationTokenizer
from interpnet_tf.model import InterpNet
from interpnet_tf.training import rewards
from interpnet_tf.training.policy_gradient import train_policy
from interpnet_tf.training.sentence_training import class_vectors, train_sentence_model
from interpnet_tf.training.stages import train_explainer

STAGES = ("language_model", "sentence_classifier", "relevance", "discriminative")
Callbacks = list[Any] | Mapping[str, list[Any]] | None


@dataclasses.dataclass(frozen=True)
class Ablation:
    """What a decoder reads, and what it learns.

    Args:
        image: whether it reads the image feature.
        label: whether it reads the embedding of the class.
        relevance: for one with the discriminative loss, the ablation without it from which it goes on.
    """

    image: bool
    label: bool
    relevance: str | None = None


ABLATIONS = {
    "description": Ablation(image=True, label=False),
    "definition": Ablation(image=False, label=True),
    "explanation-label": Ablation(image=True, label=True),
    "explanation-discriminative": Ablation(image=True, label=False, relevance="description"),
    "explanation": Ablation(image=True, label=True, relevance="explanation-label"),
}


def train(
    classifier: keras.Model,
    tokenizer: ExplanationTokenizer,
    train: ExplanationDataset,
    valid: ExplanationDataset,
    ablation: str = "explanation",
    seed: int = 0,
    directory: str | os.PathLike | None = None,
    callbacks: Callbacks = None,
    *,
    image_layer: str | None = None,
    decoder: Callable[[int], ExplanationDecoder] | None = None,
    max_length: int = 32,
    relevance: Mapping[str, Any] | None = None,
    discriminative: Mapping[str, Any] | None = None,
    sentences: Mapping[str, Any] | None = None,
) -> InterpNet:
    """Trains Generating Visual Explanations, or one of its ablations, for a trained classifier.

    In training the decoder reads the embedding of the true class, as the
    paper's does; in validation and ever after that of the class which the classifier predicts. The ablations
    with the discriminative loss go on from the finished ones without.

    Args:
        classifier: a trained Keras classifier with an output for each class; it stays as it is.
        tokenizer: adapted.
        train, valid: data with sentences.
        ablation: a key of `ABLATIONS`: "description" reads the image only, "definition" the class only,
            "explanation-label" both; "explanation-discriminative" is the first and "explanation" the third
            with the discriminative loss.
        seed: of everything random.
        directory: where finished stages are kept, so that ablations share what they have in common and an
            interrupted training goes on; a directory for each classifier, seed and choice of the other
            arguments. `None` keeps nothing.
        callbacks: Keras callbacks of all stages, or a dict of those of each of `STAGES`.
        image_layer: layer or input of the classifier that gives the image feature; `None` takes what enters
            the first dense layer.
        decoder: returns a new decoder, called with the size of the vocabulary; `None` is LRCN_2f, as that of
            InterpNET, with a dropout of 0.5.
        max_length: the most words of a sentence.
        relevance: further arguments of `training.train_explainer`, such as `{"epochs": 20}`.
        discriminative: further arguments of `discriminate`.
        sentences: further arguments of `sentence_training.train_sentence_model`, for the language model and
            the sentence classifier.

    Returns:
        The trained model.

    Raises:
        ValueError: if `ablation` is none, or another argument is out of its range.

    Example:

    ```python
    model = gve.train(classifier, tokenizer, train, valid, "explanation", directory="runs/gve")
    model.explain(test.inputs)
    ```

    References:
    - [Hendricks et al. 2016, section 3](https://arxiv.org/abs/1603.08507)
    """
    if ablation not in ABLATIONS:
        raise ValueError(f"ablation must be one of {list(ABLATIONS)}, got {ablation!r}")
    chosen, stages = ABLATIONS[ablation], Stages(directory, callbacks)
    sentences = dict(sentences or {})

    def train_relevance(directory: Any, callbacks: Any) -> InterpNet:
        whole, read = classifier, []
        if chosen.image:
            read.append(image_layer or default_layers(trace(classifier))[0])
        if chosen.label:
            reader = _sentence_model("language_model", tokenizer, train, valid, seed, stages, sentences)
            vectors = class_vectors(reader, tokenizer, train)
            whole = with_class_embedding(classifier, vectors)
            read.append(CLASS_EMBEDDING)
        decoder_of = decoder or functools.partial(LRCNDecoder, dropout=0.5, seed=seed)
        speaks = decoder_of(tokenizer.vocabulary_size)
        model = InterpNet(whole, tokenizer, read, speaks, max_length, train.class_names, seed=seed)
        options = {"batch_size": 32, **(relevance or {})}
        batches = model.prepare(train, batch_size=options["batch_size"], shuffle=True)
        batches.r = with_true_classes(model, batches.r, train.explained().labels)
        train_explainer(model, batches, valid, directory=directory, callbacks=callbacks, **options)
        return model

    def train_discriminative(directory: Any, callbacks: Any) -> InterpNet:
        model = stages.finish(chosen.relevance, "relevance", train_relevance)
        reader = _sentence_model("sentence_classifier", tokenizer, train, valid, seed, stages, sentences)
        options = {"seed": seed, **(discriminative or {})}
        discriminate(model, reader, train, valid, directory=directory, callbacks=callbacks, **options)
        return model

    if chosen.relevance is None:
        return stages.finish(ablation, "relevance", train_relevance)
    return stages.finish(ablation, "discriminative", train_discriminative)


def discriminate(
    model: InterpNet,
    sentence_classifier: keras.Model,
    train: ExplanationDataset,
    valid: ExplanationDataset,
    *,
    words: int | None = None,
    likelihood_weight: float = 0.5,
    epochs: int = 5,
    learning_rate: float = 1e-4,
    **options: Any,
) -> list[dict[str, float]]:
    """Trains any `InterpNet` on with the discriminative loss: what it says shall tell the class.

    Args:
        model: a trained `InterpNet`, such as InterpNET_2's, whose decoder is trained in place.
        sentence_classifier: what `train_sentence_classifier` returned, for the same tokenizer.
        train, valid: data with sentences.
        words: how many words of a sentence the classifier reads, see `rewards.ClassProbability`.
        likelihood_weight: of the relevance loss, one over the λ of the paper.
        epochs, learning_rate: see `policy_gradient.train_policy`.
        **options: further arguments of `policy_gradient.train_policy`.

    Returns:
        One dict an epoch, see `policy_gradient.train_policy`.

    Raises:
        ValueError: if the sentence classifier has another vocabulary than the model, or an argument is out of
            its range.

    References:
    - [Hendricks et al. 2016, section 3.2](https://arxiv.org/abs/1603.08507)
    """
    known = sentence_classifier.get_layer("embedding").input_dim
    if known != model.tokenizer.vocabulary_size:
        raise ValueError(
            f"sentence_classifier knows {known} ids, the model's tokenizer "
            f"{model.tokenizer.vocabulary_size}; train it with model.tokenizer"
        )
    true_r = None
    if CLASS_EMBEDDING in model.introspector.slices:
        explained = train.explained()
        true_r = with_true_classes(model, model.introspect(explained.inputs), explained.labels)
    return train_policy(
        model,
        train,
        valid,
        rewards.ClassProbability(sentence_classifier, words),
        likelihood_weight=likelihood_weight,
        epochs=epochs,
        learning_rate=learning_rate,
        r=true_r,
        **options,
    )


def train_sentence_classifier(
    tokenizer: ExplanationTokenizer,
    train: ExplanationDataset,
    valid: ExplanationDataset,
    seed: int = 0,
    directory: str | os.PathLike | None = None,
    callbacks: Callbacks = None,
    **options: Any,
) -> keras.Model:
    """Returns the trained classifier of sentences whose recognition is the discriminative loss's reward.

    Args:
        tokenizer: adapted.
        train, valid: data with sentences; only these are read.
        seed: of everything random.
        directory, callbacks: as of `train`, whose directory may be the same.
        **options: further arguments of `sentence_training.train_sentence_model`.

    Returns:
        The model; `sentence_training.sentence_accuracy` tells how good it is.
    """
    stages = Stages(directory, callbacks)
    return _sentence_model("sentence_classifier", tokenizer, train, valid, seed, stages, options)


def _sentence_model(
    kind: str,
    tokenizer: ExplanationTokenizer,
    train: ExplanationDataset,
    valid: ExplanationDataset,
    seed: int,
    stages: Stages,
    options: dict[str, Any],
) -> keras.Model:
    """Returns the trained model of a stage that reads sentences only: language model or classifier."""

    def trained(**where: Any) -> keras.Model:
        size, classes = tokenizer.vocabulary_size, len(train.class_names)
        if kind == "sentence_classifier":
            model = sentence_models.sentence_classifier(size, classes, seed=seed)
        else:
            model = sentence_models.language_model(size, seed=seed)
        train_sentence_model(model, tokenizer, train, valid, seed=seed, **options, **where)
        return model

    return stages.finish(kind, kind, trained)
