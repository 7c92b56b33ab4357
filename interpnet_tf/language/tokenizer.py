"""`ExplanationTokenizer`: sentences to word ids and back."""

from __future__ import annotations

import collections
import json
import os
from collections.abc import Iterable
from typing import Any

import keras
import tensorflow as tf

from interpnet_tf.language import text
from interpnet_tf.support.atomic import write_atomically
from interpnet_tf.support.errors import reading
from interpnet_tf.support.json_files import read_record

SPECIAL_TOKENS = ("[pad]", "[start]", "[end]", "[unknown]")


@keras.saving.register_keras_serializable(package="interpnet_tf")
class ExplanationTokenizer:
    """Turns sentences into ids of words and punctuation marks, and ids into readable sentences.

    Text is normalised (NFKC; byte order marks and other characters that nobody sees are dropped), put in
    lower case and cut into words and punctuation with tensorflow-text.
    The way back uses plain TensorFlow ops only, so that it can be part of an exported graph.

    Args:
        vocabulary: the words, in the order of their ids, without the special tokens. Usually left out:
            `adapt` finds them.
        minimum_count: a word that `adapt` sees less often is left to the unknown id.
        maximum_words: `adapt` keeps at most this many words, the most frequent; `None` keeps all.

    Attributes:
        pad_id: 0, which fills up the rows of shorter sentences.
        start_id: 1, before the first word.
        end_id: 2, behind the last.
        unknown_id: 3, of words that are not in the vocabulary.

    Example:

    >>> tokenizer = ExplanationTokenizer().adapt(["A red crown, and a short bill."])
    >>> tokenizer.tokenize(["a short, red bill."]).to_list()
    [[4, 11, 5, 10, 8, 6]]
    >>> tokenizer.detokenize([[4, 11, 5, 10, 8, 6, 2, 0]])
    ['a short, red bill.']
    """

    pad_id, start_id, end_id, unknown_id = range(len(SPECIAL_TOKENS))

    def __init__(
        self,
        vocabulary: Iterable[str] | None = None,
        minimum_count: int = 1,
        maximum_words: int | None = None,
    ) -> None:
        if minimum_count < 1:
            raise ValueError(f"minimum_count must be at least 1, got {minimum_count}")
        if maximum_words is not None and maximum_words < 1:
            raise ValueError(f"maximum_words must be at least 1 or None, got {maximum_words}")
        self.minimum_count, self.maximum_words = minimum_count, maximum_words
        self._set_vocabulary(list(vocabulary or []))

    def _set_vocabulary(self, words: list[str]) -> None:
        if strange := [word for word in words if not isinstance(word, str)]:
            raise ValueError(f"vocabulary must be words, got {strange[:5]}")
        if repeated := [word for word, count in collections.Counter(words).items() if count > 1]:
            raise ValueError(f"vocabulary names a word more than once: {repeated[:5]}")
        if special := sorted(set(words) & set(SPECIAL_TOKENS)):
            raise ValueError(f"vocabulary holds the special tokens {special}, which have ids of their own")
        self._words = [*SPECIAL_TOKENS, *words]
        self._table = None

    @property
    def vocabulary(self) -> list[str]:
        """The words in the order of their ids, without the special tokens."""
        return self._words[len(SPECIAL_TOKENS) :]

    @property
    def vocabulary_size(self) -> int:
        """Number of ids, special ones included."""
        return len(self._words)

    def split(self, sentences: Any) -> tf.RaggedTensor:
        """Normalises sentences and cuts them into words and punctuation.

        Args:
            sentences: strings, `(batch,)`.

        Returns:
            Strings, `(batch, words)`, ragged.
        """
        import tensorflow_text

        words = tf.strings.regex_replace(tf.convert_to_tensor(sentences, tf.string), text.CONTROLS, " ")
        words = tf.strings.regex_replace(words, text.INVISIBLE, "")
        words = tensorflow_text.normalize_utf8(words, "NFKC")
        words = tensorflow_text.normalize_utf8(tf.strings.lower(words, encoding="utf-8"), "NFKC")
        return tensorflow_text.regex_split(words, f"{text.TOKEN}|{text.BETWEEN_TOKENS}", text.TOKEN)

    def adapt(self, sentences: Iterable[str]) -> ExplanationTokenizer:
        """Takes the vocabulary from sentences: most frequent word first, ties in alphabetical order.

        Args:
            sentences: strings, or lists of them.

        Returns:
            The tokenizer itself.

        Raises:
            ValueError: if no word is frequent enough to stay.
        """
        flat = list(flatten(sentences))
        counts: collections.Counter[str] = collections.Counter()
        for begin in range(0, len(flat), 4096):
            words = self.split(flat[begin : begin + 4096]).flat_values.numpy()
            counts.update(word.decode("utf-8") for word in words)
        kept = [word for word, count in counts.items() if count >= self.minimum_count]
        kept = sorted(kept, key=lambda word: (-counts[word], word))[: self.maximum_words]
        if not kept:
            raise ValueError(
                f"adapt found no word that occurs at least minimum_count={self.minimum_count} times in "
                f"{len(flat)} sentences; give it sentences, or lower minimum_count"
            )
        self._set_vocabulary(kept)
        return self

    def tokenize(self, sentences: Any) -> tf.RaggedTensor:
        """Returns the ids of the words of each sentence, int32 `(batch, words)`, ragged.

        Args:
            sentences: strings, `(batch,)`.

        Raises:
            ValueError: if the tokenizer has no vocabulary yet.
        """
        if not self.vocabulary:
            raise ValueError("the tokenizer has no vocabulary yet; call adapt(sentences) first")
        with tf.init_scope():
            if self._table is None:
                pairs = tf.lookup.KeyValueTensorInitializer(
                    self._words, range(len(self._words)), value_dtype=tf.int32
                )
                self._table = tf.lookup.StaticHashTable(pairs, self.unknown_id)
        return tf.ragged.map_flat_values(self._table.lookup, self.split(sentences))

    def detokenize_tensor(self, ids: Any) -> tf.Tensor:
        """Returns the sentences that ids spell, as a string tensor `(batch,)`.

        A sentence stops before its first end or pad id. Only core TensorFlow ops are used.

        Args:
            ids: int, `(batch, words)`, without the start id.
        """
        ids = tf.convert_to_tensor(ids, tf.int32)
        stops = tf.logical_or(tf.equal(ids, self.end_id), tf.equal(ids, self.pad_id))
        ended = tf.cumsum(tf.cast(stops, tf.int32), axis=1) > 0
        words = tf.where(ended, "", tf.gather(tf.constant(self._words), ids))
        sentences = tf.strings.strip(tf.strings.reduce_join(words, axis=1, separator=" "))
        for pattern, replacement in text.SPELLING:
            sentences = tf.strings.regex_replace(sentences, pattern, replacement)
        return sentences

    def detokenize(self, ids: Any) -> list[str]:
        """Returns the sentences that ids spell, as Python strings; see `detokenize_tensor`."""
        return [sentence.decode("utf-8") for sentence in self.detokenize_tensor(ids).numpy()]

    def words(self, ids: Iterable[int]) -> list[str]:
        """Returns the word of each id, up to the first end or pad id."""
        words = []
        for index in ids:
            if index in (self.end_id, self.pad_id):
                break
            words.append(self._words[index])
        return words

    def get_config(self) -> dict[str, Any]:
        return {
            "vocabulary": self.vocabulary,
            "minimum_count": self.minimum_count,
            "maximum_words": self.maximum_words,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> ExplanationTokenizer:
        return cls(**config)

    def save(self, path: str | os.PathLike) -> None:
        """Writes the tokenizer to a JSON file that `load` reads."""
        write_atomically(path, json.dumps(self.get_config(), ensure_ascii=False, indent=1) + "\n")

    @classmethod
    def load(cls, path: str | os.PathLike) -> ExplanationTokenizer:
        """Reads a tokenizer that `save` wrote.

        Raises:
            UnreadableFileError: if the file is not a tokenizer's.
        """
        kind, advice = "a tokenizer", "write it with ExplanationTokenizer.save"
        config = read_record(path, kind, advice)
        with reading(path, kind, advice):
            return cls.from_config(config)


def as_lists(sentences: Any) -> Any:
    """Returns strings in arrays, tensors, ragged tensors or columns of tables as lists, others as is."""
    for to_list in ("to_list", "to_numpy", "numpy", "tolist"):
        sentences = getattr(sentences, to_list)() if hasattr(sentences, to_list) else sentences
    return sentences


def flatten(sentences: Iterable[Any]) -> Iterable[str]:
    """Yields the strings of nested lists, arrays or tensors of strings, decoding bytes."""
    sentences = as_lists(sentences)
    if isinstance(sentences, (str, bytes)):
        sentences = [sentences]
    for item in sentences:
        if isinstance(item, bytes):
            try:
                yield item.decode("utf-8")
            except UnicodeDecodeError as error:
                raise ValueError(f"sentences must be UTF-8, got {item[:60]!r}: {error.reason}") from None
        elif isinstance(item, str):
            text.check_encodable(item, "sentences")
            yield item
        elif hasattr(item, "__iter__"):
            yield from flatten(item)
        else:
            raise ValueError(f"sentences must be strings or lists of strings, got {item!r}")
