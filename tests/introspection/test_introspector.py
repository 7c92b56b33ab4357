"""`Introspector` on every kind of classifier it promises to read."""

import io
import zipfile

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf

from interpnet_tf.classifiers import CompactBilinearPooling, mlp, small_cnn
from interpnet_tf.introspection.introspector import Introspector

IMAGES = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3)).astype("float32")


def reference(model, *names):
    """The activations by Keras's own idiom, for layers that are not nested."""
    outputs = [model.get_layer(name).output for name in names]
    return [np.asarray(x) for x in keras.Model(model.input, outputs)(IMAGES, training=False)]


def backbone(name="backbone"):
    image = keras.Input((32, 32, 3))
    x = keras.layers.Conv2D(4, 3, name="conv")(image)
    x = keras.layers.BatchNormalization(name="norm")(x)
    x = keras.layers.ReLU(name="relu")(x)
    return keras.Model(image, x, name=name)


def nested_classifier():
    """A backbone within a model within a Sequential, each called once."""
    image = keras.Input((32, 32, 3))
    x = backbone()(image, training=False)
    middle = keras.Model(image, keras.layers.GlobalAveragePooling2D(name="pool")(x), name="middle")
    return keras.Sequential(
        [keras.Input((32, 32, 3)), middle, keras.layers.Dense(3, activation="softmax", name="probabilities")]
    )


def text_classifier():
    return keras.Sequential(
        [
            keras.Input((None,), dtype="int32", name="ids"),
            keras.layers.Embedding(20, 8, mask_zero=True, name="embedding"),
            keras.layers.GlobalAveragePooling1D(name="mean"),
            keras.layers.Dense(4, activation="relu", name="hidden"),
            keras.layers.Dense(3, activation="softmax", name="probabilities"),
        ]
    )


class Subclassed(keras.Model):
    def call(self, inputs):
        return inputs


# ---------------------------------------------------------------- what r holds


def test_mlp_by_hand():
    model = mlp(2, 2, hidden=(2,))
    weights = [[[1, -1], [2, 0]], [0, 0.5], [[0, 0], [0, 0]], [0, np.log(3)]]
    model.set_weights([np.array(weight) for weight in weights])
    introspector = Introspector(model)
    # h = relu((1 + 2·2, -1 + 0.5)) = (5, 0); the softmax of (0, ln 3) is (1/4, 3/4).
    outputs = introspector(np.array([[1.0, 2.0]]))
    np.testing.assert_allclose(outputs["r"], [[1, 2, 5, 0, 0.25, 0.75]], rtol=1e-5)
    np.testing.assert_allclose(outputs["hidden_1"], [[5, 0]])
    assert introspector.layer_paths == ("features", "hidden_1", "probabilities")
    assert introspector.slices == {
        "features": slice(0, 2),
        "hidden_1": slice(2, 4),
        "probabilities": slice(4, 6),
    }
    assert introspector.width == 6 == outputs["r"].shape[-1]
    assert introspector.probabilities_path == "probabilities"
    assert introspector.classifier is model


@pytest.mark.parametrize("layers", ["hidden_2", ["hidden_2"], ["probabilities", "features"]])
def test_chosen_layers_in_the_chosen_order(layers):
    model = mlp(4, 3, (6, 5), seed=0)
    x = np.random.default_rng(1).normal(size=(2, 4)).astype("float32")
    outputs = Introspector(model, layers)(x)
    paths = [layers] if isinstance(layers, str) else layers
    assert set(outputs) == {*paths, "r"}
    np.testing.assert_array_equal(outputs["r"], np.concatenate([outputs[path] for path in paths], axis=-1))


def test_maps_stay_raw_and_enter_r_averaged():
    model = small_cnn((32, 32, 3), 5, (7,))
    outputs = Introspector(model, ["block_1", "hidden_1"])(IMAGES)
    block, hidden = reference(model, "block_1", "hidden_1")
    np.testing.assert_allclose(outputs["block_1"], block, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(
        outputs["r"], np.concatenate([block.mean((1, 2)), hidden], -1), rtol=1e-4, atol=1e-6
    )


def test_volumes_are_averaged():
    model = keras.Sequential(
        [
            keras.Input((4, 4, 4, 1)),
            keras.layers.Conv3D(3, 2, name="conv"),
            keras.layers.Flatten(),
            keras.layers.Dense(2, name="probabilities"),
        ]
    )
    outputs = Introspector(model, ["conv"])(np.random.default_rng(1).normal(size=(2, 4, 4, 4, 1)))
    np.testing.assert_allclose(outputs["r"], np.mean(outputs["conv"], axis=(1, 2, 3)), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "pooling",
    [CompactBilinearPooling(16, seed=3), lambda: CompactBilinearPooling(16, seed=3)],
    ids=["layer", "factory"],
)
def test_pooling_by_a_layer(pooling):
    model = small_cnn((32, 32, 3), 5, (7,))
    introspector = Introspector(model, ["block_1", "block_2", "probabilities"], pooling=pooling)
    assert introspector.width == 16 + 16 + 5
    outputs = introspector(IMAGES)
    expected = CompactBilinearPooling(16, seed=3)(outputs["block_2"])
    np.testing.assert_allclose(
        outputs["r"][:, introspector.slices["block_2"]], expected, rtol=1e-5, atol=1e-6
    )
    rebuilt = Introspector.from_config(introspector.get_config())
    rebuilt.set_weights(introspector.get_weights())
    np.testing.assert_allclose(rebuilt(IMAGES)["r"], outputs["r"], rtol=1e-5, atol=1e-6)


def test_compact_bilinear_pooling_by_name():
    model = small_cnn((32, 32, 3), 5, (7,))
    introspector = Introspector(model, "block_2", pooling="compact_bilinear")
    outputs = introspector(IMAGES)
    np.testing.assert_allclose(
        outputs["r"], CompactBilinearPooling()(outputs["block_2"]), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("nest", [False, True])
def test_sequences_are_averaged_with_their_mask(nest):
    model, path = text_classifier(), "embedding"
    if nest:
        ids = keras.Input((None,), dtype="int32")
        model, path = keras.Model(ids, model(ids)), f"{model.name}/embedding"
    ids = np.array([[1, 2, 0, 0], [3, 4, 5, 0]])
    outputs = Introspector(model, [path])(ids)
    words = np.asarray(outputs[path])
    assert words.shape == (2, 4, 8)
    expected = [words[0, :2].mean(axis=0), words[1, :3].mean(axis=0)]
    np.testing.assert_allclose(outputs["r"], expected, rtol=1e-5, atol=1e-6)


def test_r_is_float32_under_mixed_precision():
    image = keras.Input((64, 64, 3))
    # Each channel sums 62·62 values of 100: more than float16 can hold.
    hundred = keras.initializers.Constant(100)
    options = {"kernel_initializer": "zeros", "bias_initializer": hundred, "dtype": "mixed_float16"}
    x = keras.layers.Conv2D(2, 3, name="conv", **options)(image)
    output = keras.layers.Dense(2, "softmax", dtype="mixed_float16", name="p")(keras.layers.Flatten()(x))
    outputs = Introspector(keras.Model(image, output), ["conv", "p"])(np.zeros((1, 64, 64, 3)))
    assert (outputs["conv"].dtype, outputs["r"].dtype) == (tf.float16, tf.float32)
    np.testing.assert_allclose(outputs["r"][0, :2], 100)


# ---------------------------------------------------------------- which layers form r by default


def test_default_takes_the_end_of_each_dense_chain_but_not_the_noise():
    x = features = keras.Input((4,), name="features")
    for index in (1, 2):
        x = keras.layers.Dense(6, use_bias=False, name=f"dense_{index}")(x)
        x = keras.layers.BatchNormalization(name=f"norm_{index}")(x)
        x = keras.layers.Activation("relu", name=f"relu_{index}")(x)
        x = keras.layers.Dropout(0.5, name=f"dropout_{index}")(x)
    x = keras.layers.Dense(3, name="logits")(x)
    output = keras.layers.Softmax(name="probabilities")(x)
    assert Introspector(keras.Model(features, output)).layer_paths == (
        "features",
        "relu_1",
        "relu_2",
        "probabilities",
    )


def test_default_of_a_dense_layer_followed_by_an_op():
    features = keras.Input((4,), name="features")
    x = keras.ops.relu(keras.layers.Dense(6, name="dense")(features))
    paths = Introspector(keras.Model(features, keras.layers.Dense(3, name="p")(x))).layer_paths
    assert (paths[0], paths[2]) == ("features", "p")
    outputs = Introspector(keras.Model(features, keras.layers.Dense(3, name="p")(x)))(
        np.random.default_rng(1).normal(size=(9, 4))
    )
    assert np.min(outputs[paths[1]]) == 0


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        (lambda: small_cnn((32, 32, 3), 3, (5,)), ("features", "hidden_1", "probabilities")),
        (nested_classifier, ("middle", "probabilities")),
        (text_classifier, ("mean", "hidden", "probabilities")),
    ],
)
def test_default_of_images_and_text_is_what_enters_the_head(build, expected):
    assert Introspector(build()).layer_paths == expected


def test_default_skips_the_dense_layers_of_squeeze_and_excitation():
    image = keras.Input((8, 8, 4))
    weights = keras.layers.GlobalAveragePooling2D(keepdims=True)(image)
    weights = keras.layers.Dense(4, activation="sigmoid", name="squeeze")(weights)
    x = keras.layers.Flatten(name="flat")(keras.layers.Multiply()([image, weights]))
    assert Introspector(keras.Model(image, keras.layers.Dense(2, name="p")(x))).layer_paths == ("flat", "p")


def test_default_skips_dropout_before_the_head():
    image = keras.Input((8, 8, 4))
    x = keras.layers.Dropout(0.2)(keras.layers.GlobalAveragePooling2D(name="pool")(image))
    assert Introspector(keras.Model(image, keras.layers.Dense(2, name="p")(x))).layer_paths == ("pool", "p")


# ---------------------------------------------------------------- kinds of classifiers


@pytest.mark.parametrize(
    ("application", "paths", "inner"),
    [
        ("MobileNetV3Small", 3, "expanded_conv_3_expand_bn"),
        pytest.param("ResNet50", 2, "conv3_block1_out", marks=pytest.mark.slow),
    ],
)
def test_keras_applications_flat_and_nested(application, paths, inner):
    build = getattr(keras.applications, application)
    features = build(weights=None, input_shape=(32, 32, 3), include_top=False, pooling="avg", name="backbone")
    if application == "ResNet50":  # of its millions of weights one set is enough
        flat = keras.Model(
            features.inputs, keras.layers.Dense(4, "softmax", name="predictions")(features.output)
        )
    else:
        flat = build(weights=None, input_shape=(32, 32, 3), classes=4)
    introspector = Introspector(flat)
    # At 32 by 32 pixels the last blocks' maps have one position: they still are no dense layers.
    assert len(introspector.layer_paths) == paths
    np.testing.assert_allclose(introspector(IMAGES)[introspector.probabilities_path], flat(IMAGES), rtol=1e-5)

    nested = keras.Sequential(
        [keras.Input((32, 32, 3)), features, keras.layers.Dense(4, "softmax", name="p")]
    )
    assert Introspector(nested).layer_paths == ("backbone", "p")
    outputs = Introspector(nested, [f"backbone/{inner}", "p"])(IMAGES, training=True)
    np.testing.assert_allclose(outputs[f"backbone/{inner}"], reference(features, inner), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(outputs["p"], nested(IMAGES), rtol=1e-5)


def test_paths_reach_any_depth():
    model = nested_classifier()
    paths = ["middle/backbone/relu", "middle/backbone/conv", "middle/pool", "middle", "probabilities"]
    outputs = Introspector(model, paths)(IMAGES)
    relu, conv = reference(model.get_layer("middle").get_layer("backbone"), "relu", "conv")
    np.testing.assert_allclose(outputs["middle/backbone/relu"], relu, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(outputs["middle/backbone/conv"], conv, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(outputs["middle"], outputs["middle/pool"])
    np.testing.assert_allclose(outputs["probabilities"], model(IMAGES), rtol=1e-5)


@pytest.mark.parametrize("structure", [dict, list])
def test_several_inputs(structure):
    image = keras.Input((32, 32, 3), name="image")
    facts = keras.Input((5,), name="facts")
    pooled = keras.layers.GlobalAveragePooling2D(name="pool")(image)
    x = keras.layers.Concatenate(name="both")([pooled, facts])
    output = keras.layers.Dense(3, name="p")(keras.layers.Dense(4, "relu", name="hidden")(x))
    inputs = {"image": image, "facts": facts} if structure is dict else [image, facts]
    values = {"image": IMAGES, "facts": np.random.default_rng(1).normal(size=(2, 5)).astype("float32")}
    values = values if structure is dict else list(values.values())
    model = keras.Model(inputs, output)
    assert Introspector(model).layer_paths == ("both", "hidden", "p")
    outputs = Introspector(model, ["facts", "image", "p"])(values)
    facts_values = values["facts"] if structure is dict else values[1]
    expected = np.concatenate([facts_values, IMAGES.mean((1, 2)), model(values)], axis=-1)
    np.testing.assert_allclose(outputs["r"], expected, rtol=1e-5)


def test_keras_nlp_backbone():
    keras_nlp = pytest.importorskip("keras_nlp")
    bert = keras_nlp.models.BertBackbone(
        vocabulary_size=30, num_layers=1, num_heads=2, hidden_dim=8, intermediate_dim=16, name="bert"
    )
    output = keras.layers.Dense(3, "softmax", name="p")(
        keras.layers.Dropout(0.5)(bert.output["pooled_output"])
    )
    flat = keras.Model(bert.input, output)
    called = keras.Model(
        bert.input, keras.layers.Dense(3, "softmax", name="p")(bert(bert.input)["pooled_output"])
    )
    ids = np.array([[1, 2, 3, 4], [5, 6, 0, 0]])
    inputs = {"token_ids": ids, "segment_ids": np.zeros_like(ids), "padding_mask": (ids > 0).astype("int32")}
    assert Introspector(flat).layer_paths[1:] == ("pooled_dense", "p")
    introspector = Introspector(called)
    assert introspector.layer_paths == ("bert/pooled_dense", "p")
    outputs = introspector(inputs)
    np.testing.assert_allclose(
        outputs["bert/pooled_dense"], bert(inputs)["pooled_output"], rtol=1e-5, atol=1e-6
    )
    np.testing.assert_allclose(outputs["p"], called(inputs), rtol=1e-5)
    assert Introspector(called, "bert/transformer_layer_0")(inputs)["r"].shape == (2, 8)
    with pytest.raises(ValueError, match="'bert' gives 2 outputs"):
        Introspector(called, ["bert"])


def test_a_shared_layer_stands_with_its_last_call():
    shared = keras.layers.Dense(4, name="shared")
    features = keras.Input((4,))
    first = shared(features)
    model = keras.Model(features, keras.layers.Dense(2, name="p")(shared(keras.layers.ReLU()(first))))
    shared(keras.Input((4,)))  # a call elsewhere, which is none of this classifier's
    x = np.random.default_rng(1).normal(size=(2, 4)).astype("float32")
    expected = shared(np.maximum(shared(x), 0))
    np.testing.assert_allclose(Introspector(model, "shared")(x)["r"], expected, rtol=1e-5)


def test_a_shared_nested_model_is_opened_once():
    tower = mlp(4, 4, (3,), name="tower")
    features = keras.Input((4,))
    model = keras.Model(features, keras.layers.Dense(2, name="p")(tower(tower(features))))
    x = np.random.default_rng(1).normal(size=(2, 4)).astype("float32")
    outputs = Introspector(model, ["tower/hidden_1", "tower", "p"])(x)
    np.testing.assert_allclose(outputs["tower"], tower(tower(x)), rtol=1e-5)
    np.testing.assert_allclose(
        outputs["tower/hidden_1"], Introspector(tower, "hidden_1")(tower(x))["r"], rtol=1e-5
    )
    np.testing.assert_allclose(outputs["p"], model(x), rtol=1e-5)


# ---------------------------------------------------------------- frozen, and only seen from here


def test_classifier_stays_as_it_was():
    model = small_cnn((32, 32, 3), 5, (7,), dropout=0.5)
    model.compile("adam", loss=lambda y, p: keras.ops.mean((y - p) ** 2))
    model.get_layer("block_1_conv").trainable = False
    config, trainable = model.get_config(), [v.path for v in model.trainable_variables]
    introspector = Introspector(model)
    introspector.trainable = True
    introspector.trainable = False
    assert introspector.trainable_variables == [] == introspector.trainable_weights
    assert [v.path for v in model.trainable_variables] == trainable
    assert model.get_config() == config
    assert {id(v) for v in introspector.variables} == {id(v) for v in model.variables}


def test_classifier_trains_on_and_the_introspector_sees_it():
    model = mlp(4, 3, (6,), seed=0)
    introspector = Introspector(model)
    x = np.random.default_rng(1).normal(size=(8, 4)).astype("float32")
    before = np.asarray(introspector(x)["r"])
    model.compile(keras.optimizers.SGD(1.0), "sparse_categorical_crossentropy")
    model.fit(x, np.arange(8) % 3, verbose=0)
    after = introspector(x)
    assert np.abs(after["r"] - before).max() > 1e-3
    np.testing.assert_array_equal(after["probabilities"], model(x))


def test_gradient_stops_at_r():
    model = mlp(4, 3, (6,), seed=0)
    introspector = Introspector(model)
    x = tf.constant(np.random.default_rng(1).normal(size=(2, 4)), tf.float32)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        outputs = introspector(x)
        from_r = tf.reduce_sum(outputs["r"] ** 2)
        from_layer = tf.reduce_sum(outputs["hidden_1"] ** 2)
    sources = [x, *(variable.value for variable in model.trainable_variables)]
    assert all(gradient is None for gradient in tape.gradient(from_r, sources))
    assert tape.gradient(from_layer, x) is not None


@pytest.mark.filterwarnings("ignore:Gradients do not exist")
def test_training_a_decoder_of_r_changes_nothing():
    model = small_cnn((32, 32, 3), 3, (4,), seed=0)
    introspector = Introspector(model)
    image = keras.Input((32, 32, 3))
    decoder = keras.Model(image, keras.layers.Dense(2)(introspector(image)["r"]))
    before = model.get_weights()
    decoder.compile(keras.optimizers.SGD(0.1), "mse")
    decoder.fit(IMAGES, np.ones((2, 2)), epochs=2, verbose=0)
    for one, two in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)


@keras.saving.register_keras_serializable(package="interpnet_tf_tests")
class Noisy(keras.layers.Layer):
    """A layer without a `training` argument of its own around one that has it."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dropout = keras.layers.Dropout(0.5)

    def call(self, inputs):
        return self.dropout(inputs)

    def compute_output_shape(self, input_shape):
        return input_shape


def test_always_in_inference_mode():
    image = keras.Input((8, 8, 3))
    x = keras.layers.BatchNormalization(name="norm")(keras.layers.Conv2D(4, 3)(image))
    x = keras.layers.Dropout(0.5)(x, training=True)
    x = Noisy()(keras.layers.GlobalAveragePooling2D()(x))
    model = keras.Model(image, keras.layers.Dense(2, name="p")(x))
    introspector = Introspector(model, ["norm", "p"])
    images = np.random.default_rng(1).normal(size=(2, 8, 8, 3))
    moving_mean = model.get_layer("norm").moving_mean.numpy().copy()
    expected = introspector(images)
    for outputs in [introspector(images, training=True), introspector(images, training=True)]:
        np.testing.assert_array_equal(outputs["r"], expected["r"])
    np.testing.assert_array_equal(model.get_layer("norm").moving_mean, moving_mean)


# ---------------------------------------------------------------- saving


@pytest.mark.parametrize("pooling", ["average", "compact_bilinear"])
def test_file_holds_the_weights_once_and_reloads_safely(tmp_path, pooling):
    model = nested_classifier()
    paths = ["middle/backbone/norm", "middle", "probabilities"]
    introspector = Introspector(model, paths, pooling=pooling)
    model.save(tmp_path / "classifier.keras")
    introspector.save(tmp_path / "introspector.keras")
    loaded = keras.saving.load_model(tmp_path / "introspector.keras", safe_mode=True)
    assert loaded.layer_paths == introspector.layer_paths
    assert loaded.trainable_variables == []
    np.testing.assert_allclose(loaded(IMAGES)["r"], introspector(IMAGES)["r"], rtol=1e-5, atol=1e-6)
    assert _weight_bytes(tmp_path / "introspector.keras") == _weight_bytes(tmp_path / "classifier.keras")


def _weight_bytes(path):
    sizes = []
    with zipfile.ZipFile(path) as archive, h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as weights:
        weights.visititems(
            lambda name, item: sizes.append(item.nbytes) if isinstance(item, h5py.Dataset) else None
        )
    return sum(sizes)


@keras.saving.register_keras_serializable(package="interpnet_tf_tests")
class Parent(keras.Model):
    """Owns a classifier and rebuilds the introspector, as InterpNet does."""

    def __init__(self, classifier, layers, **kwargs):
        super().__init__(**kwargs)
        self.classifier = classifier
        self.introspector = Introspector(classifier, layers)
        self.decoder = keras.layers.Dense(2)

    def build(self, input_shape):
        self.decoder.build((None, self.introspector.width))

    def call(self, inputs):
        return self.decoder(self.introspector(inputs)["r"])

    def get_config(self):
        return {
            "classifier": keras.saving.serialize_keras_object(self.classifier),
            "layers": list(self.introspector.layer_paths),
        }

    @classmethod
    def from_config(cls, config):
        return cls(keras.saving.deserialize_keras_object(config["classifier"]), config["layers"])


@pytest.mark.parametrize("build", [nested_classifier, lambda: small_cnn((32, 32, 3), 3, (4,))])
def test_inside_a_parent_model_a_file_reloads(tmp_path, build):
    parent = Parent(build(), ["probabilities"])
    expected = parent(IMAGES)
    parent.save(tmp_path / "parent.keras")
    loaded = keras.saving.load_model(tmp_path / "parent.keras", safe_mode=True)
    np.testing.assert_allclose(loaded(IMAGES), expected, rtol=1e-5, atol=1e-6)
    assert len(loaded.weights) == len(parent.weights) == len(parent.classifier.weights) + 2


def test_rebuilt_on_a_reloaded_classifier_it_gives_the_same(tmp_path):
    model = small_cnn((32, 32, 3), 3, (4,))
    model.save(tmp_path / "classifier.keras")
    # Layers of the file keep their automatic names, the introspector's own must not clash with them.
    loaded = keras.saving.load_model(tmp_path / "classifier.keras")
    np.testing.assert_array_equal(Introspector(loaded)(IMAGES)["r"], Introspector(model)(IMAGES)["r"])


def test_exports_as_a_saved_model(tmp_path):
    introspector = Introspector(nested_classifier(), ["middle/backbone/norm", "probabilities"])
    introspector.export(str(tmp_path / "export"), verbose=False)
    loaded = tf.saved_model.load(str(tmp_path / "export"))
    np.testing.assert_allclose(loaded.serve(IMAGES)["r"], introspector(IMAGES)["r"], rtol=1e-5, atol=1e-6)


# ---------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("classifier", "message"),
    [
        (Subclassed(), "functional"),
        (keras.Sequential([keras.layers.Dense(3)]), "build"),
        ("classifier", "keras.Model"),
    ],
)
def test_classifiers_without_a_graph(classifier, message):
    with pytest.raises(ValueError, match=message):
        Introspector(classifier)


class OwnCall(keras.Model):
    """A functional model whose `call` does more than its graph of layers."""

    def call(self, inputs, training=None, mask=None):
        return 1 - super().call(inputs, training=training, mask=mask)


class OwnSequence(keras.Sequential):
    def call(self, inputs, training=None, mask=None):
        return 1 - super().call(inputs, training=training, mask=mask)


class NoCall(keras.Model):
    """A functional model of a class of its own, which computes what its graph says."""

    def __init__(self):
        features = keras.Input((4,), name="features")
        super().__init__(features, keras.layers.Dense(2, "softmax", name="p")(features))


def own_call():
    features = keras.Input((4,), name="features")
    return OwnCall(features, keras.layers.Dense(2, "softmax", name="p")(features))


def own_sequence():
    return OwnSequence([keras.Input((4,)), keras.layers.Dense(2, "softmax", name="p")])


@pytest.mark.parametrize("build", [own_call, own_sequence])
def test_a_call_that_the_graph_does_not_show_is_refused(build):
    with pytest.raises(ValueError, match=r"own call\(\).*keras.Model\(classifier.inputs"):
        Introspector(build())


@pytest.mark.parametrize("build", [own_call, own_sequence])
def test_a_nested_model_with_its_own_call_counts_as_one_layer(build):
    features, nested = keras.Input((4,)), build()
    model = keras.Model(features, keras.layers.Dense(3, "softmax", name="q")(nested(features)))
    x = np.random.default_rng(0).normal(size=(2, 4)).astype("float32")
    outputs = Introspector(model, [nested.name, "q"])(x)
    np.testing.assert_allclose(outputs[nested.name], nested(x), rtol=1e-5)
    np.testing.assert_allclose(outputs["q"], model(x), rtol=1e-5)
    with pytest.raises(ValueError, match="no such layer"):
        Introspector(model, [f"{nested.name}/p"])


def test_a_class_without_a_call_of_its_own_is_a_graph():
    x, model = np.ones((2, 4), "float32"), NoCall()
    np.testing.assert_allclose(Introspector(model)(x)["p"], model(x), rtol=1e-6)


def test_a_classifier_that_remembers_its_last_input():
    steps = keras.Input(batch_shape=(1, 4, 2))
    recurrent = keras.layers.Bidirectional(keras.layers.LSTM(3, stateful=True, name="memory"))
    with pytest.raises(ValueError, match=r"remembers its last input in .*'forward_memory'.* stateful=False"):
        Introspector(keras.Model(steps, keras.layers.Dense(3)(recurrent(steps))))


def test_classifier_of_two_outputs():
    x = keras.Input((4,))
    with pytest.raises(ValueError, match="one output"):
        Introspector(keras.Model(x, [keras.layers.Dense(2)(x), keras.layers.Dense(3)(x)]))


def test_unknown_layer_lists_close_names_first():
    with pytest.raises(
        ValueError, match=r"Did you mean \['hidden_1'.*choose from: \['hidden_1'.*'probabilities'"
    ):
        Introspector(mlp(4, 3), ["hiden_1"])
    with pytest.raises(ValueError, match=r"Did you mean \['middle/backbone/relu'"):
        Introspector(nested_classifier(), ["middle/backbone/relux"])
    with pytest.raises(ValueError, match=r"no such layer.*choose from.*'middle/pool'"):
        Introspector(nested_classifier(), ["probabilities/nothing"])


def test_layers_without_one_float_tensor():
    with pytest.raises(ValueError, match="'ids' gives int32, not floats"):
        Introspector(text_classifier(), ["ids"])
    sequence = keras.Input((3, 4))
    x, *_ = keras.layers.LSTM(5, return_state=True, name="lstm")(sequence)
    model = keras.Model(sequence, keras.layers.Dense(2, name="p")(x))
    with pytest.raises(ValueError, match="'lstm' gives 3 outputs"):
        Introspector(model, ["lstm"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"layers": []}, "empty"),
        ({"layers": ["features", "features"]}, "once"),
        ({"layers": [3]}, "names 3"),
        ({"pooling": "max"}, "`pooling` must be"),
        ({"pooling": dict}, "`pooling` must be"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        Introspector(mlp(4, 3), **arguments)


def test_the_name_r_is_taken():
    x = keras.Input((4,))
    with pytest.raises(ValueError, match="called 'r'"):
        Introspector(keras.Model(x, keras.layers.Dense(3, name="r")(x)))


def test_widths_must_be_known():
    x = keras.Input((None, 4))
    model = keras.Model(x, keras.layers.Dense(2, name="p")(keras.layers.GlobalMaxPooling1D()(x[:, :, :])))
    assert Introspector(model).layer_paths[-1] == "p"
    unknown = keras.Input((None,), name="unknown")
    total = keras.ops.sum(unknown, axis=-1, keepdims=True)
    with pytest.raises(ValueError, match="known width"):
        Introspector(keras.Model(unknown, keras.layers.Dense(2)(total)), ["unknown"])
