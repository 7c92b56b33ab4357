"""What works with which kind of classifier, and the one sentence where something does not."""

import re
from pathlib import Path

import classifier_kinds
import keras
import numpy as np
import pytest
import tensorflow as tf
from classifier_kinds import KINDS, Kind

import interpnet_tf as itf
from interpnet_tf.export.litert_file import LiteRTModel
from interpnet_tf.generation.decoding import SILENT_IDS

pytest.importorskip("ai_edge_litert")
DOCUMENT = Path(__file__).parents[1] / "docs" / "classifiers.md"
SENTENCES = ["a black bird.", "this red bird has a long bill.", "white wings and a small head."]


def explainer(kind: Kind, classifier: keras.Model) -> itf.InterpNet:
    """Returns an untrained model, whose large weights make its sentences depend on r(x)."""
    tokenizer = itf.ExplanationTokenizer().adapt(SENTENCES)
    decoder = itf.LRCNDecoder(tokenizer.vocabulary_size, embedding_dim=8, units=8, seed=0)
    options = {"decoder": decoder, "max_length": 6, **kind.options}
    model = itf.InterpNet(classifier, tokenizer, list(kind.layers) or None, **options)
    decoder.set_weights([4 * weight for weight in decoder.get_weights()])
    return model


def activations_by_hand(kind: Kind, classifier: keras.Model, x) -> list[np.ndarray]:
    if kind.activations:
        return kind.activations(classifier, x)
    inputs = {tensor.name: tensor for tensor in classifier.inputs}
    tensors = [inputs[name] if name in inputs else classifier.get_layer(name).output for name in kind.layers]
    return keras.tree.flatten(keras.Model(classifier.input, tensors)(x, training=False))


def pooled_by_hand(activation) -> np.ndarray:
    """Returns the mean over all positions of a map, sequence or volume."""
    activation = np.asarray(activation, "float32")
    return activation.reshape(len(activation), -1, activation.shape[-1]).mean(axis=1)


def assert_said_alike(model, r, explanations, token_ids, least_gap):
    """Checks ids of another runtime.

    It may go on with another word only where the two most probable words are nearly equally probable.

    Args:
        r: of the examples.
        explanations: the model's own.
        token_ids: `(batch, max_length)`.
        least_gap: between the logits of the most probable word and the second, from which on they must agree.
    """
    tokenizer = model.tokenizer
    first_word = tokenizer.vocabulary_size - len(tokenizer.vocabulary)
    for of_one, explanation, found in zip(r, explanations, token_ids, strict=True):
        ids = [first_word + tokenizer.vocabulary.index(word) for word in explanation.words]
        ids += [tokenizer.end_id] * (len(ids) < model.max_length)
        ids += [tokenizer.pad_id] * (model.max_length - len(ids))
        if different := np.flatnonzero(np.not_equal(ids, found)).tolist():
            said = np.array([[tokenizer.start_id, *ids[: different[0]]]])
            logits = model.decoder({"r": model.standardize(of_one[None]), "tokens": said})[0, -1].numpy()
            logits[list(SILENT_IDS)] = -np.inf
            second, best = np.sort(logits)[-2:]
            assert best - second < least_gap, f"{explanation.text!r} differs in word {different[0]}"


def assert_explains_alike(outputs, model, r, explanations, tolerance):
    """Checks outputs of the signature of an export that explains."""
    probabilities = [explanation.probability for explanation in explanations]
    np.testing.assert_allclose(outputs["probability"], probabilities, atol=tolerance)
    assert_said_alike(model, r, explanations, outputs["token_ids"], max(0.05, 100 * tolerance))


@pytest.mark.usefixtures("without_beams")
@pytest.mark.parametrize("name", KINDS)
def test_kind(name, tmp_path):
    kind = KINDS[name]
    if name == "vision_transformer":
        hub = pytest.importorskip("keras_hub")
        if not hasattr(hub.models, "ViTBackbone"):
            pytest.skip("KerasHub has it since 0.19")
    classifier = kind.build()
    if "r(x)" in kind.refusals:
        with pytest.raises(ValueError, match=re.escape(kind.refusals["r(x)"])):
            explainer(kind, classifier)
        return
    x = kind.inputs(np.random.default_rng(0))
    model = explainer(kind, classifier)
    r = model.introspect(x)
    by_hand = [pooled_by_hand(part) for part in activations_by_hand(kind, classifier, x)]
    np.testing.assert_allclose(r, np.concatenate(by_hand, axis=1), rtol=1e-3, atol=kind.tolerance)
    # So that the decoder sees what differs between the examples.
    model.r_mean.assign(r.mean(axis=0))
    model.r_scale.assign(2 / np.maximum(r.std(axis=0), r.std() / 10 + 1e-6) / np.sqrt(r.shape[1]))

    explanations = model.explain(x)
    expected = kind.probabilities(np.asarray(classifier(x, training=False), "float32"))
    np.testing.assert_allclose([e.probabilities for e in explanations], expected, atol=10 * kind.tolerance)
    assert [e.class_id for e in explanations] == np.argmax(
        [e.probabilities for e in explanations], 1
    ).tolist()

    model.save(tmp_path / "model.keras")
    loaded = itf.load(tmp_path / "model.keras")
    assert_same_model(loaded, model, x)

    for column, path, options in [
        ("SavedModel", tmp_path / "1", {"max_batch_size": 1}),
        ("LiteRT", tmp_path / "model.tflite", {"format": "litert"}),
    ]:
        if column in kind.refusals:
            with pytest.raises(ValueError, match=re.escape(kind.refusals[column])):
                model.export(path, **options)
            assert not path.exists()
            continue
        model.export(path, **options)
        if column == "LiteRT":
            outputs, tolerance = LiteRTModel(path)("explain", x), kind.tolerance
        else:
            outputs, tolerance = saved_model_outputs(path, x), 1e-4
        assert_explains_alike(outputs, model, r, explanations, tolerance)


def assert_same_model(loaded, model, x):
    np.testing.assert_allclose(loaded.introspect(x), model.introspect(x), rtol=1e-4, atol=1e-4)
    assert loaded.tokenizer.vocabulary == model.tokenizer.vocabulary
    assert (loaded.class_names, loaded.output_kind) == (model.class_names, model.output_kind)
    for one, other in zip(loaded.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_allclose(
        loaded.classifier(x, training=False), model.classifier(x, training=False), atol=1e-4
    )


def saved_model_outputs(path, x):
    """Returns what the signature `serving_default` answers, as arrays."""
    function = tf.saved_model.load(path).signatures["serving_default"]
    inputs = x if isinstance(x, dict) else {"x": x}
    specs = function.structured_input_signature[1]
    inputs = {name: tf.constant(part, specs[name].dtype) for name, part in inputs.items()}
    return {name: output.numpy() for name, output in function(**inputs).items()}


def test_the_document_holds_this_table():
    """`python tests/classifier_kinds.py` prints the table anew."""
    assert classifier_kinds.table() in DOCUMENT.read_text("utf-8")


def test_there_are_many_kinds():
    assert len(KINDS) >= 30
    assert len({kind.name for kind in KINDS.values()}) == len(KINDS)
