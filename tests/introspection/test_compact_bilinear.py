"""`CompactBilinearPooling` against outer products worked out by hand and in full."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interpnet_tf.classifiers import CompactBilinearPooling


def plain(output_dim: int, seed: int = 0, channels: int | None = None) -> CompactBilinearPooling:
    """The sketch alone, without square root and scaling."""
    layer = CompactBilinearPooling(output_dim, seed=seed, signed_sqrt=False, normalize=False)
    if channels is not None:
        layer.build((None, None, channels))
    return layer


def with_hashes(layer: CompactBilinearPooling, hashes: list, signs: list) -> CompactBilinearPooling:
    layer._hashes, layer._signs = np.array(hashes, "int32"), np.array(signs, "float32")
    return layer


def test_two_channels_by_hand():
    # h_0 = (0, 2), s_0 = (+, -): x = (2, 3) sketches to (2, 0, -3, 0).
    # h_1 = (1, 3), s_1 = (-, -):                        (0, -2, 0, -3).
    # Circular convolution: 2·-2 at 0+1, 2·-3 at 0+3, -3·-2 at 2+1, -3·-3 at (2+3) mod 4 = 1.
    layer = with_hashes(plain(4, channels=2), [[0, 2], [1, 3]], [[1, -1], [-1, -1]])
    np.testing.assert_allclose(layer(np.array([[[2.0, 3.0]]])), [[0, -4 + 9, 0, -6 + 6]], atol=1e-5)


def test_signed_root_and_length_by_hand():
    # As above the sketch of (2, 3) is (0, 5, 0, 0); two equal locations make 10, the signed root √10.
    rooted = CompactBilinearPooling(4, normalize=False)
    rooted.build((None, None, 2))
    with_hashes(rooted, [[0, 2], [1, 3]], [[1, -1], [-1, -1]])
    np.testing.assert_allclose(rooted(np.array([[[2.0, 3.0]] * 2]))[0, 1], np.sqrt(10), rtol=1e-5)
    maps = np.random.default_rng(0).normal(size=(3, 5, 4, 6))
    np.testing.assert_allclose(np.linalg.norm(CompactBilinearPooling(32)(maps), axis=-1), 1, rtol=1e-5)
    signs = np.sign(plain(32)(maps))
    np.testing.assert_array_equal(np.sign(CompactBilinearPooling(32)(maps)), signs)


@settings(max_examples=20, deadline=None)
@given(channels=st.integers(1, 7), output_dim=st.integers(1, 9), seed=st.integers(0, 100))
def test_equals_count_sketch_of_the_full_outer_product(channels, output_dim, seed):
    layer = plain(output_dim, seed, channels)
    x = np.random.default_rng(seed).normal(size=(2, 3, channels)).astype("float32")
    expected = np.zeros((2, output_dim))
    (h0, h1), (s0, s1) = layer._hashes, layer._signs
    for i in range(channels):
        for j in range(channels):
            products = s0[i] * s1[j] * (x[:, :, i] * x[:, :, j]).sum(axis=1)
            expected[:, (h0[i] + h1[j]) % output_dim] += products
    np.testing.assert_allclose(layer(x), expected, atol=1e-4)


def test_inner_products_estimate_the_squared_kernel():
    # Pham and Pagh, 2013, lemma 4: unbiased, variance at most (3² - 1) / D · (‖x‖ ‖y‖)⁴ for degree 2.
    x, y = np.random.default_rng(1).normal(size=(2, 12)).astype("float32")
    output_dim, seeds = 64, 200
    estimates = []
    for seed in range(seeds):
        sketch_x, sketch_y = np.asarray(plain(output_dim, seed)(np.stack([x, y])[:, None]))
        estimates.append(sketch_x @ sketch_y)
    standard_error = np.sqrt(8 / output_dim / seeds) * (np.linalg.norm(x) * np.linalg.norm(y)) ** 2
    assert abs(np.mean(estimates) - (x @ y) ** 2) < 4 * standard_error
    # The bound means something only if it tells the kernel from zero for vectors that are alike.
    assert 4 * standard_error < (x @ x) * (y @ y)


@settings(max_examples=20, deadline=None)
@given(scale=st.floats(-10, 10), index=st.sampled_from([0, 1]))
def test_count_sketch_is_linear(scale, index):
    layer = plain(8, channels=5)
    x, y = np.random.default_rng(2).normal(size=(2, 4, 5)).astype("float32")
    combined = layer.sketch(scale * x + y, index)
    np.testing.assert_allclose(combined, scale * layer.sketch(x, index) + layer.sketch(y, index), atol=1e-4)


def test_pooling_adds_over_locations_and_ignores_their_order():
    maps = np.random.default_rng(3).normal(size=(2, 6, 5)).astype("float32")
    layer = plain(16)
    parts = sum(np.asarray(layer(maps[:, i : i + 1])) for i in range(6))
    np.testing.assert_allclose(layer(maps), parts, atol=1e-4)
    np.testing.assert_allclose(layer(maps.reshape(2, 2, 3, 5)), layer(maps[:, ::-1]), atol=1e-4)


def test_seed_fixes_the_hashes_and_config_round_trips():
    maps = np.random.default_rng(4).normal(size=(2, 3, 3, 8)).astype("float32")
    layer = CompactBilinearPooling(16, seed=7, signed_sqrt=False)
    twin = CompactBilinearPooling.from_config(layer.get_config())
    assert twin.get_config() == layer.get_config()
    np.testing.assert_array_equal(layer(maps), twin(maps))
    assert np.abs(layer(maps) - CompactBilinearPooling(16, seed=8, signed_sqrt=False)(maps)).max() > 0.01
    assert layer.weights == []


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_is_cast_to_float32(dtype):
    maps = keras.ops.cast(np.random.default_rng(5).normal(size=(2, 3, 3, 8)), dtype)
    pooled = plain(16)(maps)
    assert keras.backend.standardize_dtype(pooled.dtype) == "float32"
    np.testing.assert_array_equal(pooled, plain(16)(keras.ops.cast(maps, "float32")))


def test_any_batch_and_any_map_size_in_one_model():
    inputs = keras.Input((None, None, 8))
    model = keras.Model(inputs, CompactBilinearPooling(16)(inputs))
    assert model.output_shape == (None, 16)
    for shape in [(1, 2, 3, 8), (4, 5, 1, 8)]:
        assert model.predict(np.ones(shape), verbose=0).shape == (shape[0], 16)


def test_gradient_is_finite_at_zero():
    import tensorflow as tf

    maps = tf.zeros((1, 2, 2, 4))
    layer = CompactBilinearPooling(8)
    with tf.GradientTape() as tape:
        tape.watch(maps)
        total = tf.reduce_sum(layer(maps))
    assert np.isfinite(tape.gradient(total, maps)).all()


@pytest.mark.parametrize("shape", [(2, 8), (2, 3, None)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(ValueError, match="channels"):
        CompactBilinearPooling(8)(keras.KerasTensor(shape))


def test_output_dim_must_be_positive():
    with pytest.raises(ValueError, match="output_dim"):
        CompactBilinearPooling(0)
