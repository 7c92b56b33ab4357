"""A BERT of one layer and ten words, in the files that Hugging Face's tools write."""

import json
from pathlib import Path

import numpy as np

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "dog", "cafe", "##s", "."]
WIDTH, HEADS, INNER = 4, 2, 6
CONFIG = {
    "model_type": "bert",
    "hidden_act": "gelu",
    "vocab_size": len(WORDS),
    "hidden_size": WIDTH,
    "num_hidden_layers": 1,
    "num_attention_heads": HEADS,
    "intermediate_size": INNER,
    "max_position_embeddings": 8,
    "type_vocab_size": 2,
}
SHAPES = {
    "embeddings.word_embeddings": (len(WORDS), WIDTH),
    "embeddings.position_embeddings": (8, WIDTH),
    "embeddings.token_type_embeddings": (2, WIDTH),
    "embeddings.LayerNorm": (WIDTH,),
    "encoder.layer.0.attention.self.query": (WIDTH, WIDTH),
    "encoder.layer.0.attention.self.key": (WIDTH, WIDTH),
    "encoder.layer.0.attention.self.value": (WIDTH, WIDTH),
    "encoder.layer.0.attention.output.dense": (WIDTH, WIDTH),
    "encoder.layer.0.attention.output.LayerNorm": (WIDTH,),
    "encoder.layer.0.intermediate.dense": (INNER, WIDTH),
    "encoder.layer.0.output.dense": (WIDTH, INNER),
    "encoder.layer.0.output.LayerNorm": (WIDTH,),
    "pooler.dense": (WIDTH, WIDTH),
}


def write(folder: Path) -> dict[str, np.ndarray]:
    """Writes the files of a BERT of random weights, and returns these: named and turned as PyTorch does."""
    from safetensors.numpy import save

    rng = np.random.default_rng(0)
    tensors = {f"{name}.weight": rng.normal(size=shape).astype("float32") for name, shape in SHAPES.items()}
    with_bias = [name for name in SHAPES if not name.endswith("_embeddings")]
    tensors |= {f"{name}.bias": rng.normal(size=SHAPES[name][0]).astype("float32") for name in with_bias}
    words = {"normalizer": {"lowercase": True}, "model": {"vocab": {word: i for i, word in enumerate(WORDS)}}}
    (folder / "config.json").write_text(json.dumps(CONFIG))
    (folder / "tokenizer.json").write_text(json.dumps(words))
    (folder / "model.safetensors").write_bytes(save(tensors))
    return tensors
