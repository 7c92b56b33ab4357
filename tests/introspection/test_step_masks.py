"""r(x) of a sequence does not depend on how far it is padded, as far as the classifier's layers tell."""

import keras
import numpy as np
import pytest

import interpnet_tf
from interpnet_tf import Introspector

L, ops = keras.layers, keras.ops
LENGTH = 4


class PassesNoMask(keras.layers.Layer):
    """A layer of the user's that works on each step and says nothing of masks."""

    def call(self, x):
        return 2 * x


def ids_of(steps):
    ids = np.zeros((2, steps), "int32")
    ids[0, :LENGTH], ids[1, : LENGTH - 1] = [5, 6, 7, 8], [3, 2, 1]
    return ids


def classifier(inputs, sequence):
    """A classifier of ids or features that ends in `sequence`."""
    return keras.Model(inputs, L.Dense(3, "softmax", name="p")(L.GlobalMaxPooling1D()(sequence)))


def embedding_mask():
    ids = keras.Input((None,), dtype="int32", name="ids")
    x = L.Embedding(9, 4, mask_zero=True, name="words")(ids)
    x = x + 1
    x = L.Conv1D(4, 1, padding="same", name="conv")(x)
    x = L.Concatenate(name="pair")([x, ops.tanh(x)])
    return classifier(ids, L.Dense(4, name="dense")(x)), ["words", "conv", "pair", "dense"]


def argument_of_attention():
    ids = keras.Input((None,), dtype="int32", name="ids")
    x = L.Embedding(9, 4, name="words")(ids)
    x = L.LayerNormalization(name="norm")(x)
    kept = ops.not_equal(ids, 0)[:, None, :]
    y = L.MultiHeadAttention(2, 2, name="attention")(x, x, attention_mask=kept)
    return classifier(ids, L.Add(name="sum")([x, y])), ["words", "norm", "attention", "sum"]


def argument_of_a_recurrent_layer():
    ids = keras.Input((None,), dtype="int32", name="ids")
    x = L.Embedding(9, 4, name="words")(ids)
    x = L.LSTM(4, return_sequences=True, name="lstm")(x, mask=ops.not_equal(ids, 0))
    return classifier(ids, L.RMSNormalization(name="norm")(x)), ["words", "lstm", "norm"]


def nested():
    inner, paths = embedding_mask()
    inner = keras.Model(inner.inputs, inner.get_layer("dense").output, name="inner")
    ids = keras.Input((None,), dtype="int32", name="outer_ids")
    return classifier(ids, inner(ids)), [f"inner/{path}" for path in paths]


@pytest.mark.parametrize(
    "build", [embedding_mask, argument_of_attention, argument_of_a_recurrent_layer, nested]
)
def test_padding_does_not_count(build):
    model, paths = build()
    introspector = Introspector(model, paths)
    short, long = introspector(ids_of(LENGTH)), introspector(ids_of(20))
    np.testing.assert_allclose(short["r"], long["r"], rtol=1e-4, atol=1e-6)
    for path in paths:  # the second example has a step of padding even in the short one
        part = np.asarray(long["r"])[:, introspector.slices[path]]
        np.testing.assert_allclose(part[1], np.asarray(long[path])[1, :3].mean(axis=0), rtol=1e-4, atol=1e-6)


def test_masking_of_features_through_a_layer_that_says_nothing():
    features = keras.Input((6, 3), name="features")
    x = PassesNoMask(name="own")(L.Masking(name="masked")(features))
    introspector = Introspector(classifier(features, x), ["own", "features"])
    values = np.ones((1, 6, 3), "float32") * np.arange(1, 7)[:, None]
    values[:, 4:] = 0
    r = np.asarray(introspector(values)["r"])
    np.testing.assert_allclose(r, [[5.0, 5, 5, 2.5, 2.5, 2.5]])  # 2 · (1 + 2 + 3 + 4) / 4 and its half


def test_what_changes_the_steps_or_is_told_nothing_is_averaged_over_all():
    ids = keras.Input((None,), dtype="int32")
    x = L.Embedding(9, 4, mask_zero=True)(ids)
    x = L.Conv1D(4, 2, name="shorter")(x)
    plain = L.Embedding(9, 4, name="plain")(ids)
    model = keras.Model(
        ids, L.Dense(2)(L.Concatenate()([L.GlobalMaxPooling1D()(x), L.GlobalMaxPooling1D()(plain)]))
    )
    outputs = Introspector(model, ["shorter", "plain"])(ids_of(6))
    expected = np.hstack([np.asarray(outputs[path]).mean(axis=1) for path in ("shorter", "plain")])
    np.testing.assert_allclose(outputs["r"], expected, rtol=1e-5, atol=1e-6)


def test_an_example_of_nothing_but_padding_gives_zeros():
    model, _ = argument_of_attention()
    r = np.asarray(Introspector(model, ["words"])(np.zeros((1, 5), "int32"))["r"])
    np.testing.assert_array_equal(r, np.zeros((1, 4)))


@pytest.mark.parametrize("kind", ["Bert", "GPT2"])
def test_a_backbone_of_text(kind):
    hub = pytest.importorskip("keras_nlp").models
    backbone = getattr(hub, f"{kind}Backbone")(
        vocabulary_size=30, num_layers=1, num_heads=2, hidden_dim=8, intermediate_dim=16, name="backbone"
    )
    outputs = backbone(backbone.input)
    sequence = outputs["sequence_output"] if kind == "Bert" else outputs
    model = keras.Model(backbone.input, L.Dense(3, "softmax", name="p")(sequence[:, 0]))
    introspector = Introspector(model, ["backbone/token_embedding", "backbone/transformer_layer_0", "p"])

    def r_of(steps):
        ids = ids_of(steps)
        given = {"token_ids": ids, "padding_mask": (ids > 0).astype("int32"), "segment_ids": 0 * ids}
        return introspector({name: given[name] for name in backbone.input})["r"]

    np.testing.assert_allclose(r_of(LENGTH), r_of(20), rtol=1e-4, atol=1e-5)


def test_a_saved_model_keeps_it(make_model, birds, tmp_path):
    model, paths = argument_of_attention()
    explainer = make_model(model, layers=paths)
    explainer.save(tmp_path / "text.keras")
    loaded = interpnet_tf.load(tmp_path / "text.keras")
    np.testing.assert_allclose(
        loaded.introspect(ids_of(20)), explainer.introspect(ids_of(LENGTH)), rtol=1e-4, atol=1e-6
    )
