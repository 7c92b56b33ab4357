"""Generating Visual Explanations on a few birds: what its ablations read, and how they share their stages."""

import functools
import shutil
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import bird_classifier

from interpnet_tf import ExplanationTokenizer, InterpNet
from interpnet_tf.decoders import LRCNDecoder, TransformerDecoder
from interpnet_tf.experiments import gve
from interpnet_tf.experiments.gve.true_classes import with_true_classes
from interpnet_tf.introspection import class_embedding
from interpnet_tf.introspection.class_embedding import with_class_embedding
from interpnet_tf.introspection.probabilities import class_probabilities

VECTORS = np.array([[1, 0], [0, 2], [3, 3]], "float32")
SMALL = {
    "decoder": functools.partial(LRCNDecoder, units=8, dropout=0.1, seed=0),
    "max_length": 12,
    "relevance": {"epochs": 2, "learning_rate": 0.01},
    "discriminative": {"epochs": 1, "samples": 2, "batch_size": 8},
    "sentences": {"epochs": 1},
}


@pytest.fixture(scope="module")
def tokenizer(birds):
    return ExplanationTokenizer().adapt(birds.explanations)


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return tmp_path_factory.mktemp("gve")


@pytest.fixture(scope="module")
def models(birds, valid_birds, tokenizer, directory) -> dict[str, InterpNet]:
    """Every ablation, in the order in which they need one another the least."""
    return {
        name: gve.train(bird_classifier(), tokenizer, birds, valid_birds, name, 0, directory, **SMALL)
        for name in reversed(gve.ABLATIONS)
    }


def as_functional(activation="softmax", classes=3):
    inputs = keras.Input((5,), name="features")
    outputs = keras.layers.Dense(classes, activation, name="probabilities")(inputs)
    return keras.Model(inputs, outputs)


@pytest.mark.parametrize("classifier", [bird_classifier(), as_functional(), as_functional(None)])
def test_a_class_embedding_changes_no_output(classifier, birds):
    whole = with_class_embedding(classifier, VECTORS)
    scores = classifier(birds.inputs)
    np.testing.assert_array_equal(whole(birds.inputs), scores)
    # Probabilities stay probabilities, and logits logits.
    np.testing.assert_allclose(
        class_probabilities(whole, whole(birds.inputs)), class_probabilities(classifier, scores)
    )
    embedding = keras.Model(whole.inputs, whole.get_layer("class_embedding").output)
    np.testing.assert_array_equal(embedding(birds.inputs), VECTORS[np.argmax(scores, axis=1)])


def test_a_layer_of_an_older_file_is_read():
    older = {"name": "classifier_output", "activation": "softmax"}
    assert class_embedding.Beside.from_config(older).name == "classifier_output"


def test_vectors_of_another_number_of_classes():
    with pytest.raises(ValueError, match=r"got \(2, 2\) for 3"):
        with_class_embedding(bird_classifier(), VECTORS[:2])


def test_true_classes_in_place_of_predicted_ones(birds, tokenizer):
    whole = with_class_embedding(bird_classifier(), VECTORS)
    model = InterpNet(whole, tokenizer, layers=["features", "class_embedding"])
    r = model.introspect(birds.inputs)
    np.testing.assert_array_equal(r, np.concatenate([birds.inputs, VECTORS[birds.labels]], axis=1))
    other = with_true_classes(model, r, (birds.labels + 1) % 3)
    np.testing.assert_array_equal(other[:, :5], birds.inputs)
    np.testing.assert_array_equal(other[:, 5:], VECTORS[(birds.labels + 1) % 3])


@pytest.mark.slow
def test_what_each_ablation_reads(models):
    read = {name: model.introspector.layer_paths for name, model in models.items()}
    assert read == {
        "description": ("features",),
        "definition": ("class_embedding",),
        "explanation-label": ("features", "class_embedding"),
        "explanation-discriminative": ("features",),
        "explanation": ("features", "class_embedding"),
    }


@pytest.mark.slow
def test_the_stages_are_shared(models, directory):
    """One language model and one sentence classifier; explanation goes on from explanation-label."""
    kept = sorted(path.name for path in directory.iterdir())
    assert kept == sorted(
        [*(f"{name}.keras" for name in gve.ABLATIONS), "language_model.keras", "sentence_classifier.keras"]
        + ["checkpoints"]
    )
    assert not list((directory / "checkpoints").iterdir())
    with_label, explanation = models["explanation-label"], models["explanation"]
    np.testing.assert_array_equal(with_label.r_mean, explanation.r_mean)
    changed = np.abs(with_label.decoder.merge_r.numpy() - explanation.decoder.merge_r.numpy()).max()
    assert 0 < changed < 0.01  # a step of 1e-4 or two from there


@pytest.mark.slow
def test_explanations_name_the_predicted_class(models, birds):
    for model in models.values():
        explanations = model.explain(birds.inputs[:3])
        assert [explanation.label for explanation in explanations] == birds.class_names


@pytest.mark.slow
def test_definition_says_the_same_of_a_class(models, birds):
    said = [explanation.text for explanation in models["definition"].explain(birds)]
    assert len(set(said[0::3])) == len(set(said[1::3])) == len(set(said[2::3])) == 1


@pytest.mark.slow
def test_a_finished_training_is_read(models, birds, valid_birds, tokenizer, directory):
    again = gve.train(bird_classifier(), tokenizer, birds, valid_birds, "explanation", 0, directory, **SMALL)
    for mine, theirs in zip(again.get_weights(), models["explanation"].get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.slow
def test_a_model_is_read_where_nothing_else_is_imported(models, birds, directory):
    command = "import sys, interpnet_tf as itf; print(itf.load(sys.argv[1]).introspector.layer_paths)"
    path = directory / "explanation.keras"
    ran = subprocess.run([sys.executable, "-c", command, path], capture_output=True, text=True, check=False)
    assert ran.stdout == "('features', 'class_embedding')\n", ran.stderr


@pytest.mark.slow
def test_with_a_transformer(models, directory, birds, valid_birds, tokenizer, tmp_path):
    shutil.copy(directory / "sentence_classifier.keras", tmp_path)  # of which the decoder is no part
    decoder = functools.partial(TransformerDecoder, layers=1, units=8, heads=2, max_length=12, seed=0)
    arguments = (bird_classifier(), tokenizer, birds, valid_birds, "explanation", 0, tmp_path)
    model = gve.train(*arguments, **{**SMALL, "decoder": decoder})
    assert isinstance(model.decoder, TransformerDecoder)
    relevance = keras.saving.load_model(tmp_path / "explanation-label.keras")
    words, before = (one.decoder.embedding.embeddings.numpy() for one in (model, relevance))
    assert 0 < np.abs(words - before).max() < 0.01  # steps of 1e-4 from there


@pytest.mark.usefixtures("without_beams")
@pytest.mark.slow
def test_exports_say_what_the_model_says(models, birds, tmp_path):
    pytest.importorskip("ai_edge_litert")
    from interpnet_tf.export import litert
    from interpnet_tf.export.litert_file import LiteRTModel

    model = models["explanation"]
    expected = [(explanation.label, explanation.text) for explanation in model.explain(birds)]
    servable = tf.saved_model.load(model.export(tmp_path / "1"))
    served = servable.signatures["serving_default"](x=tf.constant(birds.inputs))
    said = zip(served["label"].numpy(), served["explanation"].numpy(), strict=True)
    assert [(label.decode(), text.decode()) for label, text in said] == expected
    file = LiteRTModel(litert.convert(model))("explain", birds.inputs)
    texts = model.tokenizer.detokenize(file["token_ids"])
    names = [birds.class_names[index] for index in file["class_id"]]
    assert list(zip(names, texts, strict=True)) == expected


class Interrupted(keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        raise KeyboardInterrupt


@pytest.mark.slow
def test_an_interrupted_training_goes_on_and_a_seed_repeats(models, birds, valid_birds, tokenizer, tmp_path):
    """Interrupted in its last stage, a training in another directory ends with the same weights."""
    arguments = (bird_classifier(), tokenizer, birds, valid_birds, "explanation", 0, tmp_path)
    with pytest.raises(KeyboardInterrupt):
        gve.train(*arguments, callbacks={"discriminative": [Interrupted()]}, **SMALL)
    model = gve.train(*arguments, **SMALL)
    for mine, theirs in zip(model.get_weights(), models["explanation"].get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.slow
def test_discriminate_takes_any_model(make_model, birds, valid_birds):
    model = make_model()
    reader = gve.train_sentence_classifier(model.tokenizer, birds, valid_birds, epochs=1)
    before = model.decoder.output_kernel.numpy()
    history = gve.discriminate(model, reader, birds, valid_birds, epochs=1, samples=2)
    assert set(history[0]) == {"reward", "val_reward", "val_loss", "val_objective", "learning_rate"}
    assert np.abs(model.decoder.output_kernel.numpy() - before).max() > 0
    with pytest.raises(ValueError, match="words must be at least 1"):
        gve.discriminate(model, reader, birds, valid_birds, words=0)


@pytest.mark.slow
def test_a_sentence_classifier_of_another_vocabulary(make_model, birds, valid_birds):
    tokenizer = ExplanationTokenizer(["bird"])
    reader = gve.train_sentence_classifier(tokenizer, birds, valid_birds, epochs=1)
    with pytest.raises(ValueError, match="sentence_classifier knows 5 ids"):
        gve.discriminate(make_model(), reader, birds, valid_birds)


def test_an_unknown_ablation(birds, valid_birds, tokenizer):
    with pytest.raises(ValueError, match="ablation must be one of"):
        gve.train(bird_classifier(), tokenizer, birds, valid_birds, "captioning")
