"""How a classifier's output is read: probabilities as they are, logits by a softmax, doubt refused."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import interpnet_tf
from interpnet_tf import ExplanationDataset
from interpnet_tf.export import signatures
from interpnet_tf.export.litert import LiteRTModel, convert
from interpnet_tf.introspection.probabilities import class_probabilities, output_kind
from interpnet_tf.runs import evaluation

L, ops = keras.layers, keras.ops
X = np.random.default_rng(0).normal(size=(6, 5)).astype("float32")


def softmax(scores):
    return np.exp(scores) / np.exp(scores).sum(axis=-1, keepdims=True)


def sigmoid(scores):
    return 1 / (1 + np.exp(-scores))


def dense(units=3, activation=None, seed=0, **options):
    """A dense layer whose scores spread so far that a second softmax would be seen."""
    initializer = keras.initializers.RandomNormal(stddev=1.5, seed=seed)
    return L.Dense(units, activation, kernel_initializer=initializer, **options)


def scores(x, *args, **options):
    return dense(*args, **options)(x)


def of_and_against(p):
    return L.Concatenate()([1 - p, p])


def hand_written_softmax(z):
    return ops.exp(z) / ops.sum(ops.exp(z), axis=-1, keepdims=True)


@keras.saving.register_keras_serializable(package="tests")
class ZeroHead(keras.layers.Layer):
    """A layer of the user's, not yet trained: its scores are all zero."""

    def __init__(self, squash=False, **kwargs):
        super().__init__(**kwargs)
        self.squash = squash
        self.kernel = self.add_weight((5, 3), "zeros")

    def call(self, x):
        return ops.softmax(ops.matmul(x, self.kernel)) if self.squash else ops.matmul(x, self.kernel)


class Temperature(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.temperature = self.add_weight((), "ones")

    def call(self, x):
        return x / self.temperature


def vectors(end):
    """A classifier of vectors that ends as `end(inputs)`."""
    inputs = keras.Input((5,))
    return keras.Model(inputs, end(inputs))


def sequential(*layers):
    return keras.Sequential([keras.Input((5,)), *layers])


GIVES_PROBABILITIES = {
    "activation of the layer": lambda x: scores(x, 3, "softmax"),
    "softmax layer": lambda x: L.Softmax()(scores(x)),
    "softmax activation": lambda x: L.Activation("softmax")(scores(x)),
    "keras operation": lambda x: ops.softmax(scores(x)),
    "tf.nn.softmax": lambda x: L.Lambda(tf.nn.softmax)(scores(x)),
    "written by hand": lambda x: hand_written_softmax(scores(x)),
    "average of two heads": lambda x: L.Average()([scores(x, 3, "softmax", seed) for seed in (0, 1)]),
    "weighted average": lambda x: 0.3 * scores(x, 3, "softmax") + 0.7 * scores(x, 3, "softmax", 1),
    "average of logits": lambda x: L.Softmax()(L.Average()([scores(x, seed=seed) for seed in (0, 1)])),
    "cast": lambda x: L.Activation("linear", dtype="float32")(scores(x, 3, "softmax")),
    "reshape": lambda x: L.Reshape((3,))(scores(x, 3, "softmax")),
    "dropout": lambda x: L.Dropout(0.5)(scores(x, 3, "softmax")),
    "identity": lambda x: L.Identity()(scores(x, 3, "softmax")),
    "rescaling by one": lambda x: L.Rescaling(1.0)(scores(x, 3, "softmax")),
    "smoothed": lambda x: 0.9 * scores(x, 3, "softmax") + 0.1 / 3,
    "clipped": lambda x: ops.clip(scores(x, 3, "softmax"), 1e-7, 1 - 1e-7),
    "pooled": lambda x: L.GlobalAveragePooling1D()(L.Reshape((1, 3))(scores(x, 3, "softmax"))),
    "temperature": lambda x: L.Softmax()(Temperature()(scores(x))),
    "nested": lambda x: L.Identity()(sequential(dense(), L.Softmax())(x)),
    "nested softmax": lambda x: keras.Sequential([keras.Input((3,)), L.Softmax()])(scores(x)),
    "sequential": lambda x: sequential(dense(), L.Softmax()).call(x),
    "batch normalisation": lambda x: L.Softmax()(L.BatchNormalization()(scores(x))),
    "maps of one position": lambda x: L.Softmax()(L.Conv2D(3, 1)(L.Reshape((1, 1, 5))(x))),
    "channels first": lambda x: L.Softmax(axis=1)(L.Reshape((3, 1, 1))(scores(x))),
    "two of one sigmoid": lambda x: of_and_against(scores(x, 1, "sigmoid")),
    "untrained": lambda x: L.Softmax()(L.Dense(3, kernel_initializer="zeros")(x)),
    "untrained layer of the user's": lambda x: L.Identity()(ZeroHead(squash=True)(x)),
    "half precision": lambda x: scores(x, 300, "softmax", dtype="mixed_float16"),
    "brain floats": lambda x: scores(x, 300, "softmax", dtype="mixed_bfloat16"),
}


@pytest.mark.parametrize("kind", GIVES_PROBABILITIES)
def test_probabilities_stay_what_they_are(kind):
    classifier = vectors(GIVES_PROBABILITIES[kind])
    own = np.asarray(classifier(X)).astype("float32").reshape(6, -1)
    assert output_kind(classifier) == "probabilities"
    np.testing.assert_array_equal(class_probabilities(classifier, classifier(X)), own)


GIVES_LOGITS = {
    "dense": scores,
    "average": lambda x: L.Average()([scores(x, seed=seed) for seed in (0, 1)]),
    "nested": lambda x: L.Identity()(sequential(dense())(x)),
    "temperature": lambda x: Temperature()(scores(x)),
    "cast": lambda x: L.Activation("linear", dtype="float32")(scores(x, dtype="mixed_float16")),
    "dense behind a softmax": lambda x: scores(scores(x, 3, "softmax")),
    "log-probabilities": lambda x: ops.log_softmax(scores(x)),
    "untrained": lambda x: L.Identity()(L.Dense(3, kernel_initializer="zeros")(x)),
    "untrained layer of the user's": lambda x: L.Identity()(ZeroHead()(x)),
    "maps of one position": lambda x: L.Conv2D(3, 1)(L.Reshape((1, 1, 5))(x)),
}


@pytest.mark.parametrize("kind", GIVES_LOGITS)
def test_logits_go_through_a_softmax(kind):
    classifier = vectors(GIVES_LOGITS[kind])
    logits = np.asarray(classifier(X)).astype("float32").reshape(6, 3)
    assert output_kind(classifier) == "logits"
    np.testing.assert_allclose(
        class_probabilities(classifier, classifier(X)), softmax(logits), rtol=1e-5, atol=1e-7
    )


def test_log_probabilities_are_logits_of_the_same_probabilities():
    classifier = vectors(GIVES_LOGITS["log-probabilities"])
    found = class_probabilities(classifier, classifier(X))
    np.testing.assert_allclose(found, softmax(X @ classifier.get_weights()[0]), rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("activation", ["sigmoid", None])
def test_one_unit_tells_two_classes_apart(activation):
    classifier = sequential(dense(1, activation))
    of_second = sigmoid(X @ classifier.get_weights()[0])
    found = class_probabilities(classifier, classifier(X))
    np.testing.assert_allclose(found, np.hstack([1 - of_second, of_second]), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    "end",
    [
        lambda x: scores(x, 3, "sigmoid"),
        lambda x: scores(x, 2, "sigmoid"),
        lambda x: L.Average()([scores(x, 3, "sigmoid", seed) for seed in (0, 1)]),
    ],
)
def test_independent_labels_are_not_divided_by_their_sum(end):
    classifier = vectors(end)
    assert output_kind(classifier) == "multi_label"
    np.testing.assert_array_equal(class_probabilities(classifier, classifier(X)), classifier(X))


def test_logits_of_labels_are_told_by_the_user_or_by_the_loss():
    classifier = sequential(dense())
    expected = sigmoid(X @ classifier.get_weights()[0])
    told = output_kind(classifier, "multi_label")
    np.testing.assert_allclose(class_probabilities(classifier, classifier(X), told), expected, rtol=1e-4)
    classifier.compile("sgd", keras.losses.BinaryCrossentropy(from_logits=True))
    np.testing.assert_allclose(class_probabilities(classifier, classifier(X)), expected, rtol=1e-4)


def test_probabilities_mixed_by_a_matrix_of_label_noise():
    noise = np.float32([[0.8, 0.1, 0.1], [0.2, 0.6, 0.2], [0, 0.3, 0.7]])
    classifier = sequential(dense(3, "softmax"), L.Dense(3, use_bias=False, name="noise"))
    classifier.get_layer("noise").set_weights([noise])
    assert output_kind(classifier) == "probabilities"


def text(end):
    ids = keras.Input((None,), dtype="int32")
    return keras.Model(ids, end(ids))


def strings(end):
    words = L.TextVectorization(max_tokens=9, output_sequence_length=4)
    words.adapt(["a black bird"])
    inputs = keras.Input((), dtype="string")
    return keras.Model(inputs, end(words(inputs)))


@pytest.mark.parametrize("model", [text, strings])
def test_classifiers_of_text(model):
    read = keras.Sequential([L.Embedding(9, 4), L.GlobalAveragePooling1D()])
    assert output_kind(model(lambda ids: L.Softmax()(L.Dense(3)(read(ids))))) == "probabilities"
    assert output_kind(model(lambda ids: L.Dense(3)(read(ids)))) == "logits"
    assert output_kind(model(lambda ids: L.Softmax()(L.LSTM(3)(L.Embedding(9, 4)(ids))))) == "probabilities"


def test_sequences_that_are_pooled_before_the_head():
    inputs = keras.Input((None, 4))
    x = L.MaxPooling1D(40)(L.Conv1D(8, 3)(inputs))  # of a length that only real sequences have
    assert output_kind(keras.Model(inputs, L.Dense(3)(L.GlobalMaxPooling1D()(x)))) == "logits"


def test_trying_the_end_changes_no_state():
    inputs = keras.Input(batch_shape=(16, 4, 3))
    classifier = keras.Model(inputs, L.Softmax()(L.LSTM(3, stateful=True, name="lstm")(inputs)))
    assert output_kind(classifier) == "probabilities"
    for state in classifier.get_layer("lstm").states:
        np.testing.assert_array_equal(state, np.zeros((16, 3)))


DOUBTFUL = {
    "tanh": (lambda x: scores(x, 3, "tanh"), "between -1 and 1"),
    "relu": (lambda x: scores(x, 3, "relu"), "never negative"),
    "per cent": (lambda x: 100 * scores(x, 3, "softmax"), "never negative"),
    "product of two heads": (
        lambda x: L.Multiply()([scores(x, 3, "softmax", seed) for seed in (0, 1)]),
        "nor are independent",
    ),
    "softmax over the batch": (lambda x: L.Softmax(axis=0)(scores(x)), "over the examples of a batch"),
    "softmax over an axis of one": (
        lambda x: L.Softmax(axis=1)(L.Reshape((1, 1, 3))(scores(x))),
        "the same whatever it reads",
    ),
}


@pytest.mark.parametrize("kind", DOUBTFUL)
def test_doubt_is_refused_unless_the_user_says_it(kind, make_model):
    end, reason = DOUBTFUL[kind]
    classifier = vectors(end)
    with pytest.raises(ValueError, match=f"{reason}.*output='probabilities'.*'logits'.*'multi_label'"):
        make_model(classifier)
    assert make_model(classifier, output="logits").output_kind == "logits"


def test_the_user_is_believed_where_the_numbers_allow_it(make_model):
    end, _ = DOUBTFUL["product of two heads"]
    assert make_model(vectors(end), output="probabilities").output_kind == "probabilities"
    for kind in ("tanh", "relu", "per cent"):
        end, _ = DOUBTFUL[kind]
        with pytest.raises(ValueError, match=r"output='probabilities' does not fit.*numbers from"):
            make_model(vectors(end), output="probabilities")


def test_a_classifier_without_an_axis_of_classes_is_refused():
    inputs = keras.Input((4,))
    with pytest.raises(ValueError, match=r"output must be \(batch, classes\), got \(None,\)"):
        output_kind(keras.Model(inputs, L.Reshape(())(dense(1)(inputs))))


def test_strings_that_no_kernel_reads_are_doubt():
    @keras.saving.register_keras_serializable(package="tests")
    class Lengths(keras.layers.Layer):
        def call(self, x):
            return tf.one_hot(tf.strings.length(x) % 3, 3)

        def compute_output_spec(self, x):
            return keras.KerasTensor((None, 3), "float32")

    inputs = keras.Input((), dtype="string")
    classifier = keras.Model(inputs, Lengths()(inputs))
    with pytest.raises(ValueError, match=r"reads strings.*output="):
        output_kind(classifier)
    assert output_kind(classifier, "probabilities") == "probabilities"


@pytest.mark.parametrize("output", [None, "probabilities"])
def test_a_softmax_of_one_unit_is_one_class(make_model, output):
    with pytest.raises(ValueError, match="has one class: its only output is always 1"):
        make_model(sequential(dense(1, "softmax")), class_names=["bird"], output=output)


def test_what_is_no_kind_of_output(make_model):
    with pytest.raises(ValueError, match=r"output must be .*'multi_label'.* got 'softmax'"):
        make_model(output="softmax")


@pytest.mark.parametrize("shape", [(5, 4), (5, 5, 4), (None, 4)])
def test_maps_and_sequences_of_classes_are_refused(make_model, shape):
    inputs = keras.Input(shape)
    with pytest.raises(ValueError, match=r"must be \(batch, classes\).*one vector an example"):
        make_model(keras.Model(inputs, L.Dense(3, "softmax")(inputs)))


# The same everywhere


def classifier_of_logits():
    return sequential(dense())


@pytest.mark.parametrize(
    ("end", "output"),
    [
        (GIVES_PROBABILITIES["average of two heads"], None),
        (GIVES_PROBABILITIES["maps of one position"], None),
        (lambda x: scores(x, 3, "sigmoid"), None),
        (scores, None),
        (scores, "multi_label"),
    ],
)
def test_explain_exports_and_phones_say_the_same_probabilities(make_model, end, output, tmp_path):
    classifier = vectors(end)
    model = make_model(classifier, output=output)
    own = np.asarray(classifier(X)).reshape(6, 3)
    to_probabilities = {
        "logits": softmax,
        "multi_label_logits": sigmoid,
    }.get(model.output_kind, lambda numbers: numbers)
    expected = to_probabilities(own)
    said = model.explain(X)
    assert [e.class_id for e in said] == expected.argmax(axis=1).tolist()
    np.testing.assert_allclose([e.probability for e in said], expected.max(axis=1), rtol=1e-4)
    np.testing.assert_allclose(signatures.classify(model, X)["probabilities"], expected, rtol=1e-4, atol=1e-6)
    phone = LiteRTModel(convert(model))("classify", X)
    np.testing.assert_allclose(phone["probabilities"], expected, rtol=1e-3, atol=1e-5)
    model.save(tmp_path / "model.keras")
    assert interpnet_tf.load(tmp_path / "model.keras").output_kind == model.output_kind


def test_a_file_without_the_kind_of_output_is_read(make_model):
    config = make_model(classifier_of_logits()).get_config()
    del config["output"]
    assert interpnet_tf.InterpNet.from_config(config).output_kind == "logits"


@pytest.mark.parametrize(("activation", "output"), [(None, None), ("sigmoid", None), (None, "logits")])
def test_accuracy_is_what_explain_says(make_model, activation, output, monkeypatch):
    """One unit passes its feature on: the second class is the one with a positive feature."""
    classifier = keras.Sequential([keras.Input((1,)), L.Dense(1, activation, kernel_initializer="ones")])
    model = make_model(classifier, class_names=["no", "yes"], output=output)
    x = np.float32([[0.1], [0.3], [0.7], [-0.1], [-2]])
    labels = np.array([1, 1, 1, 0, 1])
    dataset = ExplanationDataset(x, labels, ["no", "yes"], [["a black bird."]] * 5, list("abcde"))
    monkeypatch.setattr(evaluation.metrics, "score_columns", lambda *_: {})  # of the sentences
    result = evaluation.evaluate(model, dataset, [["a black bird."]], yardsticks=False)
    assert (result["accuracy"], result["accuracy_explained"]) == (0.8, 0.8)
    assert [e.class_id for e in model.explain(x)] == [1, 1, 1, 0, 0]
