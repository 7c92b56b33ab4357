"""`TransformerDecoder`: a Transformer whose words attend to the classifier's layers by name."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import keras
import tensorflow as tf

from interpnet_tf.decoders.base import ExplanationDecoder
from interpnet_tf.decoders.folded_transformer import FoldedTransformer, fold_transformer
from interpnet_tf.decoders.layer_memory import LayerMemory
from interpnet_tf.decoders.path_gradients import path_gradients
from interpnet_tf.decoders.transformer_gradients import TransformerGradients


class _Normal(keras.initializers.Initializer):
    """GPT-2's initializer, whose copies share an iterator of seeds: keras-nlp hands every kernel a copy."""

    def __init__(self, seeds: Iterator[int | None]) -> None:
        self.seeds = seeds

    def __call__(self, shape: tuple, dtype: Any = None) -> Any:
        return keras.initializers.RandomNormal(stddev=0.02, seed=next(self.seeds))(shape, dtype)

    def get_config(self) -> dict[str, Any]:
        return {"seeds": self.seeds}


@keras.saving.register_keras_serializable(package="interpnet_tf")
class TransformerDecoder(ExplanationDecoder):
    """A Transformer decoder whose words attend to the layers that r(x) is made of, each under its name.

    The slice of r that a layer fills becomes a few memory tokens, see `LayerMemory`. Blocks of causal
    self-attention, cross-attention to these tokens and a feed-forward network read the words; what each word
    looked at is there to be asked for, see `attention`. The blocks normalize first, and the word embedding
    serves as output kernel too.

    Args:
        vocabulary_size: number of token ids, special ones included.
        layers: number of blocks.
        units: width of the words' and memory tokens' vectors, a multiple of `heads`.
        heads: number of attention heads.
        intermediate_dim: width of the feed-forward networks, by default `4 * units`.
        dropout: share of attention weights and of each part's outputs that is dropped in training, in [0, 1).
        max_length: the most words a sentence may have, its end included.
        tokens_per_layer: number of memory tokens of each slice.
        slices: dict of layer names and `(begin, end)` in r, which must be covered; `None` takes what the
            `InterpNet` it is given to tells (`read_layers`), and without one the whole of r, named `"r"`.
        seed: of the initial weights and of the dropout.
        **kwargs: those of `keras.layers.Layer`; `dtype="mixed_bfloat16"` computes in bfloat16, keeps the
            weights in float32 and gives float32 logits.

    Call arguments:
        inputs: dict of `"r"`, float `(batch, width)`, and `"tokens"`, int `(batch, words)`.
        training: whether dropout is on.

    Returns:
        float32 logits `(batch, words, vocabulary)`.

    Raises:
        ValueError: if an argument is out of its range, the slices do not cover r, or there are more than
            `max_length` words.

    Example:

    >>> decoder = TransformerDecoder(50, units=8, heads=2, slices={"hidden_1": (0, 4), "output": (4, 6)})
    >>> inputs = {"r": keras.ops.ones((2, 6)), "tokens": keras.ops.ones((2, 7), "int32")}
    >>> decoder(inputs).shape
    TensorShape([2, 7, 50])
    >>> decoder.attention(inputs).shape
    TensorShape([2, 7, 2])

    References:
    - [Vaswani et al. 2017, Attention Is All You Need](https://arxiv.org/abs/1706.03762)
    - [Radford et al. 2019, GPT-2](https://github.com/openai/gpt-2), initial weights
    - [Barratt 2017, InterpNET](https://arxiv.org/abs/1710.09511)
    """

    def __init__(
        self,
        vocabulary_size: int,
        layers: int = 2,
        units: int = 256,
        heads: int = 4,
        intermediate_dim: int | None = None,
        dropout: float = 0.1,
        max_length: int = 32,
        tokens_per_layer: int = 4,
        slices: Mapping[str, tuple[int, int]] | None = None,
        seed: int | None = None,
        **kwargs,
    ) -> None:
        super().__init__(vocabulary_size, **kwargs)
        self.layers, self.units, self.heads, self.dropout = layers, units, heads, dropout
        self.intermediate_dim = 4 * units if intermediate_dim is None else intermediate_dim
        self.max_length, self.tokens_per_layer, self.seed = max_length, tokens_per_layer, seed
        for name in ("layers", "units", "heads", "intermediate_dim", "max_length", "tokens_per_layer"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if units % heads:
            raise ValueError(f"units must be a multiple of heads, got units={units} and heads={heads}")
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout must be at least 0 and less than 1, got {dropout}")
        self.slices = None if slices is None else {name: list(bounds) for name, bounds in slices.items()}

    def read_layers(self, slices: Mapping[str, slice]) -> None:
        if self.slices is None:
            self.slices = {name: [part.start, part.stop] for name, part in slices.items()}

    def build(self, input_shape: dict[str, tuple]) -> None:
        import keras_nlp  # takes seconds

        width, units, policy = input_shape["r"][-1], self.units, self.dtype_policy
        if self.slices is None:
            self.slices = {"r": [0, width]}
        seeds = itertools.repeat(None) if self.seed is None else itertools.count(self.seed)
        normal = _Normal(seeds)

        self.embedding = keras_nlp.layers.ReversibleEmbedding(
            self.vocabulary_size,
            units,
            embeddings_initializer=normal,
            reverse_dtype="float32",
            dtype=policy,
            name="embedding",
        )
        self.position_embedding = keras_nlp.layers.PositionEmbedding(
            self.max_length, initializer=normal, dtype=policy, name="position_embedding"
        )
        self.embedding_dropout = keras.layers.Dropout(self.dropout, dtype=policy, name="embedding_dropout")
        self.memory = LayerMemory(
            self.slices, units, self.tokens_per_layer, seeds, dtype=policy, name="memory"
        )
        self.blocks = [
            keras_nlp.layers.TransformerDecoder(
                self.intermediate_dim,
                self.heads,
                dropout=self.dropout,
                kernel_initializer=normal,
                normalize_first=True,
                dtype=policy,
                name=f"block_{index}",
            )
            for index in range(self.layers)
        ]
        self.normalization = keras.layers.LayerNormalization(epsilon=1e-5, dtype=policy, name="normalization")

        words, memory = (None, None, units), self.memory.compute_output_shape((None, width))
        self.embedding.build((None, None))
        for layer in (self.position_embedding, self.embedding_dropout, self.normalization):
            layer.build(words)
        self.memory.build((None, width))
        for block in self.blocks:
            block.build(words, memory)
        if self.seed is not None:
            self._seed_dropout(seeds)

    def _seed_dropout(self, seeds: Iterator[int]) -> None:
        # keras-nlp's block has no argument for this.
        with tf.init_scope():
            for layer in self._flatten_layers():
                if isinstance(layer, keras.layers.Dropout) and self.dropout > 0:
                    layer.seed_generator.state.assign([next(seeds), 0])

    def call(self, inputs: dict[str, Any], training: bool | None = None) -> tf.Tensor:
        return self._logits(self._read(inputs["tokens"], self.memory(inputs["r"]), training))

    def _read(self, tokens: Any, memory: tf.Tensor, training: bool | None = False) -> tf.Tensor:
        words = self._embed(tokens, training=training)
        for block in self.blocks:
            words = block(words, memory, training=training)
        return words

    def path_gradients(
        self, begin: Any, end: Any, tokens: Any, words: Any, lengths: Any, points: Any, weights: Any
    ) -> tf.Tensor:
        # The path is straight in what is linear in r too, which is far shorter than r.
        ends = [tf.cast(self.memory.project(r), tf.float32) for r in (begin, end)]
        if self.compute_dtype == "float32":
            norm = self.memory.normalization
            gain, offset = tf.convert_to_tensor(norm.gamma), tf.convert_to_tensor(norm.beta)
            read = TransformerGradients(self.fold(), gain, offset, self.heads, norm.epsilon)
            gradients = read(*ends, tokens, words, lengths, points, weights)
        else:
            gradients = path_gradients(self._read_projected, *ends, tokens, words, lengths, points, weights)
        by_r = self.memory.project_back(tf.reshape(gradients, (-1, gradients.shape[-1])))
        return tf.reshape(by_r, (*tf.unstack(tf.shape(words)), by_r.shape[-1]))

    def _read_projected(self, projected: tf.Tensor, tokens: tf.Tensor) -> tf.Tensor:
        """Returns the logits of the last word, of r(x) as `memory.project` gives it."""
        memory = self.memory.normalize(tf.cast(projected, self.compute_dtype))
        return self._logits(self._read(tokens, memory)[:, -1:])

    def start(self, r: tf.Tensor) -> dict[str, tf.Tensor]:
        memory, batch = self.memory(r), tf.shape(r)[0]
        cache = tf.zeros((batch, 2, self.max_length, self.heads, self.units // self.heads), memory.dtype)
        state = {"position": tf.zeros((batch,), tf.int32)}
        for index, block in enumerate(self.blocks):
            attend = block._cross_attention_layer
            state[f"self_{index}"] = cache
            state[f"cross_{index}"] = tf.stack([attend.key_dense(memory), attend.value_dense(memory)], axis=1)
        return state

    def step(self, token: tf.Tensor, state: dict[str, tf.Tensor]) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        position = state["position"][0]  # the sentences of a batch are equally long
        word = self._embed(token[:, None], position)
        new_state = {**state, "position": state["position"] + 1}
        for index, block in enumerate(self.blocks):
            word, new_state[f"self_{index}"], _ = block(
                word,
                word,  # stands for the memory, whose keys and values come from the cache
                self_attention_cache=state[f"self_{index}"],
                self_attention_cache_update_index=position,
                cross_attention_cache=state[f"cross_{index}"],
                training=False,
            )
        return self._logits(word)[:, 0], new_state

    def fold(self) -> dict[str, tf.Tensor]:
        embeddings = (self.embedding.embeddings, self.position_embedding.position_embeddings)
        embeddings = (tf.convert_to_tensor(embedding) for embedding in embeddings)
        return fold_transformer(self.blocks, self.normalization, *embeddings, self.compute_dtype)

    def folded(self, weights: Mapping[str, tf.Tensor]) -> FoldedTransformer:
        return FoldedTransformer(weights, self.memory, self.heads, self.normalization.epsilon)

    def attention(self, inputs: dict[str, Any], average: bool = True) -> tf.Tensor:
        """Returns how much each word's prediction looked at each layer: the weights of the cross-attention.

        `InterpNet.attention` asks for those of an explanation, with r(x) and words as the decoder reads them.

        Args:
            inputs: as in a call: r(x) as `InterpNet.standardize` gives it, and the start id with the words
                said before the one in question. The weights are those of a call with `training=False`.
            average: whether to take the mean over blocks and heads.

        Returns:
            float32 `(batch, words, slices)`, or `(batch, blocks, heads, words, slices)` where `average` is
            not set. The slices are in the order of `decoder.slices`; over them, the weights sum to 1.
        """
        words, memory = self._embed(inputs["tokens"]), self.memory(inputs["r"])
        length, weights = tf.shape(words)[1], []
        causal = tf.linalg.band_part(tf.ones((1, length, length)), -1, 0) > 0
        for block in self.blocks:
            # The first half of the block once more: keras-nlp does not hand out the weights.
            query = block._self_attention_layer_norm(words)
            read = block._self_attention_layer(query, query, attention_mask=causal, training=False)
            query = block._cross_attention_layer_norm(words + read)
            attend = block._cross_attention_layer
            # Its own class hands out the weights too, but only since keras-nlp 0.30.
            _, of_block = keras.layers.MultiHeadAttention.call(
                attend, query, memory, return_attention_scores=True, training=False
            )
            weights.append(of_block)
            words = block(words, memory, training=False)
        weights = tf.cast(tf.stack(weights, axis=1), tf.float32)
        by_token = tf.concat([tf.shape(weights)[:-1], [len(self.slices), self.tokens_per_layer]], axis=0)
        weights = tf.reduce_sum(tf.reshape(weights, by_token), axis=-1)
        return tf.reduce_mean(weights, axis=(1, 2)) if average else weights

    def _embed(self, tokens: Any, position: Any = 0, training: bool | None = False) -> tf.Tensor:
        if tokens.shape[1] is not None and tokens.shape[1] > self.max_length:
            raise ValueError(
                f"tokens must be at most max_length={self.max_length} words long, got {tokens.shape[1]}; "
                "build the decoder with a larger max_length"
            )
        words = self.embedding(tokens)
        return self.embedding_dropout(
            words + self.position_embedding(words, start_index=position), training=training
        )

    def _logits(self, words: tf.Tensor) -> tf.Tensor:
        return self.embedding(self.normalization(words), reverse=True)

    def compute_output_shape(self, input_shape: dict[str, tuple]) -> tuple:
        return (*input_shape["tokens"], self.vocabulary_size)

    def get_config(self) -> dict[str, Any]:
        names = ("layers", "units", "heads", "intermediate_dim", "dropout", "max_length", "tokens_per_layer")
        slices = None if self.slices is None else {name: list(part) for name, part in self.slices.items()}
        own = {**{name: getattr(self, name) for name in names}, "slices": slices, "seed": self.seed}
        return {**super().get_config(), **own}
