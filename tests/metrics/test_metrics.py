"""BLEU, CIDEr, ROUGE-L, `score` and `format_table`."""

import math
import random
import warnings
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interpnet_tf import metrics
from interpnet_tf.metrics.tokenize import words

CUB = Path(__file__).resolve().parents[3] / "shared" / "data" / "cub"
WITHOUT_JAVA = [name for name in metrics.METRICS if name != "meteor"]

word = st.sampled_from(["red", "blue", "bird", "with", "a", "big", "bill"])
sentence = st.lists(word, min_size=1, max_size=9).map(" ".join)
references_of_one = st.lists(sentence, min_size=1, max_size=4)
corpus = st.lists(st.tuples(sentence | st.just(""), references_of_one), min_size=1)
four_words_or_more = st.lists(word, min_size=4, max_size=9).map(" ".join)


# --- words ---


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A red, small bird.", "a red , small bird ."),
        ("the bird's bill isn't red .", "the bird 's bill is n't red ."),
        ("  two\nlines ", "two lines"),
        ("", ""),
    ],
)
def test_words_are_those_of_word_tokenize_in_lower_case(text, expected):
    assert " ".join(words(text)) == expected


# --- BLEU ---


def test_bleu_by_hand():
    # 3 of 4 words, 2 of 3 pairs, 1 of 2 triples and 0 of 1 quadruples match; the lengths are equal.
    scores = metrics.bleu(["the black bird sings"], [["the black bird flies"]])
    assert scores == pytest.approx([3 / 4, math.sqrt(3 / 4 * 2 / 3), (3 / 4 * 2 / 3 * 1 / 2) ** (1 / 3), 0])


def test_bleu_clips_a_word_to_its_count_in_the_reference_that_has_it_most():
    assert metrics.bleu(["the the the"], [["the bird", "the cat the"]], max_order=1) == pytest.approx([2 / 3])


def test_bleu_penalises_brevity():
    assert metrics.bleu(["a bird"], [["a bird in blue"]], max_order=1) == pytest.approx([math.exp(1 - 4 / 2)])


def test_bleu_of_two_references_equally_close_in_length_takes_the_shorter():
    # Against the length 4, three words would cost exp(1 - 4 / 3).
    assert metrics.bleu(["a red bird"], [["red bird in a", "a bird"]], max_order=1) == [1.0]


def test_bleu_pools_the_counts_of_all_sentences():
    # 1 of 1 and 0 of 3 words: 1/4, where the mean of the sentences' precisions would be 1/2.
    assert metrics.bleu(["gull", "x y z"], [["gull"], ["a b c"]], max_order=1) == [1 / 4]


def test_bleu_refuses_an_order_of_zero():
    with pytest.raises(ValueError, match="max_order must be at least 1, got 0"):
        metrics.bleu(["a"], [["a"]], max_order=0)


@given(st.lists(st.tuples(four_words_or_more, references_of_one), min_size=1))
def test_bleu_equals_nltk(pairs):
    from nltk.translate.bleu_score import corpus_bleu

    hypotheses, references = map(list, zip(*pairs, strict=True))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nltk warns of orders without a match, and gives 1e-78 or so.
        expected = corpus_bleu(
            [[words(s) for s in sentences] for sentences in references],
            [words(h) for h in hypotheses],
            weights=[(1,), (1 / 2,) * 2, (1 / 3,) * 3, (1 / 4,) * 4],
        )
    expected = [0] * 4 if expected == 0 else expected
    assert metrics.bleu(hypotheses, references) == pytest.approx(expected, abs=1e-9)


@given(corpus)
def test_bleu_equals_coco_caption_where_there_is_a_match(pairs):
    scorer = pytest.importorskip("pycocoevalcap.bleu.bleu").Bleu(4)
    hypotheses, references = map(list, zip(*pairs, strict=True))
    expected, _ = scorer.compute_score(*_coco(hypotheses, references), verbose=0)
    scores = metrics.bleu(hypotheses, references)
    assert [a for a, b in zip(scores, expected, strict=True) if a] == pytest.approx(
        [b for a, b in zip(scores, expected, strict=True) if a], rel=1e-6
    )
    # Without a match, coco-caption gives a root of its constants, 1e-15 and 1e-9, and not 0.
    assert all(b < 0.04 for a, b in zip(scores, expected, strict=True) if not a)


def test_a_hypothesis_too_short_for_an_n_gram_has_none():
    # 4 of 4 words, but only the second hypothesis has pairs: 2 of 2. nltk would count 2 of 3.
    assert metrics.bleu(["gull", "a red bird"], [["gull"], ["a red bird"]], max_order=2) == [1.0, 1.0]


# --- CIDEr ---


def test_cider_by_hand():
    # idf: red, blue, "red bird", "blue bird" and the unknown "red red" ln 2; bird 0. First example:
    # words (2 ln 2) against (ln 2), cosine 1; pairs (ln 2, ln 2) against (0, ln 2), cosine 1/sqrt(2);
    # no triples in the reference. Second example: nothing in common but "bird", which weighs nothing.
    hypotheses, references = ["red red bird", "red bird"], [["red bird"], ["blue bird"]]
    assert metrics.cider_sentences(hypotheses, references) == pytest.approx(
        [10 * (1 + 1 / math.sqrt(2)) / 4, 0]
    )
    # Clipped, the words give min(2, 1) * 1 / (2 * 1); one word too many costs exp(-1 / 72).
    expected = 10 * (1 / 2 + 1 / math.sqrt(2)) / 4 * math.exp(-1 / 72)
    assert metrics.cider_d_sentences(hypotheses, references) == pytest.approx([expected, 0])
    assert metrics.cider(hypotheses, references) == pytest.approx(10 * (1 + 1 / math.sqrt(2)) / 8)
    assert metrics.cider_d(hypotheses, references) == pytest.approx(expected / 2)


def test_cider_is_the_mean_over_the_references():
    # "red" is alone in example 0: idf ln 2, cosine 1 with the first reference and 0 with the others.
    scores = metrics.cider_sentences(["red", "gull"], [["red", "crow", "finch", "dove"], ["wren"]])
    assert scores == pytest.approx([10 / 4 / 4, 0])


def test_cider_of_a_single_example_is_zero():
    # Every n-gram of the references is in every example: idf ln 1.
    assert metrics.cider(["a red bird"], [["a red bird"]]) == 0
    assert metrics.cider_d(["a red bird"], [["a red bird"]]) == 0


@given(corpus)
def test_cider_d_equals_coco_caption(pairs):
    scorer = pytest.importorskip("pycocoevalcap.cider.cider").Cider()
    hypotheses, references = map(list, zip(*pairs, strict=True))
    _, expected = scorer.compute_score(*_coco(hypotheses, references))
    assert metrics.cider_d_sentences(hypotheses, references) == pytest.approx(list(expected), abs=1e-9)


@given(corpus)
def test_cider_lies_between_0_and_10_and_a_repeated_reference_changes_nothing(pairs):
    hypotheses, references = map(list, zip(*pairs, strict=True))
    for metric in (metrics.cider_sentences, metrics.cider_d_sentences):
        scores = metric(hypotheses, references)
        assert all(0 <= score < 10 + 1e-9 for score in scores)
        assert metric(hypotheses, [s * 2 for s in references]) == pytest.approx(scores)


# --- ROUGE-L ---


def test_rouge_l_by_hand():
    # "a _ c d" is common: precision 3/4, recall 1; (1 + 1.44) * 0.75 / (1 + 1.44 * 0.75).
    assert metrics.rouge_l_sentences(["a b c d"], [["a c d"]]) == pytest.approx([2.44 * 0.75 / 2.08])


def test_rouge_l_takes_precision_and_recall_each_from_its_best_reference():
    # Recall 1 of the first reference, precision 1 of the second.
    assert metrics.rouge_l(["x y"], [["x", "x y z w"]]) == 1.0


@given(corpus)
def test_rouge_l_equals_coco_caption(pairs):
    scorer = pytest.importorskip("pycocoevalcap.rouge.rouge").Rouge()
    hypotheses, references = map(list, zip(*pairs, strict=True))
    _, expected = scorer.compute_score(*_coco(hypotheses, references))
    assert metrics.rouge_l_sentences(hypotheses, references) == pytest.approx(list(expected))


# --- score ---


@given(corpus, st.randoms(use_true_random=False))
def test_scores_do_not_depend_on_the_order_of_examples_or_references(pairs, generator):
    shuffled = [(h, generator.sample(sentences, len(sentences))) for h, sentences in pairs]
    generator.shuffle(shuffled)
    expected = metrics.score(*map(list, zip(*pairs, strict=True)), metrics=WITHOUT_JAVA)
    assert metrics.score(*map(list, zip(*shuffled, strict=True)), metrics=WITHOUT_JAVA) == pytest.approx(
        expected
    )


def test_perfect_sentences_score_full_marks():
    sentences = ["this is a red bird .", "that was one black crow !"]
    scores = metrics.score(sentences, [[s, "something else"] for s in sentences], metrics=WITHOUT_JAVA)
    assert scores.pop("cider") == pytest.approx(5)  # 10 with one reference, 0 with the other
    assert scores.pop("cider_d") == pytest.approx(5)
    assert scores == pytest.approx(dict.fromkeys(set(WITHOUT_JAVA) - {"cider", "cider_d"}, 1))


def test_empty_hypotheses_score_zero():
    scores = metrics.score(["", "  "], [["a red bird"], ["a crow"]], metrics=WITHOUT_JAVA)
    assert scores == dict.fromkeys(WITHOUT_JAVA, 0)


def test_score_returns_what_was_asked_for_in_the_order_of_metrics():
    assert list(metrics.score(["a"], [["a"]], metrics=["rouge_l", "bleu_2"])) == ["bleu_2", "rouge_l"]


@pytest.mark.parametrize(
    ("hypotheses", "references", "message"),
    [
        ([], [], "at least one sentence"),
        (["a"], [["a"], ["b"]], "1 hypotheses and references of 2 examples"),
        ("a bird", [["a"]], "hypotheses must be a list .* got str 'a bird'"),
        ([["a"]], [["a"]], r"hypotheses\[0\] must be a string, got list"),
        (["a", None], [["a"], ["b"]], r"hypotheses\[1\] must be a string, got NoneType"),
        (["a"], ["a bird"], r"references\[0\] must be a list of sentences, got str 'a bird'"),
        (["a", "b"], [["a"], []], r"references\[1\] has no sentence; leave out"),
        (["a"], [["a", " "]], r"references\[0\]\[1\] must be a non-empty string, got str ' '"),
        (["a"], [[b"a"]], r"references\[0\]\[0\] must be a non-empty string, got bytes"),
    ],
)
@pytest.mark.parametrize(
    "metric",
    [
        metrics.bleu,
        metrics.cider,
        metrics.cider_d,
        metrics.meteor,
        metrics.rouge_l,
        metrics.score,
        metrics.score_columns,
    ],
)
def test_wrong_sentences_are_named(metric, hypotheses, references, message):
    with pytest.raises(ValueError, match=message):
        metric(hypotheses, references)


@pytest.mark.parametrize("wrong", ["rouge", ["bleu_4", "rouge"], [], [3]])
def test_score_refuses_unknown_metrics(wrong):
    with pytest.raises(
        ValueError, match=r"metrics must be some of meteor, .*; got (rouge|bleu_4, rouge|none|3)$"
    ):
        metrics.score(["a"], [["a"]], metrics=wrong)


def test_score_columns_uses_the_first_references_and_all_where_there_are_fewer():
    # With one reference each 1 of 2 words match; with two, "b" is there too; the second has only one.
    columns = metrics.score_columns(["b", "c"], [["a", "b"], ["c"]], (1, 2), metrics=["bleu_1"])
    assert columns == {1: {"bleu_1": 0.5}, 2: {"bleu_1": 1.0}}


@pytest.mark.parametrize("wrong", [0, -1, 2.5])
def test_score_columns_refuses_a_wrong_count(wrong):
    with pytest.raises(ValueError, match="reference_counts must be whole numbers of at least 1, got"):
        metrics.score_columns(["a"], [["a"]], (5, wrong))


# --- tables ---


def test_format_table_is_right_aligned_and_times_100():
    rows = {"GVE": {"meteor": 0.292, "bleu_4": None}, "a longer name": {"meteor": 1.0, "accuracy": 0.8149}}
    assert metrics.format_table(rows, ["meteor", "bleu_4", "accuracy"]).split("\n") == [
        "               METEOR  BLEU-4  accuracy",
        "GVE              29.2     n/a       n/a",
        "a longer name   100.0     n/a      81.5",
    ]


def test_format_table_refuses_a_column_that_no_row_has():
    with pytest.raises(ValueError, match="no row has 'bleu'; the rows have bleu_4"):
        metrics.format_table({"a": {"bleu_4": 0.1}}, ["bleu"])
    with pytest.raises(ValueError, match="at least one row"):
        metrics.format_table({}, ["bleu_4"])


# --- parity on real sentences ---


@pytest.mark.slow
@pytest.mark.skipif(not CUB.exists(), reason="needs CUB's sentences in ../shared/data/cub")
@pytest.mark.parametrize("kind", ["human", "constant", "shuffled"])
def test_real_sentences_score_as_in_coco_caption_and_nltk(kind):
    bleu_scorer = pytest.importorskip("pycocoevalcap.bleu.bleu").Bleu(4)
    cider_scorer = pytest.importorskip("pycocoevalcap.cider.cider").Cider()
    rouge_scorer = pytest.importorskip("pycocoevalcap.rouge.rouge").Rouge()
    from nltk.translate.bleu_score import corpus_bleu

    hypotheses, references = real_set(kind)
    assert len(hypotheses) >= 300
    scores = metrics.score(hypotheses, references, metrics=WITHOUT_JAVA)

    coco = _coco(hypotheses, references)
    expected = {f"bleu_{n}": v for n, v in enumerate(bleu_scorer.compute_score(*coco, verbose=0)[0], start=1)}
    expected |= {
        "cider_d": cider_scorer.compute_score(*coco)[0],
        "rouge_l": rouge_scorer.compute_score(*coco)[0],
    }
    assert {name: scores[name] for name in expected} == pytest.approx(expected, abs=1e-6)
    tokens = [[words(s) for s in sentences] for sentences in references]
    assert scores["bleu_4"] == pytest.approx(corpus_bleu(tokens, list(map(words, hypotheses))), abs=1e-9)


def real_set(kind):
    """Every third of the 1,147 test images with sentences, with one sentence said of each."""
    from interpnet_tf.data import cub

    references = cub.load(CUB, "test").explained().explanations[::3]
    if kind == "human":
        return metrics.human_row(references)
    if kind == "constant":
        return [metrics.most_frequent_sentence(references)] * len(references), references
    hypotheses = [sentences[0] for sentences in references]
    random.Random(0).shuffle(hypotheses)
    return hypotheses, references


def _coco(hypotheses, references):
    """What coco-caption takes: references and hypotheses by key, each a text of tokens."""

    def text(s):
        return " ".join(words(s))

    return (
        {i: [text(s) for s in sentences] for i, sentences in enumerate(references)},
        {i: [text(hypothesis)] for i, hypothesis in enumerate(hypotheses)},
    )
