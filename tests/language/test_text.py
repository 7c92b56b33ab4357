"""The canonical form of sentences, shared by the tokenizer and the metrics, and names in one form."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from odd_sentences import WRITTEN

from interpnet_tf import metrics
from interpnet_tf.language.text import canonical, clean_name
from interpnet_tf.language.tokenizer import ExplanationTokenizer


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("A  Bird ,red .", "a bird, red."),
        ("e\u0301t\u00e9", "\u00e9t\u00e9"),
        ("\ufeffa red\u200b bird", "a red bird"),
        ("a red\0bird", "a red bird"),
        ("so\u00adft", "soft"),
        ("e.g. a crow", "e.g. a crow"),
        ("tail.a wing", "tail. a wing"),
        ("\ufb01n", "fin"),
        # The non-joiner within a Persian word stays, one that joins nothing goes.
        (
            "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645 \u200c.",
            "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645.",
        ),
        ("\u200b\u200d\ufeff", ""),
    ],
)
def test_canonical(written, expected):
    assert canonical(written) == expected
    assert canonical(expected) == expected


@pytest.mark.parametrize("written", WRITTEN)
def test_a_sentence_said_as_it_was_written_scores_1(written):
    tokenizer = ExplanationTokenizer().adapt([written])
    said = tokenizer.detokenize(tokenizer.tokenize([written]).to_tensor())
    scores = metrics.score([*said, "x y z w"], [[written], ["x y z w"]], ["bleu_1", "rouge_l"])
    assert scores == pytest.approx({"bleu_1": 1, "rouge_l": 1})


def known_to_both(text: str) -> bool:
    """Whether Python's and TensorFlow's tables of characters can be expected to agree on `text`."""
    # Newer scripts differ between versions of Unicode; private and unassigned characters are nobody's words.
    return all(ord(c) < 0x2C00 and unicodedata.category(c) not in ("Cn", "Co", "Cs") for c in text)


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=30).filter(known_to_both))
def test_the_tokenizer_cuts_and_spells_as_canonical_does(text):
    words = [word.decode() for word in ExplanationTokenizer().split([text]).to_list()[0]]
    if not words:
        assert canonical(text) == ""
        return
    tokenizer = ExplanationTokenizer(dict.fromkeys(words))
    assert tokenizer.detokenize(tokenizer.tokenize([text]).to_tensor()) == [canonical(text)]


@pytest.mark.parametrize("written", WRITTEN)
def test_the_tokenizer_cuts_and_spells_these_as_canonical_does(written):
    test_the_tokenizer_cuts_and_spells_as_canonical_does.hypothesis.inner_test(written)


@pytest.mark.parametrize("name", ["Me\u0301sange", "\ufeffM\u00e9sange", " M\u00e9\u200bsange "])
def test_names_that_look_the_same_are_the_same(name):
    assert clean_name(name) == "M\u00e9sange"


def test_words_that_nobody_sees_are_not_learnt():
    sentences = ["\ufeffa red\0 bird with wings.", "a\u200b red bird\u200d."]
    assert ExplanationTokenizer().adapt(sentences).vocabulary == [".", "a", "bird", "red", "wings", "with"]


@pytest.mark.parametrize("sentence", ["a \ud800 bird", b"a \xff bird"])
def test_what_is_no_text_is_refused(sentence):
    with pytest.raises(ValueError, match=r"^sentences.*(surrogate|UTF-8)"):
        ExplanationTokenizer().adapt([sentence])


def test_an_invisible_reference_is_empty():
    with pytest.raises(ValueError, match=r"references\[0\]\[0\] must be a non-empty string"):
        metrics.score(["a bird"], [["\u200b"]], ["rouge_l"])
