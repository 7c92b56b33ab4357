"""`fit`, `evaluate` and their kin take what Keras' own take, or say which argument is not for them."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import SAID_OF

X = np.eye(6, 5, dtype="float32")
Y = [SAID_OF["crow"][0], SAID_OF["gull"][0], SAID_OF["robin"][0]] * 2
WEIGHTS = np.array([1.0, 2.0, 0.0, 4.0, 0.5, 3.0])
PAIRS = tf.data.Dataset.from_tensor_slices((X, Y))
TRIPLES = tf.data.Dataset.from_tensor_slices((X, Y, WEIGHTS))


class Pairs(keras.utils.PyDataset):
    def __len__(self):
        return 3

    def __getitem__(self, index):
        rows = slice(2 * index, 2 * index + 2)
        return X[rows], Y[rows]


def endless():
    while True:
        yield X[:2], Y[:2]


@pytest.fixture(scope="module")
def still(make_model):
    """A model with a learning rate of 0, which the tests may fit."""
    model = make_model()
    model.compile(keras.optimizers.SGD(0.0), metrics=["accuracy"])
    model.fit(X, Y, verbose=0)
    return model


def losses(model, *data, **options):
    return model.fit(*data, verbose=0, **options).history["loss"]


def test_a_weighted_loss_is_the_weighted_mean_in_any_batch_size(still):
    one_by_one = [still.evaluate(X[row : row + 1], Y[row : row + 1], verbose=0)[0] for row in range(6)]
    expected = np.average(one_by_one, weights=WEIGHTS)
    for batch_size in (1, 4, 6):
        assert still.evaluate(X, Y, batch_size, sample_weight=WEIGHTS, verbose=0)[0] == pytest.approx(
            expected, rel=1e-4
        )
    forms = [
        losses(still, X, Y, sample_weight=7 * WEIGHTS),
        losses(still, TRIPLES.batch(4)),
        still.fit(X, Y, validation_data=(X, Y, WEIGHTS), verbose=0).history["val_loss"],
    ]
    np.testing.assert_allclose(forms, expected, rtol=1e-4)


def test_class_weight_is_by_true_class(still, birds):
    of_class = {0: 2.0, "gull": 0.0}
    weights = np.array([2.0, 0.0, 1.0])[birds.labels]
    expected = still.evaluate(birds, sample_weight=weights, verbose=0)[0]
    np.testing.assert_allclose(losses(still, birds, class_weight=of_class), expected, rtol=1e-4)
    both = still.evaluate(birds, sample_weight=weights * np.arange(13), verbose=0)[0]
    given = losses(still, birds, class_weight=of_class, sample_weight=np.arange(13))
    np.testing.assert_allclose(given, both, rtol=1e-4)


def test_validation_split_takes_the_last(still, birds):
    history = still.fit(X, Y, validation_split=1 / 3, sample_weight=WEIGHTS, verbose=0).history
    first = still.evaluate(X[:4], Y[:4], sample_weight=WEIGHTS[:4], verbose=0)[0]
    last = still.evaluate(X[4:], Y[4:], sample_weight=WEIGHTS[4:], verbose=0)[0]
    np.testing.assert_allclose([*history["loss"], *history["val_loss"]], [first, last], rtol=1e-4)
    of_birds = still.fit(birds, validation_split=0.5, verbose=0).history["val_loss"]
    expected = still.evaluate(birds.subset(np.arange(6, 13)), verbose=0)[0]
    np.testing.assert_allclose(of_birds, expected, rtol=1e-4)


def test_streams(still):
    whole = still.evaluate(X, Y, verbose=0)[0]
    first = still.evaluate(X[:2], Y[:2], verbose=0)[0]
    for stream in (Pairs(), PAIRS.batch(4), PAIRS.batch(4).filter(lambda *_: True)):
        np.testing.assert_allclose(losses(still, stream, epochs=2), [whole] * 2, rtol=1e-4)
    history = still.fit(X, Y, validation_data=endless(), validation_steps=2, verbose=0).history
    np.testing.assert_allclose(history["val_loss"], first, rtol=1e-4)
    assert still.evaluate(endless(), steps=3, verbose=0)[0] == pytest.approx(first, rel=1e-4)
    assert still.evaluate(X, Y, 2, steps=1, verbose=0)[0] == pytest.approx(first, rel=1e-4)


def test_one_batch_at_a_time(still):
    expected = still.evaluate(X, Y, verbose=0)
    np.testing.assert_allclose(still.train_on_batch(X, Y), expected, rtol=1e-4)
    still.reset_metrics()  # else older versions of Keras go on with the batch before
    result = still.test_on_batch(X, Y, sample_weight=[2.0] * 6, return_dict=True)
    assert result["loss"] == pytest.approx(2 * expected[0], rel=1e-4)  # as they are


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        (
            lambda m: m.fit(X, Y, sample_weight=-WEIGHTS),
            "sample_weight must be.*-1.0 for example 0",
        ),
        (lambda m: m.fit(X, Y, sample_weight=WEIGHTS[:2]), r"one weight an example, \(6,\), got \(2,\)"),
        (lambda m: m.fit(X, Y, sample_weight=WEIGHTS[:, None]), r"got \(6, 1\)"),
        (lambda m: m.fit(X, Y, sample_weight=[0] * 6), "weight of every sentence is 0"),
        (
            lambda m: m.fit(PAIRS.batch(2), sample_weight=WEIGHTS),
            "sample_weight must not be passed",
        ),
        (lambda m: m.fit(m.prepare(X, Y), sample_weight=WEIGHTS), r"sample_weight must be passed to prepare"),
        (
            lambda m: m.fit(X, Y, class_weight={0: 1.0}),
            "class_weight needs.*Dataset.*sample_weight",
        ),
        (lambda m: m.fit(PAIRS.batch(2), validation_split=0.5), "validation_split needs arrays"),
        (lambda m: m.fit(X, Y, validation_split=1.5), "validation_split must be a number between 0 and 1"),
        (lambda m: m.fit(X, Y, validation_split="a"), "between 0 and 1, got 'a'"),
        (lambda m: m.fit(PAIRS.batch(2).repeat()), "may never.*end; pass"),
        (lambda m: m.fit(PAIRS), r"for each example of a batch.*dataset.batch\(32\)"),
        (lambda m: m.fit(X, Y, validation_data=endless()), "pass validation_steps"),
        (lambda m: m.fit(X, Y, validation_data=(X, Y, WEIGHTS, 1)), "validation_data must be.*got 4 parts"),
        (lambda m: m.fit(PAIRS.map(lambda x, _: x).batch(2)), "each batch must be"),
        (lambda m: m.fit(X, [float("nan"), *Y[1:]]), r"sentence.*got nan for example 0.*empty list \[\]"),
        (lambda m: m.fit(X, [*Y[1:], None]), "got None for example 5"),
        (lambda m: m.fit(X, ["", *Y[1:]]), "empty sentence for example 0"),
        (lambda m: m.fit(X, [*Y[1:], "\u200b\x00"]), "nothing that can be seen"),
        (lambda m: m.fit(X, np.arange(6)), "got 0 for example 0"),
        (lambda m: m.fit(X, "a bird."), "got 'a bird.'"),
        (lambda m: m.fit(X, Y, batch_size=0), "batch_size must be at least 1"),
        (lambda m: m.fit(X, Y, batch_size=2.5), "batch_size must be a whole number, got 2.5"),
        (lambda m: m.train_on_batch(PAIRS.batch(2)), "examples of one batch, got a stream"),
    ],
)
def test_what_does_not_fit_is_named(still, attempt, message):
    with pytest.raises(ValueError, match=message):
        attempt(still)


@pytest.mark.parametrize("weights", ["balanced", [1.0, 2.0], {0: "heavy"}, {0: None}, {0: float("inf")}])
def test_class_weight_is_a_dict_of_numbers(still, birds, weights):
    with pytest.raises(ValueError, match="class_weight must be"):
        still.fit(birds, class_weight=weights)


def test_before_compile(make_model):
    for verb in ("fit", "evaluate"):
        with pytest.raises(ValueError, match="compile"):
            getattr(make_model(), verb)(X, Y)


def test_padded_sentences_in_an_array(still):
    padded = np.array([[sentence, ""] for sentence in Y])
    np.testing.assert_array_equal(still.prepare(X, padded).tokens, still.prepare(X, Y).tokens)


def test_a_step_is_traced_once(birds, make_model, monkeypatch):
    """Keras' own `fit` makes the optimizer's variables within the first step, and traces that step again."""
    model, traced = make_model(), []
    model.compile("adam")
    step = keras.Model.train_step
    monkeypatch.setattr(keras.Model, "train_step", lambda self, data: traced.append(1) or step(self, data))
    model.fit(birds, epochs=2, batch_size=40, verbose=0)
    assert len(traced) == 1
