"""What a classifier is made of, at any depth: its layers and the lookup tables that they keep."""

from __future__ import annotations

import keras
import tensorflow as tf


def all_layers(layer: keras.layers.Layer) -> list[keras.layers.Layer]:
    """Returns the layers within a layer or model, itself first; also those of wrappers and nested models.

    Example:

    >>> layer = keras.layers.TimeDistributed(keras.layers.ReLU(name="inner"), name="outer")
    >>> [part.name for part in all_layers(layer)]
    ['outer', 'inner']
    """
    return [part for part in _parts(layer) if isinstance(part, keras.layers.Layer)]


def lookup_tables(layer: keras.layers.Layer) -> list[tf.saved_model.experimental.TrackableResource]:
    """Returns the lookup tables within a layer or model, such as those of `TextVectorization`.

    Example:

    >>> len(lookup_tables(keras.layers.StringLookup(vocabulary=["crow", "gull"])))
    1
    """
    return [part for part in _parts(layer) if isinstance(part, tf.saved_model.experimental.TrackableResource)]


def check_stateless(classifier: keras.Model) -> None:
    """Raises a `ValueError` if a classifier remembers its last input: its reasons lie elsewhere, too."""
    recurrent = (layer for layer in all_layers(classifier) if isinstance(layer, keras.layers.RNN))
    if stateful := [repr(layer.name) for layer in recurrent if layer.stateful]:
        raise ValueError(
            f"`classifier` remembers its last input in {', '.join(stateful)}, so that it classifies the same "
            "input differently each time; build it with stateful=False and the same weights"
        )


def _parts(layer: keras.layers.Layer) -> list:
    return tf.train.TrackableView(layer).descendants()
