"""The last maps through which everything passes."""

import keras
import pytest

from interpnet_tf.classifiers import mlp, small_cnn
from interpnet_tf.introspection.bottleneck import last_maps


def plain_cnn(size=16):
    return keras.Sequential(
        [
            keras.Input((size, size, 3)),
            keras.layers.Conv2D(2, 3, padding="same", name="first"),
            keras.layers.MaxPooling2D(name="second"),
            keras.layers.Flatten(),
            keras.layers.Dense(2, "softmax"),
        ]
    )


def test_of_a_chain_the_last():
    assert last_maps(plain_cnn()) == "second"
    assert last_maps(plain_cnn(size=4)) == "first"  # the second has 2 positions a side


def test_later_maps_that_others_pass_by_are_not_all():
    """In `small_cnn` the features hold every block's maps: all of it has passed the first block alone."""
    assert last_maps(small_cnn((64, 64, 3), filters=(2, 2, 2, 2))) == "block_1"


def test_a_residual_block_ends_in_its_sum():
    image = keras.Input((8, 8, 3))
    maps = keras.layers.Conv2D(3, 3, padding="same", name="conv")(image)
    total = keras.layers.Add(name="sum")([image, maps])
    output = keras.layers.Dense(2)(keras.layers.GlobalAveragePooling2D()(total))
    assert last_maps(keras.Model(image, output)) == "sum"


@pytest.mark.parametrize("classifier", [mlp(5, 2), small_cnn((3, 3, 3), filters=(2,))])
def test_there_may_be_none(classifier):
    assert last_maps(classifier) is None


def test_inside_a_nested_model():
    image = keras.Input((8, 8, 3))
    backbone = keras.Model(image, keras.layers.Conv2D(2, 3, name="maps")(image), name="backbone")
    outer = keras.Input((8, 8, 3))
    output = keras.layers.Dense(2)(keras.layers.GlobalAveragePooling2D()(backbone(outer)))
    assert last_maps(keras.Model(outer, output)) == "backbone"
