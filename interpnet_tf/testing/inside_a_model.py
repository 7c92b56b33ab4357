"""The part of the decoder's contract that only a whole model shows."""

from __future__ import annotations

import tempfile
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from interpnet_tf.decoders.base import ExplanationDecoder
from interpnet_tf.generation.loop import generate
from interpnet_tf.language.tokenizer import SPECIAL_TOKENS, ExplanationTokenizer
from interpnet_tf.model import InterpNet, load
from interpnet_tf.testing.promises import require


def check_inside_a_model(decoder: ExplanationDecoder, r: np.ndarray, words: int, tolerance: float) -> None:
    """Asserts that an `InterpNet` with the decoder can be trained, saved and loaded.

    Args:
        decoder: to be checked; its weights change.
        r: float `(batch, width)`.
        words: how many it shall say.
        tolerance: by how much logits that should be equal may differ.
    """
    inputs = keras.Input((r.shape[1],), name="features")
    classifier = keras.Model(inputs, keras.layers.Dense(2, "softmax", name="probabilities")(inputs))
    vocabulary = [f"word{index}" for index in range(decoder.vocabulary_size - len(SPECIAL_TOKENS))]
    tokenizer = ExplanationTokenizer(vocabulary=vocabulary)
    model = InterpNet(classifier, tokenizer, layers=["features"], decoder=decoder, max_length=words, seed=0)
    model.compile("adam")
    sentences = [f"{vocabulary[0]} {vocabulary[-1]}"] * len(r)
    losses = model.fit(r, sentences, verbose=0).history["loss"]
    require(np.isfinite(losses).all(), f"the loss is {losses}")
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder) / "model.keras")
        loaded = load(Path(folder) / "model.keras")
    tokens = tf.fill((len(r), words), ExplanationTokenizer.start_id)
    logits, again = (one({"r": r, "tokens": tokens}).numpy() for one in (model, loaded))
    difference = np.abs(logits - again).max()
    require(difference <= tolerance, f"its logits differ by up to {difference:.3g}")
    said, again = (generate(one.decoder, one.standardize(r), words).ids.numpy() for one in (model, loaded))
    require(np.array_equal(said, again), f"it says {again.tolist()}, not {said.tolist()}")
