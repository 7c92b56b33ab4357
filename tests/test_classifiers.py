"""The paper's classifiers and the small CNN."""

import keras
import numpy as np
import pytest

from interpnet_tf.classifiers import HIDDEN_LAYERS, mlp, small_cnn, variant_layers


def test_mlp_computes_relu_layers_and_a_softmax():
    model = mlp(input_dim=3, classes=2, hidden=(4, 5), seed=1)
    x = np.random.default_rng(0).normal(size=(6, 3)).astype("float32")
    (w1, b1), (w2, b2), (w3, b3) = (
        model.get_layer(name).get_weights() for name in ["hidden_1", "hidden_2", "probabilities"]
    )
    logits = np.maximum(np.maximum(x @ w1 + b1, 0) @ w2 + b2, 0) @ w3 + b3
    exponentials = np.exp(logits)
    np.testing.assert_allclose(model(x), exponentials / exponentials.sum(-1, keepdims=True), rtol=1e-5)


def test_mlp_of_the_paper_has_its_number_of_weights():
    # InterpNET_2 on 8192 features and 200 classes: 8192·500 + 500 + 500·300 + 300 + 300·200 + 200.
    assert mlp(8192, 200, HIDDEN_LAYERS["interpnet-2"]).count_params() == 4_307_000


@pytest.mark.parametrize("variant", HIDDEN_LAYERS)
@pytest.mark.parametrize("build", [lambda h: mlp(4, 3, h), lambda h: small_cnn((16, 16, 3), 3, h)])
def test_every_variant_finds_its_layers(variant, build):
    model = build(HIDDEN_LAYERS[variant])
    for name in variant_layers(variant):
        assert model.get_layer(name).name == name
    assert len([layer for layer in model.layers if layer.name.startswith("hidden")]) == len(
        HIDDEN_LAYERS[variant]
    )


def test_variants_are_the_papers():
    assert variant_layers("captioning") == ["features"]
    assert variant_layers("interpnet-0") == ["probabilities"]
    assert variant_layers("interpnet-3") == ["features", "hidden_1", "hidden_2", "hidden_3", "probabilities"]
    with pytest.raises(ValueError, match="interpnet-4"):
        variant_layers("interpnet-4")


def test_cnn_features_are_each_blocks_mean_and_maximum():
    model = small_cnn((32, 32, 3), classes=5, filters=(4, 6), hidden=(7,))
    images = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3)).astype("uint8")
    outputs = [model.get_layer(name).output for name in ["block_1", "block_2", "features"]]
    first, second, features = (np.asarray(x) for x in keras.Model(model.input, outputs)(images))
    assert (first.shape, second.shape) == ((2, 8, 8, 4), (2, 4, 4, 6))
    expected = [pool(maps, axis=(1, 2)) for maps in (first, second) for pool in (np.mean, np.max)]
    np.testing.assert_allclose(features, np.concatenate(expected, axis=-1), rtol=1e-5)


def test_cnn_takes_integers_and_floats_alike():
    model = small_cnn((16, 16, 3), classes=5, seed=0)
    images = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3)).astype("uint8")
    np.testing.assert_array_equal(model(images), model(images.astype("float32")))
    assert model.output_shape == (None, 5)


def test_cnn_is_cheap():
    # Multiply-adds: kernel area by channels in by channels out by positions of each convolution's output.
    convolutions = [25 * 3 * 32 * 32**2, 9 * 32 * 64 * 16**2, 9 * 64 * 96 * 8**2, 9 * 96 * 128 * 4**2]
    dense = 640 * 500 + 500 * 300 + 300 * 24
    assert sum(convolutions) + dense < 15e6
    positions = [
        conv.output.shape[1:] for conv in small_cnn().layers if isinstance(conv, keras.layers.Conv2D)
    ]
    assert positions == [(32, 32, 32), (16, 16, 64), (8, 8, 96), (4, 4, 128)]


@pytest.mark.parametrize(
    "build", [lambda s: mlp(8, 3, (8, 8), seed=s), lambda s: small_cnn((16, 16, 3), 3, seed=s)]
)
def test_seed_fixes_the_weights(build):
    for one, two in zip(build(3).get_weights(), build(3).get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    assert any(
        (one != two).any() for one, two in zip(build(3).get_weights(), build(4).get_weights(), strict=True)
    )


def test_layers_of_equal_shape_start_apart():
    model = mlp(8, 3, (8, 8), seed=3)
    assert (model.get_layer("hidden_1").kernel != model.get_layer("hidden_2").kernel).numpy().any()


def test_dropout_acts_in_training_only():
    model = mlp(4, 3, (50,), dropout=0.5, seed=0)
    x = np.ones((1, 4))
    np.testing.assert_array_equal(model(x), model(x, training=False))
    assert np.abs(model(x) - model(x, training=True)).max() > 0
