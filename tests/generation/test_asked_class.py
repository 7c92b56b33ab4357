"""Why *that* class: what `class_id` does to r(x), by hand, and to the records."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import lessons, same_explanations

from interpnet_tf import Explanation, InterpNet
from interpnet_tf.generation.asked_class import asked_classes, decided
from interpnet_tf.introspection.class_embedding import with_class_embedding
from interpnet_tf.speakers import MinimumBayesRisk, Pragmatic


def model_of(make_model, head, layers=None, **options) -> InterpNet:
    """A model whose classifier is its input and a head."""
    inputs = keras.Input((3,), name="features")
    classifier = keras.Model(inputs, head(inputs))
    return make_model(classifier, layers=layers, **options)


def test_the_class_asked_for_comes_first(make_model):
    """0.5, 0.3, 0.2: class 2 takes 0.5; 0, which was first, becomes second; 1 becomes last."""
    model = model_of(make_model, keras.layers.Dense(3, "softmax", name="p"), ["features", "p"])
    r = np.array([[7, 8, 9, 0.5, 0.3, 0.2]] * 3, "float32")
    expected = [[7, 8, 9, 0.5, 0.3, 0.2], [7, 8, 9, 0.3, 0.5, 0.2], [7, 8, 9, 0.3, 0.2, 0.5]]
    np.testing.assert_array_equal(decided(model, r, [0, 1, 2]), np.float32(expected))


def test_logits_change_places_too(make_model):
    model = model_of(make_model, keras.layers.Dense(3, name="p"), ["p", "features"])
    r = np.array([[-1.5, 4.0, 0.5, 7, 8, 9]], "float32")
    np.testing.assert_array_equal(decided(model, r, [0]), [[4.0, 0.5, -1.5, 7, 8, 9]])


@pytest.mark.parametrize(
    ("activation", "output", "of_class_0", "of_class_1"),
    [("sigmoid", 0.75, 0.25, 0.75), ("sigmoid", 0.25, 0.25, 0.75), (None, -2.0, -2.0, 2.0)],
)
def test_one_output_for_two_classes(make_model, activation, output, of_class_0, of_class_1):
    model = model_of(
        make_model, keras.layers.Dense(1, activation, name="p"), ["p"], class_names=["no", "yes"]
    )
    assert decided(model, [[output]] * 2, [0, 1]).numpy().tolist() == [[of_class_0], [of_class_1]]


def test_a_class_embedding_becomes_that_of_the_class(make_model):
    inputs = keras.Input((3,), name="features")
    vectors = np.array([[1, 2], [3, 4], [5, 6]], "float32")
    classifier = with_class_embedding(keras.Model(inputs, keras.layers.Dense(3, "softmax")(inputs)), vectors)
    model = make_model(classifier, layers=["features", "class_embedding"])
    r = np.array([[7, 8, 9, 1, 2]], "float32")
    np.testing.assert_array_equal(decided(model, r, [2]), [[7, 8, 9, 5, 6]])


def test_records_of_the_class_asked_for(trained, birds):
    x = birds.inputs[:4]
    plain = trained.explain(x)
    probabilities = trained.classifier.predict(x, verbose=0)
    for of_row, one in zip(probabilities, plain, strict=True):
        np.testing.assert_allclose(one.probabilities, of_row, rtol=1e-5)
    same_explanations(trained.explain(x, class_id=[one.class_id for one in plain]), plain)
    for asked in (1, np.int64(1), "gull", ["gull"] * 4, np.ones(4, "int32")):
        explanations = trained.explain(x, class_id=asked, batch_size=3)
        assert [(one.label, one.class_id) for one in explanations] == [("gull", 1)] * 4
        for of_row, one in zip(probabilities, explanations, strict=True):
            assert one.probability == pytest.approx(of_row[1], rel=1e-5)
            np.testing.assert_allclose(one.probabilities, of_row, rtol=1e-5)
    mixed = trained.explain(tf.data.Dataset.from_tensor_slices(x).batch(3), class_id=["crow", 2, 0, "gull"])
    assert [one.class_id for one in mixed] == [0, 2, 0, 1]


def test_a_name_is_found_in_either_unicode_form(make_model):
    def asked(names, name):
        return asked_classes(model_of(make_model, keras.layers.Softmax(), class_names=names), name)

    assert asked(["crow", "m\u00e9sange", "gull"], "me\u0301sange") == 1
    with pytest.raises(ValueError, match="names 2 classes"):
        asked(["m\u00e9sange", "me\u0301sange", "gull"], "m\u00e9sange")


def test_the_sentence_is_that_of_r_with_the_class(make_model, birds):
    """A decoder that reads nothing but the probabilities says of another class what it says of that class."""
    model = make_model(layers=["probabilities"])
    model.compile(keras.optimizers.Adam(0.05))
    model.fit(lessons(birds), batch_size=40, epochs=40, verbose=0)
    crow, gull, robin = model.explain(birds.inputs[:3])
    asked = model.explain(birds.inputs[[0, 0, 0]], class_id=["crow", "gull", "robin"])
    assert [one.words for one in asked] == [one.words for one in (crow, gull, robin)]


def test_speakers_mean_the_class_asked_for(trained, birds):
    speaker = Pragmatic(trained, birds, rationality=2.0, listening=3.0)
    x = birds.inputs[:3]
    same = speaker.explain(x, beams=3, class_id=birds.labels[:3])
    assert [one.text for one in same] == [one.text for one in speaker.explain(x, beams=3)]
    assert [one.label for one in speaker.explain(x, beams=3, class_id="gull")] == ["gull"] * 3
    chosen = MinimumBayesRisk(trained).explain(x, samples=3, beams=2, seed=0, class_id=[2, 1, 0])
    assert [one.class_id for one in chosen] == [2, 1, 0]


def test_a_class_that_nobody_described(trained, birds):
    speaker = Pragmatic(trained, birds.subset(np.flatnonzero(birds.labels != 1)), listening=0)
    with pytest.raises(ValueError, match="'gull', of which no training sentence is known"):
        speaker.explain(birds.inputs[:2], class_id=1)


@pytest.mark.parametrize(
    ("class_id", "message"),
    [
        (3, "class_id must be from 0 to 2, got 3"),
        (-1, "class_id must be from 0 to 2, got -1"),
        ("dodo", "class_id 'dodo' names no class; model.class_names lists them"),
        (1.0, "must be the number or the name of a class, got 1.0"),
        (True, "must be the number or the name of a class, got True"),
        ([0, 1], "one for each example, got 2 for 3"),
        ([0, 1, 2, 0], "class_id names 4 classes for 3 examples"),
        ([[0, 1, 2]], r"one for each example, got \(1, 3\)"),
        ([], "one for each example, got 0 for 3"),
    ],
)
def test_errors(trained, birds, class_id, message):
    with pytest.raises(ValueError, match=message):
        trained.explain(birds.inputs[:3], class_id=class_id)


def test_a_decoder_that_reads_no_decision(make_model, birds):
    with pytest.raises(
        ValueError, match=r"r\(x\) does not hold the class probabilities.*'probabilities' in `layers`"
    ):
        make_model(layers=["features"]).explain(birds.inputs, class_id=0)
    with pytest.raises(ValueError, match="names 2 classes; give the number"):
        make_model(class_names=["crow", "gull", "gull"]).explain(birds.inputs, class_id="gull")


def test_a_record_holds_no_infinity(make_model, birds):
    said = Explanation(
        "gull", 1, 0.75, "a.", ("a", "."), (-1.0, float("-inf")), (), float("-inf"), (0.25, 0.75)
    )
    record = Explanation(
        "gull", 1, 0.75, "a.", ("a", "."), (-1.0, 0.0), (said,), -1.0, (0.25, 0.75)
    ).to_dict()
    assert record["probabilities"] == [0.25, 0.75]
    assert record["alternatives"][0]["log_probabilities"] == [-1.0, None]
    assert record["alternatives"][0]["score"] is None
    assert "probabilities" not in record["alternatives"][0]
    assert said.to_dict()["probabilities"] == [0.25, 0.75]
    assert "0.25" not in repr(said)
    model = make_model()
    (mute,) = model.explain(birds.inputs[:1], forbidden=model.tokenizer.vocabulary, min_length=2)
    json.dumps(mute.to_dict(), allow_nan=False)
