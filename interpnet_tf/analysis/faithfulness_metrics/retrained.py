"""Networks to compare with: one that learned from the wrong r(x), and one from the wrong labels."""

from __future__ import annotations

import keras
import numpy as np

from interpnet_tf.data.dataset import ExplanationDataset
from interpnet_tf.data.inputs import read_arrays
from interpnet_tf.fitting.optimizers import FusedAdam
from interpnet_tf.model import InterpNet


def shuffled_r(
    model: InterpNet,
    train: ExplanationDataset,
    epochs: int = 2,
    batch_size: int = 64,
    learning_rate: float = 1e-3,
    seed: int = 0,
) -> InterpNet:
    """Trains the decoder of a model anew, on r(x) of the wrong examples.

    The examples' r(x) change places at random, and each sentence is learnt from that of another example.
    What r(x) tells of the sentence is gone, and what can be learnt is how people speak: a metric that does
    not tell such a decoder from an honest one measures nothing of the network. So a few epochs suffice.

    Args:
        model: a trained `InterpNet`, which stays as it is.
        train: the examples that it was trained on.
        epochs: passes over the sentences.
        batch_size: sentences a batch.
        learning_rate: of Adam.
        seed: of the permutation, and of the order of the sentences.

    Returns:
        An `InterpNet` with the same classifier and a new decoder of the same architecture; it can be saved.
    """
    shuffled = type(model).from_config(model.get_config())
    shuffled.classifier.set_weights(model.classifier.get_weights())
    train = train.explained()
    order = np.random.default_rng(seed).permutation(len(train))
    r = shuffled.introspect(train)[order]
    return _with_trained_decoder(shuffled, train, r, epochs, batch_size, learning_rate, seed)


def permuted_labels(
    model: InterpNet,
    train: ExplanationDataset,
    epochs: int = 30,
    decoder_epochs: int = 10,
    batch_size: int = 64,
    learning_rate: float = 1e-3,
    seed: int = 0,
) -> InterpNet:
    """Trains classifier and decoder of a model anew, from the beginning, with labels of the wrong examples.

    The classifier can only learn by heart which example has which class; people's sentences stay where they
    belong. What the decoder then says as it did before is a caption of the input, and no explanation of a
    decision: compare both with `words_changed`. It takes as long as the whole training, and so is none of
    `METRICS`; it is meant for classifiers that learn from the beginning, and not for pretrained ones.

    Args:
        model: a trained `InterpNet`, which stays as it is.
        train: the examples that it was trained on.
        epochs: of the classifier.
        decoder_epochs: of the decoder.
        batch_size: examples or sentences a batch.
        learning_rate: of Adam.
        seed: of the permutation, and of the order of examples and sentences.

    Returns:
        An `InterpNet` of the same architecture.

    Raises:
        ValueError: if the classifier's labels do not exclude each other, or it has a single unit.

    Example:

    ```python
    other = faithfulness_metrics.permuted_labels(model, train)
    said, others = ([e.text for e in network.explain(test)] for network in (model, other))
    print(faithfulness_metrics.words_changed(said, others).mean())  # near 0: captions
    ```

    References:
    - [Adebayo et al. 2018](https://arxiv.org/abs/1810.03292), section 4, the data randomisation test
    """
    if model.output_kind not in ("probabilities", "logits") or model.classifier.output_shape[-1] < 2:
        raise ValueError(
            "the classifier must give probabilities or logits of two classes or more that exclude each "
            f"other, got {model.output_kind} of shape {model.classifier.output_shape}"
        )
    other = type(model).from_config(model.get_config())
    labels = np.random.default_rng(seed).permutation(train.labels)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=model.output_kind == "logits")
    keras.utils.set_random_seed(seed)
    other.classifier.compile(FusedAdam(learning_rate), loss)
    other.classifier.fit(
        read_arrays(train, other.introspector.input), labels, batch_size=batch_size, epochs=epochs, verbose=0
    )
    train = train.explained()
    r = other.introspect(train)
    return _with_trained_decoder(other, train, r, decoder_epochs, batch_size, learning_rate, seed)


def _with_trained_decoder(
    model: InterpNet,
    train: ExplanationDataset,
    r: np.ndarray,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    seed: int,
) -> InterpNet:
    """Returns the model, whose decoder has learned the sentences of examples from r `(examples, width)`."""
    batches = model.prepare(train, batch_size=batch_size, shuffle=True, seed=seed, r=r)
    model.compile(FusedAdam(learning_rate))
    model.fit(batches, epochs=epochs, verbose=0)
    return model
