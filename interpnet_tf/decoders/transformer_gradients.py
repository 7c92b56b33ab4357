"""Mean gradients of the words' log-probabilities along a path in r(x), for the Transformer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import tensorflow as tf

from interpnet_tf.decoders.kinks import open_shares
from interpnet_tf.decoders.memory_path import MemoryPath, MemorySums, memory_kernels
from interpnet_tf.decoders.products import by_head, normalized, product, through_normal, through_softmax


class OfBlock(NamedTuple):
    """What the way back needs of a block, of each word and point, `(words, points, …)`.

    Attributes:
        own, cross, forward: what self-attention, attention to the memory and the feed-forward network read:
            normalized vectors, and what the vectors were multiplied by.
        scores, looked: of the memory, see `MemoryPath.attend`.
        open: of the ReLUs, see `open_shares`.
        asked: what a word's query sends back through each head's keys, `(words, points, heads, units)`.
    """

    own: tuple[tf.Tensor, tf.Tensor]
    cross: tuple[tf.Tensor, tf.Tensor]
    forward: tuple[tf.Tensor, tf.Tensor]
    scores: tf.Tensor
    looked: tf.Tensor
    open: tf.Tensor
    asked: tf.Tensor

    def up_to(self, count: tf.Tensor) -> OfBlock:
        """Returns what belongs to the first words."""
        return tf.nest.map_structure(lambda part: part[:count], self)


class SentBack(NamedTuple):
    """Gradients on their way through self-attention, from words to those before them.

    A word sends the same vectors back to all words, only weighed differently.

    Attributes:
        d_vector: by the words' own vectors, `(words, points, units)`, but for what goes through attention.
        sent: through each head's keys, each head's values and the word's query, which reaches itself only,
            by normalized vectors, `(words, points, 2 * heads + 1, units)`.
        weights: how these are weighed for each word, `(words, points, 2 * heads + 1, words before)`.
    """

    d_vector: tf.Tensor
    sent: tf.Tensor
    weights: tf.Tensor


class TransformerGradients:
    """Computes what `path_gradients.path_gradients` does, nearer to the integral, in a fraction of its time.

    Each sentence is read once at all points of the path. Backwards, all words go through the last block at
    once, as there each matters at its own place only; then one after another through the blocks before it,
    where the words before it matter too. Kernels that follow one another are multiplied out beforehand where
    that saves products. A ReLU counts as open in the share of the path in which it is, see `open_shares`; at
    a single point, as it is there.

    Args:
        weights: of `fold_transformer`, in float32.
        gain, offset: of the memory's layer normalization, `(units,)`.
        heads: number of attention heads.
        epsilon: of the layer normalizations.
    """

    def __init__(
        self,
        weights: Mapping[str, tf.Tensor],
        gain: tf.Tensor,
        offset: tf.Tensor,
        heads: int,
        epsilon: float,
    ) -> None:
        self.weights, self.heads, self.epsilon = weights, heads, epsilon
        self.units = weights["positions"].shape[1]
        self.blocks = sum(name.endswith("/self/kernel") for name in weights)
        names = [f"block_{index}" for index in range(self.blocks)]
        # Products with a kernel that lies as they read it are faster.
        backwards = [f"{name}/{part}" for name in names for part in ("self_output", "wide", "narrow")]
        self.transposed = {name: tf.transpose(weights[f"{name}/kernel"]) for name in (*backwards, "output")}
        self.of_memory = [memory_kernels(weights, name, gain, offset, heads) for name in names]
        # What a word sends back to the words before it: by its query through each head's keys (`ask`), and by
        # the gradient behind its attention through each head's values (`tell`).
        self.of_query, self.ask, self.ask_bias, self.tell = [], [], [], []
        for name in names:
            query, key, value = tf.split(weights[f"{name}/self/kernel"], 3, axis=1)
            query_bias = tf.split(weights[f"{name}/self/bias"], 3)[0]
            self.of_query.append(tf.transpose(query))
            self.ask.append(by_head(query, key, heads))
            self.ask_bias.append(by_head(query_bias[None], key, heads)[0])
            self.tell.append(by_head(tf.transpose(weights[f"{name}/self_output/kernel"]), value, heads))

    def __call__(
        self,
        begin: tf.Tensor,
        end: tf.Tensor,
        tokens: tf.Tensor,
        words: tf.Tensor,
        lengths: tf.Tensor,
        points: tf.Tensor,
        weights: tf.Tensor,
    ) -> tf.Tensor:
        """Returns the weighted sums of gradients by the memory's tokens before they are normalized.

        Args:
            begin, end: these tokens side by side, `(sentences, tokens * units)`.
            tokens, words, lengths, points, weights: see `path_gradients.path_gradients`.

        Returns:
            `(sentences, words, tokens * units)`, zeros for words that do not count.
        """
        width, longest = begin.shape[-1], tf.shape(words)[1]

        def of_sentence(sentence: tuple) -> tf.Tensor:
            *ends, said, ids, length = sentence
            ends = [tf.reshape(one, (-1, self.units)) for one in ends]
            of_words = self._of_sentence(*ends, said[:length], ids[:length], points, weights)
            return tf.pad(tf.reshape(of_words, (-1, width)), [[0, longest - length], [0, 0]])

        return tf.map_fn(
            of_sentence,
            (begin, end, tokens, words, tf.cast(lengths, tf.int32)),
            fn_output_signature=tf.TensorSpec((None, width), tf.float32),
            # Two keep two cores busier than one, whose products wait for each other; eagerly it is one.
            parallel_iterations=1 if tf.executing_eagerly() else 2,
        )

    def _of_sentence(
        self,
        begin: tf.Tensor,
        end: tf.Tensor,
        tokens: tf.Tensor,
        words: tf.Tensor,
        points: tf.Tensor,
        weights: tf.Tensor,
    ) -> tf.Tensor:
        """Returns the gradients of one sentence, all of whose words count, `(words, tokens, units)`."""
        memory = MemoryPath(begin, end, points, self.of_memory, self.heads, self.epsilon)
        vector, kept, read = self._read(tokens, memory, points, weights)
        d_vector = self._of_log_probabilities(vector, words) * weights[:, None]
        count, last = tf.shape(words)[0], self.blocks - 1
        sums, d_vector = self._through_block(last, d_vector, kept[last], memory, each=True)
        total = memory.by_tokens(last, sums)
        if last == 0:
            return total
        sent = self._through_self_attention(last, d_vector, kept[last], read[last])

        def of_word(word: tf.Tensor) -> list[MemorySums]:
            of_blocks, first = [], word
            back = SentBack(*(part[word : word + 1] for part in sent))
            for index in reversed(range(last)):
                d_vector = self._at_words_before(back, kept[index + 1].up_to(word + 1).own, first)
                of_block = kept[index].up_to(word + 1)
                of_memory, d_vector = self._through_block(index, d_vector, of_block, memory, each=False)
                of_blocks.append(of_memory)
                if index > 0:
                    back, first = self._through_self_attention(index, d_vector, of_block, read[index]), 0
            return of_blocks[::-1]

        signature = tf.nest.map_structure(lambda part: tf.TensorSpec(part.shape[1:], tf.float32), sums)
        of_blocks = tf.map_fn(
            of_word, tf.range(count), fn_output_signature=[signature] * last, parallel_iterations=1
        )
        return total + tf.add_n([memory.by_tokens(index, of_one) for index, of_one in enumerate(of_blocks)])

    def _read(
        self, tokens: tf.Tensor, memory: MemoryPath, points: tf.Tensor, weights: tf.Tensor
    ) -> tuple[tf.Tensor, list[OfBlock], list[tuple[tf.Tensor, ...]]]:
        """Reads a sentence at all points; its vectors are `(words, points, units)`.

        Returns:
            The last vectors; what the way back needs of each block; and what its self-attention read and
            chose: keys and values `(points, heads, words, units / heads)`, `(points, heads, words, words)`.
        """
        count = tf.shape(tokens)[0]
        causal = tf.where(tf.linalg.band_part(tf.ones((count, count), tf.bool), -1, 0), 0.0, -1e9)
        # What comes before the first look at the memory is the same at all points.
        vector = (tf.gather(self.weights["embedding"], tokens) + self.weights["positions"][:count])[:, None]
        kept, read = [], []
        for index in range(self.blocks):
            name = f"block_{index}"
            own = normalized(vector, self.epsilon)
            parts = tf.split(self._times(own[0], f"{name}/self"), 3, axis=-1)
            query, key, value = (self._points_first(part) for part in parts)
            chosen = tf.nn.softmax(tf.matmul(query, key, transpose_b=True) + causal)
            vector += self._times(self._words_first(tf.matmul(chosen, value)), f"{name}/self_output")
            asked = self._of_heads(product(own[0], self.ask[index], self.ask_bias[index]))
            if index == 0:
                vector = tf.repeat(vector, tf.shape(points)[0], axis=1)

            cross = normalized(vector, self.epsilon)
            scores, looked, seen = memory.attend(index, cross[0])
            vector += seen

            forward = normalized(vector, self.epsilon)
            wide = self._times(forward[0], f"{name}/wide")
            vector += self._times(tf.nn.relu(wide), f"{name}/narrow")
            is_open = open_shares(wide, points, weights)
            kept.append(OfBlock(own, cross, forward, scores, looked, is_open, asked))
            read.append((key, value, chosen))
        return vector, kept, read

    def _of_log_probabilities(self, vector: tf.Tensor, words: tf.Tensor) -> tf.Tensor:
        """Returns the gradient of each word's log-probability by the vector that predicts it."""
        normal, inverse = normalized(vector, self.epsilon)
        chances = tf.nn.softmax(self._times(normal, "output"))
        of_ids = tf.gather(self.transposed["output"], words)
        d_normal = of_ids[:, None] - self._back(chances, "output")
        return through_normal(d_normal, normal, inverse)

    def _through_block(
        self, index: int, d_vector: tf.Tensor, of_block: OfBlock, memory: MemoryPath, each: bool
    ) -> tuple[MemorySums, tf.Tensor]:
        """Returns gradients of those by the vectors behind a block.

        Args:
            index: the block's number.
            d_vector: these, `(words, points, units)`.
            of_block, memory: of the way forward, of the same words.
            each: whether each word is asked for by itself, else they are summed.

        Returns:
            Those by the memory, see `MemoryPath.back`, and by the vectors that looked at it.
        """
        d_wide = of_block.open * self._back(d_vector, f"block_{index}/narrow")
        d_vector += through_normal(self._back(d_wide, f"block_{index}/wide"), *of_block.forward)
        read = (of_block.cross[0], of_block.scores, of_block.looked)
        sums, d_scores = memory.back(index, d_vector, *read, each)
        if index > 0:  # else the vectors that look are the same at all points
            d_vector += through_normal(memory.back_to_words(index, d_scores), *of_block.cross)
        return sums, d_vector

    def _through_self_attention(
        self, index: int, d_vector: tf.Tensor, of_block: OfBlock, read: tuple[tf.Tensor, ...]
    ) -> SentBack:
        """Returns gradients of those by the vectors behind a block's self-attention, of the first words."""
        count = tf.shape(d_vector)[0]
        key, value, chosen = read[0][:, :, :count], read[1][:, :, :count], read[2][:, :, :count, :count]
        d_seen = self._points_first(self._back(d_vector, f"block_{index}/self_output"))
        d_scores = through_softmax(tf.matmul(d_seen, value, transpose_b=True), chosen)
        d_query = self._words_first(tf.matmul(d_scores, key))
        told = self._of_heads(product(d_vector, self.tell[index]))
        by_query = product(d_query, self.of_query[index])[:, :, None]
        itself = tf.eye(count, batch_shape=[tf.shape(key)[0], 1])
        return SentBack(
            d_vector,
            sent=tf.concat([of_block.asked, told, by_query], axis=2),
            weights=tf.transpose(tf.concat([d_scores, chosen, itself], axis=1), (2, 0, 1, 3)),
        )

    def _at_words_before(
        self, back: SentBack, own: tuple[tf.Tensor, tf.Tensor], first: tf.Tensor | int
    ) -> tf.Tensor:
        """Returns gradients by the vectors that self-attention read, `(words, points, units)`.

        Args:
            back: from the words from `first` to the last.
            own: normalized vectors of the words from 0 to the last, and what they were multiplied by.
            first: a word's place.
        """
        count, points = tf.shape(own[0])[0], tf.shape(own[0])[1]
        weights, sent = (
            tf.reshape(tf.transpose(part, (1, 0, 2, 3)), tf.stack([points, -1, size]))
            for part, size in ((back.weights[..., :count], count), (back.sent, self.units))
        )
        d_normal = tf.transpose(tf.matmul(weights, sent, transpose_a=True), (1, 0, 2))
        d_vector = through_normal(d_normal, *own)
        return tf.concat([d_vector[:first], d_vector[first:] + back.d_vector], axis=0)

    def _times(self, vector: tf.Tensor, name: str) -> tf.Tensor:
        return product(vector, self.weights[f"{name}/kernel"], self.weights[f"{name}/bias"])

    def _back(self, gradient: tf.Tensor, name: str) -> tf.Tensor:
        return product(gradient, self.transposed[name])

    def _of_heads(self, vector: tf.Tensor) -> tf.Tensor:
        """Returns `(words, points, heads, units)` of `(words, points, heads * units)`."""
        size = vector.shape[-1] // self.heads
        return tf.reshape(vector, tf.concat([tf.shape(vector)[:-1], [self.heads, size]], axis=0))

    def _points_first(self, vector: tf.Tensor) -> tf.Tensor:
        """Returns `(points, heads, words, units / heads)` of `(words, points, units)`."""
        return tf.transpose(self._of_heads(vector), (1, 2, 0, 3))

    def _words_first(self, of_heads: tf.Tensor) -> tf.Tensor:
        """Undoes `_points_first`."""
        vector = tf.transpose(of_heads, (2, 0, 1, 3))
        return tf.reshape(vector, tf.concat([tf.shape(vector)[:2], [self.units]], axis=0))
