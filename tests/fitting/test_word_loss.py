"""The loss of words and its metrics: by hand, without padding, and after saving."""

import keras
import numpy as np
import pytest

import interpnet_tf


def test_loss_is_the_mean_over_words_then_over_sentences(make_model):
    untrained = make_model()
    # One word of probability 1/2 and three of 1/4: (ln 2 + ln 4) / 2. Over all words it would be 7/4 ln 2.
    vocabulary = untrained.tokenizer.vocabulary_size
    logits = np.full((2, 3, vocabulary), -1e9, "float32")
    logits[0, :, 4:6] = 0
    logits[1, :, 4:8] = 7
    targets = np.array([[4, 0, 0], [5, 4, 6]])
    loss = untrained.compute_loss(y=targets, y_pred=logits)
    np.testing.assert_allclose(loss, 1.5 * np.log(2), rtol=1e-5)
    weighted = untrained.compute_loss(y=targets, y_pred=logits, sample_weight=[1.5, 0.5])
    np.testing.assert_allclose(weighted, (3 * np.log(2) + np.log(4)) / 4, rtol=1e-5)


def test_smoothed_loss_by_hand(make_model):
    model = make_model()
    model.compile(label_smoothing=0.3)
    size = model.tokenizer.vocabulary_size
    logits = np.zeros((1, 2, size), "float32")
    logits[0, 0, 4] = np.log(3.0)
    logits[0, 0, :2] = np.log(2.0)  # padding and start: in the denominator, but no part of the smoothing
    # Probabilities: 3 / s of word 4, 2 / s of the first two ids, 1 / s of the others, where s = size + 4. The
    # target gives 0.7 + 0.3 / (size - 2) to word 4, and 0.3 / (size - 2) to each of the size - 3 others.
    total, each = size + 4, 0.3 / (size - 2)
    expected = -(0.7 + each) * np.log(3 / total) - (size - 3) * each * np.log(1 / total)
    targets = np.array([[4, 0]])
    np.testing.assert_allclose(model.compute_loss(y=targets, y_pred=logits), expected, rtol=1e-5)
    plain = model.compute_loss(y=targets, y_pred=logits, training=False)
    np.testing.assert_allclose(plain, -np.log(3 / total), rtol=1e-5)
    np.testing.assert_allclose(model.compute_loss(y=targets, y_pred=logits + 1e4), expected, rtol=1e-3)


def test_smoothing_counts_in_training_only(make_model, birds):
    plain, smooth = make_model(), make_model()
    plain.compile(keras.optimizers.SGD(0.0), run_eagerly=True)
    smooth.compile(keras.optimizers.SGD(0.0), label_smoothing=0.2, run_eagerly=True)
    losses, smoothed = (
        {key: values[0] for key, values in model.fit(birds, validation_data=birds, verbose=0).history.items()}
        for model in (plain, smooth)
    )
    assert smoothed["val_loss"] == pytest.approx(losses["val_loss"], rel=1e-5)
    assert abs(smoothed["loss"] - losses["loss"]) > 1e-4
    assert smooth.evaluate(birds, verbose=0) == pytest.approx(losses["loss"], rel=1e-5)


# Metrics


def perfect_or_not(model) -> tuple[np.ndarray, np.ndarray]:
    """Targets of three words and of one, and logits that get the first and the last of the four right."""
    targets = np.array([[4, 5, 6], [7, 0, 0]])
    logits = np.zeros((2, 3, model.tokenizer.vocabulary_size), "float32")
    for place, word in {(0, 0): 4, (0, 1): 9, (0, 2): 9, (1, 0): 7, (1, 1): 0, (1, 2): 9}.items():
        logits[(*place, word)] = 1
    return targets, logits


@keras.saving.register_keras_serializable(package="test_word_loss")
def share_right(targets, logits):
    return keras.ops.cast(keras.ops.equal(targets, keras.ops.argmax(logits, -1)), "float32")


@pytest.mark.parametrize(
    "metric",
    ["accuracy", "sparse_categorical_accuracy", share_right, keras.metrics.SparseCategoricalAccuracy],
)
def test_metrics_count_real_words_only(make_model, metric):
    # Two of four words are right. Over all six places, padding included, it would be three.
    model = make_model()
    metrics = [metric() if isinstance(metric, type) else metric for _ in range(2)]
    model.compile(metrics=metrics[:1], weighted_metrics=metrics[1:])
    targets, logits = perfect_or_not(model)
    # The second sentence weighs three times as much: (1 + 3) / (3 * 1 + 3) of the words' weight is right.
    result = model.compute_metrics(None, targets, logits, sample_weight=np.array([1.0, 3.0]))
    plain, weighted = (value for name, value in result.items() if name != "loss")
    np.testing.assert_allclose(plain, 2 / 4, rtol=1e-5)
    np.testing.assert_allclose(weighted, 4 / 6, rtol=1e-5)


def test_accuracy_of_a_batch_of_uneven_sentences(trained, birds):
    """As the words that a teacher-forced pass gets right, sentence by sentence."""
    right = total = 0
    for inputs, targets in trained.prepare(birds, batch_size=1):
        said = np.argmax(trained(inputs), axis=-1)
        right, total = right + (said == targets).sum(), total + targets.size
    trained_once = keras.models.clone_model(trained)
    trained_once.set_weights(trained.get_weights())
    trained_once.compile(metrics=["accuracy"])
    result = trained_once.evaluate(birds, batch_size=20, verbose=0, return_dict=True)
    assert result["accuracy"] == pytest.approx(right / total, rel=1e-5)


@pytest.mark.parametrize("option", [{"run_eagerly": True}, {"steps_per_execution": 2}])
def test_metrics_in_the_history(make_model, birds, option):
    model = make_model()
    model.compile(metrics=["accuracy"], **option)
    history = model.fit(birds, validation_data=birds, batch_size=8, verbose=0).history
    assert set(history) == {"loss", "accuracy", "val_loss", "val_accuracy"}


@pytest.mark.parametrize(
    "metric",
    [
        "crossentropy",
        "ce",
        "sparse_categorical_crossentropy",
        keras.losses.sparse_categorical_crossentropy,
        keras.metrics.SparseCategoricalCrossentropy(),
    ],
)
def test_a_metric_of_probabilities_is_refused(make_model, metric):
    with pytest.raises(ValueError, match=r"weighted_metrics: \w+ reads probabilities.*from_logits=True"):
        make_model().compile(weighted_metrics=[metric])
    make_model().compile(metrics=[keras.metrics.SparseCategoricalCrossentropy(from_logits=True)])


# Saving


@pytest.mark.parametrize("metric", ["mse", "categorical_accuracy", "auc", "no_metric"])
def test_a_metric_that_compares_no_word_ids_is_refused(make_model, metric):
    with pytest.raises(ValueError, match=f"metrics: '{metric}' cannot compare word ids with logits"):
        make_model().compile(metrics=[metric])


def test_a_loaded_model_keeps_its_smoothing(make_model, tmp_path):
    model = make_model()
    model.compile(label_smoothing=0.25)
    model.save(tmp_path / "model.keras")
    assert interpnet_tf.load(tmp_path / "model.keras").label_smoothing == 0.25
    model.compile_from_config({"optimizer": keras.saving.serialize_keras_object(keras.optimizers.SGD())})
    assert model.label_smoothing == 0.0  # a file from before there was any


def test_a_loaded_model_is_compiled_as_before(make_model, birds, tmp_path):
    model = make_model()
    model.compile(
        keras.optimizers.SGD(0.125),
        metrics=["accuracy", share_right],
        weighted_metrics=[keras.metrics.SparseTopKCategoricalAccuracy(2, name="top_2")],
        steps_per_execution=3,
        run_eagerly=True,
    )
    expected = model.evaluate(birds, verbose=0, return_dict=True)
    assert set(expected) == {"loss", "accuracy", "share_right", "top_2"}
    model.save(tmp_path / "model.keras")
    loaded = interpnet_tf.load(tmp_path / "model.keras")
    result = loaded.evaluate(birds, verbose=0, return_dict=True)
    assert result == pytest.approx(expected, rel=1e-5)
    assert float(loaded.optimizer.learning_rate) == 0.125
    assert (loaded.steps_per_execution, loaded.run_eagerly, loaded.jit_compile) == (3, True, False)
    assert not interpnet_tf.load(tmp_path / "model.keras", compile=False).compiled


def test_a_model_that_was_not_compiled(make_model, tmp_path):
    make_model().save(tmp_path / "model.keras")
    assert not interpnet_tf.load(tmp_path / "model.keras").compiled


def test_a_metric_of_ones_own_is_named_at_loading(make_model, tmp_path):
    def length(targets, logits):
        return keras.ops.ones_like(targets, "float32")

    model = make_model()
    model.compile(metrics=[length])
    model.save(tmp_path / "model.keras")
    loaded = interpnet_tf.load(tmp_path / "model.keras", custom_objects={"length": length})
    assert loaded.get_compile_config()["metrics"] == model.get_compile_config()["metrics"]


@pytest.mark.parametrize("argument", ["loss", "loss_weights"])
def test_the_loss_is_the_models_own(make_model, argument):
    with pytest.raises(ValueError, match=f"without {argument}="):
        make_model().compile("adam", **{argument: "mse"})
