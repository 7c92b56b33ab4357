"""`predict` gives as arrays what `explain` says, whatever Keras' own takes."""

import keras
import numpy as np
import pytest
import tensorflow as tf


def check(predicted, explanations, model):
    assert set(predicted) == {"probabilities", "token_ids", "texts"}
    probabilities, ids, texts = (predicted[key] for key in ("probabilities", "token_ids", "texts"))
    assert (probabilities.dtype, ids.dtype, texts.dtype.kind) == ("float32", "int32", "U")
    assert ids.shape == (len(explanations), model.max_length)
    assert texts.tolist() == [one.text for one in explanations] == model.tokenizer.detokenize(ids)
    assert probabilities.argmax(axis=1).tolist() == [one.class_id for one in explanations]
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(
        probabilities.max(axis=1), [one.probability for one in explanations], rtol=1e-5
    )


def test_predict_of_every_form(trained, birds):
    expected = trained.explain(birds)
    slices = tf.data.Dataset.from_tensor_slices((birds.inputs, birds.labels))
    forms = [
        birds,
        birds.inputs,
        birds.inputs.tolist(),
        slices.batch(5),
        (part for part in np.split(birds.inputs, [6])),
    ]
    for x in forms:
        check(trained.predict(x, verbose=0), expected, trained)
    check(trained.predict(birds, batch_size=4, verbose=0), expected, trained)
    check(trained.predict_on_batch(birds.inputs[:3]), expected[:3], trained)
    check(trained.predict(birds.inputs[:0], verbose=0), [], trained)


def test_predict_in_steps(trained, birds):
    expected = trained.explain(birds)
    check(trained.predict(birds.inputs, batch_size=4, steps=2, verbose=0), expected[:8], trained)
    endless = tf.data.Dataset.from_tensor_slices(birds.inputs).batch(13).repeat()
    check(trained.predict(endless, steps=2, verbose=0), expected * 2, trained)
    with pytest.raises(ValueError, match=r"never end.*number of steps"):
        trained.predict(endless, verbose=0)


def test_an_error_within_a_stream_is_raised_as_it_is(trained, birds):
    def broken():
        yield birds.inputs[:4]
        raise KeyError("no more")

    with pytest.raises(KeyError, match="no more"):
        trained.predict(broken(), verbose=0)
    inputs = birds.inputs.copy()
    inputs[9] = np.nan
    with pytest.raises(ValueError, match=r"^x holds NaN or infinity in example 9;"):
        trained.predict(tf.data.Dataset.from_tensor_slices(inputs).batch(4), verbose=0)


def test_what_holds_no_numbers_yet_is_told(trained, birds):
    message = r"x is symbolic.*outside of tf.function.*model.export"
    for verb in (trained.explain, trained.predict):
        with pytest.raises(ValueError, match=message):
            verb(keras.Input(trained.introspector.input.shape[1:]))
    with pytest.raises(ValueError, match=message):
        tf.function(trained.explain)(tf.constant(birds.inputs))


def test_predict_calls_back(trained, birds):
    seen = []
    observer = keras.callbacks.LambdaCallback()
    observer.on_predict_batch_end = lambda batch, logs: seen.append(batch)
    trained.predict(birds.inputs, batch_size=5, callbacks=[observer], verbose=0)
    assert seen == [0, 1, 2]


def test_predict_before_compile(make_model, birds):
    model = make_model()
    check(model.predict(birds.inputs, verbose=0), model.explain(birds), model)


def test_predict_of_several_inputs(make_model):
    first, second = keras.Input((2,), name="first"), keras.Input((3,), name="second")
    scores = keras.layers.Dense(3, "softmax", name="probabilities")(
        keras.layers.Concatenate()([first, second])
    )
    model = make_model(keras.Model([first, second], scores))
    x = [np.eye(4, 2, dtype="float32"), np.eye(4, 3, dtype="float32")]
    expected = model.explain({"first": x[0], "second": x[1]})
    check(model.predict(x, verbose=0), expected, model)
    pairs = tf.data.Dataset.from_tensor_slices((tuple(x), [0] * 4)).batch(3)
    check(model.predict(pairs, verbose=0), expected, model)


@pytest.mark.parametrize("x", [np.zeros((2, 5)), {"tokens": np.zeros((2, 3))}, None])
def test_a_call_without_words_names_what_to_call(trained, x):
    with pytest.raises(ValueError, match=r"dict of 'tokens'.*model\.explain\(x\).*model\.predict\(x\)"):
        trained(x)
