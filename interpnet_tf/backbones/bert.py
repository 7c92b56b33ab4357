"""BERT from the files that Hugging Face's tools write, read without PyTorch."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from interpnet_tf.support.errors import reading

if TYPE_CHECKING:
    import keras_nlp

# What layers of KerasHub are called in such files; those of a Transformer layer follow `encoder.layer.N.`.
_OUTER = {
    "token_embedding": "embeddings.word_embeddings",
    "position_embedding": "embeddings.position_embeddings",
    "segment_embedding": "embeddings.token_type_embeddings",
    "embeddings_layer_norm": "embeddings.LayerNorm",
    "pooled_dense": "pooler.dense",
}
_INNER = {
    "self_attention_layer/query": "attention.self.query",
    "self_attention_layer/key": "attention.self.key",
    "self_attention_layer/value": "attention.self.value",
    "self_attention_layer/attention_output": "attention.output.dense",
    "self_attention_layer_norm": "attention.output.LayerNorm",
    "feedforward_intermediate_dense": "intermediate.dense",
    "feedforward_output_dense": "output.dense",
    "feedforward_layer_norm": "output.LayerNorm",
}
_CONFIG = {
    "vocabulary_size": "vocab_size",
    "num_layers": "num_hidden_layers",
    "num_heads": "num_attention_heads",
    "hidden_dim": "hidden_size",
    "intermediate_dim": "intermediate_size",
    "max_sequence_length": "max_position_embeddings",
    "num_segments": "type_vocab_size",
}


def read_bert(
    path: str | os.PathLike,
) -> tuple[keras_nlp.models.BertBackbone, keras_nlp.models.BertTokenizer]:
    """Reads a BERT and its tokenizer.

    KerasHub computes GELU by its approximation with tanh, where the files may have been trained with the
    exact one: of sentence vectors that changes cosines by 0.0002.

    Args:
        path: of a folder or a zip archive that holds `config.json`, `model.safetensors` and
            `tokenizer.json`.

    Returns:
        A `keras_nlp.models.BertBackbone`, with the weights, and a `keras_nlp.models.BertTokenizer`, whose ids
        lack [CLS] and [SEP].

    Raises:
        FileNotFoundError: if there is no such folder or archive.
        UnreadableFileError: if a file is missing in it, damaged, or of another network than BERT.
        ValueError: if the package safetensors is not installed.

    Example:

    >>> backbone, tokenizer = read_bert("all-MiniLM-L6-v2")  # doctest: +SKIP
    >>> backbone.num_layers, backbone.hidden_dim  # doctest: +SKIP
    (6, 384)

    References:
        - [Devlin et al., 2019: BERT](https://arxiv.org/abs/1810.04805)
    """
    import keras_nlp  # takes seconds

    load = _safetensors_reader()
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"there is no folder or archive {str(path)!r}")
    with reading(
        path,
        "a BERT, a folder or zip archive",
        "it needs config.json, model.safetensors and "
        "tokenizer.json, as sentence-transformers and transformers save them",
    ):
        config = json.loads(_file(path, "config.json"))
        _check_config(config)
        backbone = keras_nlp.models.BertBackbone(**{ours: config[theirs] for ours, theirs in _CONFIG.items()})
        _assign(backbone, load(_file(path, "model.safetensors")))
        words = json.loads(_file(path, "tokenizer.json"))
        lowercase = bool(words["normalizer"]["lowercase"])
        vocabulary = words["model"]["vocab"]
        tokenizer = keras_nlp.models.BertTokenizer(
            vocabulary=sorted(vocabulary, key=vocabulary.get), lowercase=lowercase, strip_accents=lowercase
        )
    return backbone, tokenizer


def _safetensors_reader() -> Any:
    try:
        from safetensors.numpy import load
    except ImportError:
        raise ValueError(
            "weights in the format safetensors are read by a package of that name, which is not installed: "
            "run `pip install safetensors`"
        ) from None
    return load


def _file(path: Path, name: str) -> bytes:
    if path.is_dir():
        return (path / name).read_bytes()
    with zipfile.ZipFile(path) as archive:
        return archive.read(name)


def _check_config(config: dict[str, Any]) -> None:
    """Raises a `ValueError` unless KerasHub's BERT computes what the file was made for."""
    known = {
        "model_type": ("bert",),
        "hidden_act": ("gelu", "gelu_new"),
        "position_embedding_type": ("absolute",),
        "layer_norm_eps": (1e-12,),
    }
    for name, values in known.items():
        if config.get(name, values[0]) not in values:
            raise ValueError(f"its {name} is {config[name]!r}, expected {' or '.join(map(repr, values))}")


def _assign(backbone: keras.Model, tensors: dict[str, np.ndarray]) -> None:
    """Gives a backbone its weights, whose matrices PyTorch has transposed."""
    for weight in backbone.weights:
        layer, _, kind = weight.path.rpartition("/")
        name = f"{_theirs(layer)}.{'bias' if kind in ('bias', 'beta') else 'weight'}"
        values = tensors[name].T if kind == "kernel" else tensors[name]
        if values.size != np.prod(weight.shape):
            raise ValueError(f"its {name} is {tensors[name].shape}, expected numbers for {weight.shape}")
        weight.assign(values.reshape(weight.shape))


def _theirs(layer: str) -> str:
    if layer in _OUTER:
        return _OUTER[layer]
    block, _, inner = layer.partition("/")
    return f"encoder.layer.{block.removeprefix('transformer_layer_')}.{_INNER[inner]}"
