"""`InterpNet`: its loss, what `fit` and `explain` take, saving, precision, and classifiers of every kind."""

import json
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import SAID_OF, same_explanations

import interpnet_tf
from interpnet_tf import Explanation, ExplanationTokenizer, InterpNet, LRCNDecoder


@pytest.fixture(scope="module")
def untrained(make_model):
    """A compiled model that the tests may evaluate, but must not train."""
    model = make_model()
    model.compile()
    return model


# The loss


def test_evaluate_counts_every_sentence_once(untrained, birds):
    """Uneven batches and padding change nothing: the loss is that of the sentences one by one."""
    r = untrained.introspect(birds.inputs)
    losses = []
    for row, sentences in enumerate(birds.explanations):
        for ids in untrained.tokenizer.tokenize(sentences).to_list() if sentences else []:
            tokens, targets = np.array([[1, *ids]]), np.array([*ids, 2])
            logits = untrained.decoder({"r": r[row : row + 1], "tokens": tokens})[0]
            chosen = tf.gather(tf.nn.log_softmax(logits), targets, axis=1, batch_dims=1)
            losses.append(-np.mean(chosen))
    assert len(losses) % 3 != 0
    np.testing.assert_allclose(untrained.evaluate(birds, batch_size=3, verbose=0), np.mean(losses), rtol=1e-5)


def test_long_sentences_are_cut(make_model):
    model = make_model(max_length=3)
    (inputs, targets), *_ = model.prepare(np.zeros((1, 5), "float32"), ["a black bird."])
    a, black = model.tokenizer.tokenize(["a black"]).to_list()[0]
    assert inputs["tokens"].tolist() == [[1, a, black]]
    assert targets.tolist() == [[a, black, 2]]


# Training


def losses_of(model, *data, **options) -> list[float]:
    model.compile(keras.optimizers.Adam(0.01), run_eagerly=True)
    return model.fit(*data, batch_size=16, epochs=2, verbose=0, **options).history


def test_every_form_of_the_data_gives_the_same_training(make_model, birds, valid_birds):
    explained = birds.explained()
    forms = {
        "ExplanationDataset": lambda: losses_of(make_model(dropout=0.2), birds, validation_data=valid_birds),
        "arrays": lambda: losses_of(
            make_model(dropout=0.2),
            explained.inputs,
            explained.explanations,
            validation_data=(valid_birds.inputs[:-1], valid_birds.explanations[:-1]),
        ),
        "tf.data": lambda: losses_of(
            make_model(dropout=0.2), explained.to_tf(5), validation_data=valid_birds.explained().to_tf(2)
        ),
    }
    histories = {name: train() for name, train in forms.items()}
    expected = histories.pop("ExplanationDataset")
    assert set(expected) == {"loss", "val_loss"}
    assert expected["loss"][1] < expected["loss"][0]
    for name, history in histories.items():
        for key, values in expected.items():
            # The classifier's batches differ in size, and Adam makes much of small gradients.
            np.testing.assert_allclose(history[key], values, rtol=1e-4, err_msg=f"{name}, {key}")


def test_one_sentence_an_example_may_stand_without_a_list(make_model):
    inputs, sentences = np.eye(2, 5, dtype="float32"), ["a black bird.", "a white bird."]
    model = make_model()
    expected = model.prepare(inputs, [[sentence] for sentence in sentences])
    pipeline = tf.data.Dataset.from_tensor_slices((inputs, sentences)).batch(2)
    for batches in (model.prepare(inputs, sentences), model.prepare(pipeline)):
        np.testing.assert_array_equal(batches.tokens, expected.tokens)
        np.testing.assert_array_equal(batches.owners, expected.owners)


def test_equal_seeds_give_equal_losses(make_model, birds):
    first, second, other = (
        losses_of(make_model(dropout=0.2, seed=seed), birds)["loss"] for seed in (0, 0, 1)
    )
    assert first == second
    assert first != other


def test_fit_leaves_the_classifier_alone(make_model, birds):
    model = make_model()
    before = [weight.copy() for weight in model.classifier.get_weights()]
    decoder_before = model.decoder.get_weights()
    losses_of(model, birds)
    for weight, expected in zip(model.classifier.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, expected)
    assert any(np.any(a != b) for a, b in zip(model.decoder.get_weights(), decoder_before, strict=True))
    assert len(model.classifier.trainable_variables) == 4
    assert model.trainable_variables == model.decoder.trainable_variables
    model.trainable = False
    assert model.trainable_variables == []


# Explaining


def test_a_trained_model_says_what_it_was_taught(trained, valid_birds):
    explanations = trained.explain(valid_birds)
    assert [e.class_id for e in explanations] == valid_birds.labels.tolist()
    for explanation in explanations:
        assert explanation.label == valid_birds.class_names[explanation.class_id]
        assert explanation.text in SAID_OF[explanation.label]


def test_explain_records(trained, birds):
    inputs = birds.inputs[:5]
    explanations = trained.explain(inputs, batch_size=2)
    scores = trained.classifier.predict(inputs, verbose=0)
    assert len(explanations) == 5
    for row, explanation in enumerate(explanations):
        assert explanation.class_id == scores[row].argmax()
        assert explanation.probability == pytest.approx(scores[row].max(), rel=1e-5)
        assert trained.tokenizer.split([explanation.text]).to_list()[0] == [
            word.encode() for word in explanation.words
        ]
        # The log probabilities are those of a teacher-forced pass over the sentence that was said.
        ids = trained.tokenizer.tokenize([explanation.text])
        tokens = tf.concat([[[1]], ids.to_tensor()[:, :-1]], axis=1)
        logits = trained({"x": inputs[row : row + 1], "tokens": tokens})
        expected = tf.gather(tf.nn.log_softmax(logits)[0], ids[0], axis=1, batch_dims=1)
        np.testing.assert_allclose(explanation.log_probabilities, expected, atol=1e-4)


def test_explain_in_any_batch_size(trained, birds):
    same_explanations(trained.explain(birds.inputs, batch_size=3), trained.explain(birds))
    assert trained.explain(birds.inputs[:0]) == []
    assert trained.introspect(birds.inputs[:0]).shape == (0, trained.introspector.width)


def test_explain_a_pipeline(trained, birds):
    expected = [explanation.text for explanation in trained.explain(birds)]
    inputs = tf.data.Dataset.from_tensor_slices(birds.inputs).batch(4)
    assert [explanation.text for explanation in trained.explain(inputs)] == expected
    pairs = tf.data.Dataset.from_tensor_slices((birds.inputs, birds.labels)).batch(4)
    assert [explanation.text for explanation in trained.explain(pairs)] == expected


def test_explain_up_to_a_length(trained, birds):
    assert [e.words for e in trained.explain(birds.inputs[:2], max_length=2)] == [
        e.words[:2] for e in trained.explain(birds.inputs[:2])
    ]


def test_explain_with_alternatives(trained, birds):
    greedy = trained.explain(birds.inputs[:3])
    beams = trained.explain(birds.inputs[:3], sampler="beam", beams=4, n_best=3)
    for explanation, one in zip(beams, greedy, strict=True):
        assert len(explanation.alternatives) == 2
        scores = [explanation.score, *(other.score for other in explanation.alternatives)]
        assert scores == sorted(scores, reverse=True)
        assert explanation.class_id == explanation.alternatives[0].class_id == one.class_id
        assert len({explanation.text, *(other.text for other in explanation.alternatives)}) == 3
    same_explanations(trained.explain(birds.inputs[:1], sampler="beam", beams=1), greedy[:1])


def test_explain_by_drawing(trained, birds):
    def texts(seed):
        drawn = trained.explain(birds, sampler="top_p", seed=seed, n_best=2, temperature=3.0, batch_size=5)
        return [(one.text, one.alternatives[0].text) for one in drawn]

    assert texts(1) == texts(1)
    assert texts(1) != texts(2)


def test_explain_without_forbidden_words(trained, birds):
    assert any("black" in explanation.words for explanation in trained.explain(birds))
    said = trained.explain(birds, forbidden=["Black", "bill"])
    assert not any({"black", "bill"} & set(explanation.words) for explanation in said)


def test_explain_with_required_words(trained, birds):
    said = trained.explain(birds, sampler="beam", beams=6, required=["small", "red"])
    assert all({"small", "red"} <= set(explanation.words) for explanation in said)


def test_explanation_record():
    second = Explanation("gull", 1, 0.75, "a bird.", ("a", "bird", "."), (-3.0, 0.0, 0.0))
    first = Explanation("gull", 1, 0.75, "<b>.", ("<b>", "."), (0.0, -np.log(4)), (second,))
    assert str(first) == "gull (75.0 %): <b>."
    record = json.loads(json.dumps(first.to_dict()))
    assert record["words"] == ["<b>", "."]
    assert record["alternatives"][0]["text"] == "a bird."
    page = first._repr_html_()
    assert "&lt;b&gt;" in page  # a word is text, not markup
    assert 'title="probability 0.250"' in page


# Saving


def test_save_and_load_in_a_new_process(trained, birds, tmp_path):
    trained.save(tmp_path / "birds.keras")
    assert [path.name for path in tmp_path.iterdir()] == ["birds.keras"]
    np.save(tmp_path / "inputs.npy", birds.inputs)
    program = (
        "import json, sys, numpy as np, interpnet_tf\n"
        "model = interpnet_tf.load(sys.argv[1] + '/birds.keras')\n"
        "inputs = np.load(sys.argv[1] + '/inputs.npy', allow_pickle=False)\n"
        "print(json.dumps([explanation.to_dict() for explanation in model.explain(inputs)]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True
    )
    records = json.loads(done.stdout.splitlines()[-1])
    loaded = [Explanation(**{**record, "words": tuple(record["words"])}) for record in records]
    same_explanations(loaded, trained.explain(birds))


def test_a_loaded_model_trains_on(make_model, birds, tmp_path):
    uninterrupted = make_model()
    uninterrupted.compile(run_eagerly=True)
    batches = uninterrupted.prepare(birds, batch_size=8, shuffle=True)
    uninterrupted.fit(batches, epochs=1, verbose=0)
    uninterrupted.save(tmp_path / "half.keras")
    uninterrupted.fit(batches, initial_epoch=1, epochs=2, verbose=0)

    loaded = interpnet_tf.load(tmp_path / "half.keras")
    loaded.compile(loaded.optimizer, run_eagerly=True)
    loaded.fit(birds, batch_size=8, initial_epoch=1, epochs=2, verbose=0)
    for ours, expected in zip(loaded.get_weights(), uninterrupted.get_weights(), strict=True):
        np.testing.assert_allclose(ours, expected, atol=1e-6)


def test_a_pooling_layer_is_saved_too(tmp_path, make_model):
    images = np.random.default_rng(0).uniform(0, 1, (2, 6, 6, 3)).astype("float32")
    classifier = keras.Sequential(
        [
            keras.Input((6, 6, 3)),
            keras.layers.Conv2D(4, 3, name="map"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(3, "softmax", name="probabilities"),
        ]
    )
    model = make_model(classifier, layers=["map"], pooling=keras.layers.GlobalMaxPooling2D())
    np.testing.assert_allclose(
        model.introspect(images), np.max(classifier.layers[0](images), axis=(1, 2)), rtol=1e-6
    )
    model.save(tmp_path / "model.keras")
    loaded = interpnet_tf.load(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.introspect(images), model.introspect(images), rtol=1e-5)


def test_save_is_careful(trained, tmp_path):
    with pytest.raises(ValueError, match=r"must end in \.keras"):
        trained.save(tmp_path / "birds.h5")
    (tmp_path / "birds.keras").write_text("precious")
    with pytest.raises(FileExistsError, match="overwrite=True"):
        trained.save(tmp_path / "birds.keras", overwrite=False)
    assert (tmp_path / "birds.keras").read_text() == "precious"


def test_load_of_another_model(tmp_path):
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(tmp_path / "other.keras")
    with pytest.raises(ValueError, match="holds a Sequential"):
        interpnet_tf.load(tmp_path / "other.keras")


# Precision


def test_mixed_precision(make_model, birds, tmp_path):
    model = make_model(dtype="mixed_bfloat16")
    exact = losses_of(make_model(), birds)["loss"]
    np.testing.assert_allclose(losses_of(model, birds)["loss"], exact, rtol=0.01)
    assert model.decoder.compute_dtype == "bfloat16"
    assert {weight.dtype for weight in model.trainable_variables} == {"float32"}
    model.save(tmp_path / "model.keras")
    loaded = interpnet_tf.load(tmp_path / "model.keras")
    assert loaded.decoder.compute_dtype == "bfloat16"
    assert [e.text for e in loaded.explain(birds)] == [e.text for e in model.explain(birds)]


# Classifiers of every kind


def test_a_classifier_of_several_inputs(make_model, tmp_path):
    first, second = keras.Input((2,), name="first"), keras.Input((3,), name="second")
    x = keras.layers.Dense(4, activation="relu", name="hidden")(keras.layers.Concatenate()([first, second]))
    output = keras.layers.Dense(3, activation="softmax", name="probabilities")(x)
    classifier = keras.Model({"first": first, "second": second}, output)
    random = np.random.default_rng(0)
    inputs = {
        "first": random.normal(size=(4, 2)).astype("float32"),
        "second": random.normal(size=(4, 3)).astype("float32"),
    }
    sentences = [["a black bird."], ["a red bird.", "this bird is black."], [], ["a white bird."]]
    model = make_model(classifier)
    model.compile(run_eagerly=True)
    model.fit(inputs, sentences, verbose=0)
    pipeline = tf.data.Dataset.from_tensors((inputs, tf.ragged.constant(sentences)))
    np.testing.assert_array_equal(model.prepare(pipeline).r, model.prepare(inputs, sentences).r)
    model.save(tmp_path / "model.keras")
    loaded = interpnet_tf.load(tmp_path / "model.keras")
    same_explanations(loaded.explain(inputs, batch_size=3), model.explain(inputs))


def test_layers_without_the_probabilities(make_model, birds):
    """The paper's captioning baseline: r(x) is x, and the class is still told."""
    model = make_model(layers=["features"])
    np.testing.assert_array_equal(model.introspect(birds.inputs), birds.inputs)
    assert [e.class_id for e in model.explain(birds)] == birds.labels.tolist()


# Errors


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        (lambda m, b: m.compile("adam", loss="mse"), "without loss="),
        (lambda m, b: m.compile(label_smoothing=1), "label_smoothing must be at least 0.*got 1"),
        (lambda m, b: m.fit(b.inputs), "pass them as y"),
        (lambda m, b: m.fit(b.inputs, b.explanations[:-1]), "13 examples and explanations for 12"),
        (lambda m, b: m.fit(b.inputs, [[]] * 13), "no example has an explanation"),
        (lambda m, b: m.fit(b.inputs, [[None]] * 13), "strings or lists of strings, got None"),
        (
            lambda m, b: m.fit(np.full_like(b.inputs, np.nan), b.explanations),
            "x holds NaN or infinity in example 0",
        ),
        (lambda m, b: m.explain(b, sampler="best"), "sampler must be.*got 'best'"),
        (lambda m, b: m.explain(b, batch_size=-1), "batch_size must be at least 1, got -1"),
        (lambda m, b: m.explain(b, batch_size=2.0), "batch_size must be a whole number, got 2.0"),
        (lambda m, b: m.introspect(b.inputs, batch_size=0), "batch_size must be at least 1, got 0"),
        (lambda m, b: m.explain(b, max_length=0), "max_length must be at least 1, got 0"),
        (lambda m, b: m.explain(b, max_length=2.5), "max_length must be a whole number, got 2.5"),
        (lambda m, b: m.explain(b, seed=-1), "seed must be at least 0, got -1"),
        (lambda m, b: m.explain(b, seed=2**31), "seed must be at most 2147483647, got 2147483648"),
        (lambda m, b: m.explain(b, forbidden="black"), "forbidden must be a list of words"),
        (lambda m, b: m.explain(b, forbidden=[3]), r"forbidden must be a list of words, got \[3\]"),
        (lambda m, b: m.explain(b, required=None), "required must be a list of words, got None"),
        (lambda m, b: m.explain(b, forbidden=["black bird"]), "single words.*got 'black bird'"),
        (lambda m, b: m.explain(b, required=["dodo"]), "required must hold.*got 'dodo'"),
    ],
)
def test_errors_of_a_model(untrained, birds, attempt, message):
    with pytest.raises(ValueError, match=message):
        attempt(untrained, birds)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_length": 1}, "max_length must be at least 2"),
        ({"max_length": 8.0}, "max_length must be a whole number, got 8.0"),
        ({"seed": -1}, "seed must be at least 0, got -1"),
        ({"class_names": ["crow"]}, "a name for each of the 3 classes, got 1"),
        ({"class_names": {"a", "b", "c"}}, "a list of names in the order of the classes, got a set"),
        ({"class_names": "abc"}, "a list of names in the order of the classes, got a str"),
        ({"class_names": [1, 2, 3]}, r"class_names\[0\] must be a text, got 1"),
        ({"class_names": ["a", "b", "\ud800"]}, r"class_names\[2\]: .*surrogate"),
        ({"layers": ["hidden_9"]}, "hidden_9"),
        ({"decoder": "gru"}, "got 'gru'"),
        ({"decoder": LRCNDecoder(5)}, "predicts 5 ids"),
    ],
)
def test_errors_of_the_constructor(make_model, options, message):
    with pytest.raises(ValueError, match=message):
        make_model(**options)


def test_names_of_classes_come_in_one_form(make_model):
    model = make_model(class_names=np.array(["e\u0301tourneau", " merle", "pie"]))
    assert model.class_names == ["\u00e9tourneau", "merle", "pie"]
    assert {type(name) for name in model.class_names} == {str}


def test_a_tokenizer_without_words_is_refused(make_model):
    with pytest.raises(ValueError, match=r"tokenizer\.adapt"):
        InterpNet(make_model().classifier, ExplanationTokenizer())
    with pytest.raises(ValueError, match="tokenizer must be an ExplanationTokenizer, got 'words'"):
        InterpNet(make_model().classifier, "words")
