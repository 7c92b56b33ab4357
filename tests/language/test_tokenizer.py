"""`ExplanationTokenizer`: cutting, numbering, and the way back."""

import json

import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from interpnet_tf.language.tokenizer import ExplanationTokenizer, flatten

WORDS = ["a", "red", "black-footed", "bird's", "2.5", "2", "été", ".", ",", "(", ")", "/", "#", "'", "-", '"']


def split(text: str) -> list[str]:
    return [word.decode("utf-8") for word in ExplanationTokenizer().split([text]).to_list()[0]]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("A Black-footed bird's bill.", ["a", "black-footed", "bird's", "bill", "."]),
        ("2.5 cm, 1,000 (red)!", ["2.5", "cm", ",", "1,000", "(", "red", ")", "!"]),
        ("the bird\u2019s bill", ["the", "bird\u2019s", "bill"]),  # a typographer's apostrophe
        ("red-and-white-", ["red-and-white", "-"]),
        ("tail...end.", ["tail", ".", ".", ".", "end", "."]),
        ("black/white 50%", ["black", "/", "white", "50", "%"]),
        ("ÉTÉ e\u0301", ["été", "é"]),  # lower case beyond ASCII; NFKC joins letter and accent
        ("ﬁn\tx\u00a0y", ["fin", "x", "y"]),  # NFKC opens the ligature; every kind of space cuts
        ("中文 鳥。", ["中文", "鳥", "。"]),
        ("  ", []),
        ("", []),
    ],
)
def test_split(text, words):
    assert split(text) == words


def test_adapt_orders_by_count_then_alphabet():
    tokenizer = ExplanationTokenizer().adapt(["b a a", ["c b", "A ."]])
    assert tokenizer.vocabulary == ["a", "b", ".", "c"]  # 3, 2, 1, 1 times
    assert tokenizer.vocabulary_size == 8
    assert tokenizer.tokenize(["c a d.", ""]).to_list() == [[7, 4, tokenizer.unknown_id, 6], []]


def test_adapt_limits():
    sentences = ["a a a b b c"]
    assert ExplanationTokenizer(minimum_count=2).adapt(sentences).vocabulary == ["a", "b"]
    assert ExplanationTokenizer(maximum_words=1).adapt(sentences).vocabulary == ["a"]


def test_adapting_again_forgets_the_words_before():
    tokenizer = ExplanationTokenizer().adapt(["old"])
    assert tokenizer.tokenize(["old new"]).to_list() == [[4, 3]]
    tokenizer.adapt(["new"])
    assert tokenizer.tokenize(["old new"]).to_list() == [[3, 4]]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["a", "short", ",", "red", "bill", "."], "a short, red bill."),
        (["bill", "(", "red", ")", ";", "why", "?"], "bill (red); why?"),
        (["black", "/", "white", "[", "#", "1", "]"], "black/white [#1]"),
        (["red", "[end]", "bill"], "red"),
        (["red", "[pad]", "bill"], "red"),
        (["[end]", "[pad]"], ""),
    ],
)
def test_detokenize(words, text):
    everything = dict.fromkeys(word for word in words if word not in ("[end]", "[pad]"))
    tokenizer = ExplanationTokenizer([*everything, "other"])
    special = {"[end]": tokenizer.end_id, "[pad]": tokenizer.pad_id}
    ids = [special[word] if word in special else 4 + list(everything).index(word) for word in words]
    assert tokenizer.detokenize([ids]) == [text]
    end = next((index for index, word in enumerate(words) if word in special), None)
    assert tokenizer.words(ids) == words[:end]


@settings(deadline=None, max_examples=25)
@given(st.lists(st.lists(st.sampled_from(WORDS), max_size=8), min_size=1, max_size=4))
def test_a_spelled_sentence_is_read_back_as_it_was(sentences):
    tokenizer = ExplanationTokenizer(WORDS)
    ids = [[4 + WORDS.index(word) for word in words] for words in sentences]
    padded = tf.ragged.constant(ids, dtype=tf.int32, ragged_rank=1).to_tensor(tokenizer.pad_id)
    assert tokenizer.tokenize(tokenizer.detokenize(padded)).to_list() == ids


def test_detokenize_in_a_graph_needs_no_table_and_no_tensorflow_text():
    tokenizer = ExplanationTokenizer(["red", "."])
    graph = tf.function(tokenizer.detokenize_tensor).get_concrete_function(tf.TensorSpec((None, 3), tf.int32))
    kinds = {operation.type for operation in graph.graph.get_operations()}
    assert not {kind for kind in kinds if "Table" in kind or "Normalize" in kind or "RegexSplit" in kind}
    assert graph(tf.constant([[4, 5, 2]])).numpy().tolist() == [b"red."]


def test_tokenize_in_a_pipeline():
    tokenizer = ExplanationTokenizer(["red", "."])
    ids = tf.data.Dataset.from_tensors(["red.", "blue red"]).map(tokenizer.tokenize)
    assert next(iter(ids)).to_list() == [[4, 5], [3, 4]]


def test_save_and_load(tmp_path):
    tokenizer = ExplanationTokenizer(minimum_count=2, maximum_words=9).adapt(["été été 鳥 鳥 鳥"])
    tokenizer.save(tmp_path / "words.json")
    again = ExplanationTokenizer.load(tmp_path / "words.json")
    assert again.get_config() == tokenizer.get_config()
    assert again.vocabulary == ["鳥", "été"]
    assert [path.name for path in tmp_path.iterdir()] == ["words.json"]


@pytest.mark.parametrize("content", ["not json", "[1]", json.dumps({"words": []})])
def test_load_of_another_file(tmp_path, content):
    (tmp_path / "words.json").write_text(content)
    with pytest.raises(ValueError, match=r"words\.json cannot be read as a tokenizer"):
        ExplanationTokenizer.load(tmp_path / "words.json")


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: ExplanationTokenizer(minimum_count=0), "minimum_count must be at least 1, got 0"),
        (lambda: ExplanationTokenizer(maximum_words=0), "maximum_words must be at least 1"),
        (lambda: ExplanationTokenizer(["a", "b", "a"]), r"more than once: \['a'\]"),
        (lambda: ExplanationTokenizer(["[end]"]), "special tokens"),
        (lambda: ExplanationTokenizer().adapt([]), "adapt found no word"),
        (
            lambda: ExplanationTokenizer(minimum_count=2).adapt(["a b"]),
            "minimum_count=2 times in 1 sentences",
        ),
        (lambda: ExplanationTokenizer().adapt(["a", None]), "strings or lists of strings, got None"),
        (lambda: ExplanationTokenizer().tokenize(["a"]), "call adapt"),
    ],
)
def test_errors(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def test_flatten():
    assert list(flatten("a b")) == ["a b"]
    assert list(flatten("été".encode())) == ["été"]
    assert list(flatten([["a", b"b"], (), "c"])) == ["a", "b", "c"]
    assert list(flatten(tf.ragged.constant([["a"], ["b", "c"]]).to_list())) == ["a", "b", "c"]
