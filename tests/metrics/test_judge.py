"""`Judge`: the columns of a row."""

import dataclasses
import math

import numpy as np
import pytest

from interpnet_tf import ExplanationDataset, metrics
from interpnet_tf.data import sketchbirds
from interpnet_tf.data.cub_attributes import AttributeTable
from interpnet_tf.metrics import Judge
from interpnet_tf.metrics import ngram_scores as module

NAMES = ["crow", "gull", "robin", "wren"]
SAID = [
    ["a black bird with a black bill .", "this bird is all black ."],
    ["a white bird with an orange bill .", "the bird is white and has a long bill ."],
    ["a red bird with a small bill .", "this bird has a red belly ."],
]
PREDICTIONS = np.array([0, 2, 2, 3, 1, 0])
ATTRIBUTES = AttributeTable(
    ["has_primary_color::black", "has_primary_color::white", "has_primary_color::red"],
    [[99, 0, 0], [5, 90, 0], [10, 0, 80], [0, 0, 0]],
)


def birds(copies: int) -> ExplanationDataset:
    """Three classes with sentences, of the first three of four, and one example without at the end."""
    labels = [*([0, 1, 2] * copies), 3]
    features = np.eye(4, dtype="float32")[labels] + 0.01
    explanations = [*(SAID * copies), []]
    return ExplanationDataset(features, labels, NAMES, explanations, [f"{i}.jpg" for i in range(len(labels))])


@pytest.fixture
def meteor_calls(monkeypatch):
    """Replaces METEOR by the number of references / 4, and counts its calls."""
    calls = []

    def meteor(hypotheses, references):
        calls.append(len(hypotheses))
        return [len(sentences) / 4 for sentences in references]

    monkeypatch.setattr(module, "meteor_sentences", meteor)
    monkeypatch.setattr(module, "meteor_unavailable", lambda: None)
    return calls


@pytest.fixture(scope="module")
def judge():
    return Judge(birds(3), birds(2), ATTRIBUTES, metrics=["bleu_4", "cider_d"], reference_counts=(1, 2))


def test_examples_without_sentences_are_left_out(judge):
    assert judge.test.ids == [f"{i}.jpg" for i in range(6)]


def test_columns_are_those_of_their_own_functions(judge):
    said = [sentences[1] for sentences in judge.test.explanations]
    row = judge.columns(said, PREDICTIONS)
    for count in (1, 2):
        references = [sentences[:count] for sentences in judge.test.explanations]
        assert row[f"cider_d_{count}"] == pytest.approx(metrics.cider_d(said, references))
        assert row[f"bleu_4_{count}"] == pytest.approx(metrics.bleu(said, references)[3])
    assert row["accuracy"] == 3 / 6
    assert row["read_back_species"] == 1
    # The readers name the true species; the fourth prediction is of a species nobody described.
    assert row["read_back_predicted"] == 3 / 5
    assert (row["read_back_predicted_right"], row["read_back_predicted_wrong"]) == (1, 0)
    assert row["predicted_unreadable"] == pytest.approx(1 / 6)
    assert row["read_back_held_out"] == 1
    assert row["class_rank"] == 1
    # Both examples of a class have the same sentences, and share places 1 and 2.
    assert (row["retrieval_at_1"], row["retrieval_at_10"], row["retrieval_median_rank"]) == (0, 1, 1.5)
    # "all black", "white", and a red belly, of which this table knows nothing.
    assert (row["phrases_true"], row["sentences_with_phrase"]) == (1, pytest.approx(4 / 6))
    assert (row["distinct_sentences"], row["new_share"]) == (3, 0)


def test_columns_come_in_one_order(judge):
    said = [sentences[0] for sentences in judge.test.explanations]
    full, short = judge.columns(said, PREDICTIONS), judge.columns(said)
    assert [name for name in full if name in short] == list(short)
    assert set(full) - set(short) == {
        "accuracy",
        "read_back_predicted",
        "read_back_predicted_right",
        "read_back_predicted_wrong",
        "predicted_unreadable",
    }
    named = Judge.columns.__doc__
    assert all(f"`{name}`" in named for name in full if not name.endswith(("_1", "_2")))


def test_scores_of_examples_add_up_to_the_columns(judge):
    said = [
        "a black bird with a bill .",
        "it is white",
        "",
        "black",
        "a red bird .",
        "the bird has a red bill",
    ]
    row, scores = judge.columns(said, PREDICTIONS), judge.per_example(said, PREDICTIONS)
    assert {len(values) for values in scores.values()} == {6}
    assert scores["cider_d"].mean() == pytest.approx(row["cider_d_2"])
    assert metrics.bootstrap.bleu_4(scores["bleu_counts"].T) == pytest.approx(row["bleu_4_2"])
    for name in ("read_back_species", "read_back_held_out", "class_similarity", "class_rank"):
        assert scores[name].mean() == pytest.approx(row[name])
    assert np.nanmean(scores["read_back_predicted"]) == pytest.approx(row["read_back_predicted"])
    assert np.isnan(scores["read_back_predicted"]).tolist() == [False] * 3 + [True] + [False] * 2
    assert np.median(scores["retrieval_rank"]) == row["retrieval_median_rank"]
    assert scores["phrases_true"].sum() / scores["phrases"].sum() == pytest.approx(row["phrases_true"])


def test_yardsticks(judge):
    rows = judge.yardstick_rows()
    assert list(rows) == ["constant", "nearest_neighbour", "random_sentence_of_class", "human"]
    # Of equally frequent sentences the constant one is the first; only crows are black.
    assert rows["constant"]["read_back_species"] == pytest.approx(1 / 3)
    assert rows["constant"]["retrieval_at_1"] == 0
    sentences = judge.yardstick_sentences()
    for index, label in enumerate(judge.test.labels):
        assert sentences["nearest_neighbour"][0][index] in SAID[label]
        assert sentences["random_sentence_of_class"][0][index] in SAID[label]
    hypotheses, others = sentences["human"]
    assert (hypotheses[0], others[0]) == (SAID[0][0], [SAID[0][1]])
    assert rows["human"]["cider_d_2"] == pytest.approx(metrics.cider_d(hypotheses, others))


def test_a_person_is_no_reference_of_his_own(judge):
    # Against all references the image is found; the sentence itself is not among those of the human row.
    hypotheses, others = judge.yardstick_sentences()["human"]
    own = judge.per_example(hypotheses)["class_similarity"]
    assert (judge.per_example(hypotheses, references=others)["class_similarity"] < own).all()


def test_features_may_be_given_and_pictures_have_no_neighbours():
    pictures = [
        dataclasses.replace(part, inputs=np.zeros((len(part), 2, 2, 3), "uint8"))
        for part in (birds(2), birds(1))
    ]
    judge = Judge(*pictures, metrics=["cider_d"])
    assert "nearest_neighbour" not in judge.yardstick_sentences()
    # With a single test example of each class none can be held out.
    assert "read_back_held_out" not in judge.columns(["a bird"] * 3)
    features = [part.inputs for part in (birds(2), birds(1))]
    said = Judge(*pictures, metrics=["cider_d"], features=features).yardstick_sentences()[
        "nearest_neighbour"
    ][0]
    assert [sentence in SAID[label] for label, sentence in enumerate(said)] == [True] * 3


def test_meteor_runs_once_for_all_columns_of_a_row(meteor_calls):
    judge = Judge(birds(2), birds(2), metrics=["meteor"], reference_counts=(1, 2))
    said = ["a bird"] * 6
    row = judge.columns(said)
    assert (row["meteor_1"], row["meteor_2"]) == (0.25, 0.5)
    assert judge.per_example(said)["meteor"].tolist() == [0.5] * 6
    assert meteor_calls == [12]
    judge.columns(["a crow"] * 6)
    assert meteor_calls == [12, 12]


def test_without_java_the_other_columns_remain(monkeypatch):
    monkeypatch.setattr(module, "meteor_unavailable", lambda: "no java")
    judge = Judge(birds(2), birds(2), metrics=["meteor", "bleu_1"])
    with pytest.warns(UserWarning, match="METEOR is not computed: no java"):
        row = judge.columns(["a bird"] * 6)
    assert row["meteor_10"] is None
    assert row["bleu_1_10"] > 0
    with pytest.warns(UserWarning, match="no java"):
        assert "meteor" not in judge.per_example(["a bird"] * 6)


def test_facts_are_judged_where_the_data_set_has_them():
    train, test = (sketchbirds.load(split, per_species=2) for split in ("train", "test"))
    row = Judge(train, test, metrics=["bleu_4"]).columns([sentences[0] for sentences in test.explanations])
    assert row["attribute_precision"] == 1
    assert 0 < row["attribute_recall"] < 1
    assert not any("phrase" in name for name in row)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda judge: judge.columns(["a"] * 7), "each of the 6 examples of judge.test.*got 7"),
        (lambda judge: judge.columns([None] * 6), r"hypotheses\[0\] must be a string"),
        (lambda judge: judge.columns(["a"] * 6, PREDICTIONS[:5]), r"predictions must be .*\(6,\).*\(5,\)"),
        (lambda judge: judge.columns(["a"] * 6, PREDICTIONS / 2), "whole class ids.*got float64"),
        (lambda judge: judge.columns(["a"] * 6, references=[["a"]]), "references of 1 examples"),
        (lambda judge: Judge(birds(1), birds(1).subset([3])), "no example of test has a sentence"),
        (
            lambda judge: Judge(birds(1).subset([0, 1]), birds(1)),
            r"class 2 of test \(robin\) has no training",
        ),
        (
            lambda judge: Judge(birds(1), dataclasses.replace(birds(1), class_names=NAMES[::-1])),
            "same class_names",
        ),
        (
            lambda judge: Judge(birds(1), birds(1), AttributeTable(["a::b"], [[1.0]])),
            "a row for each of 4 classes, got 1",
        ),
    ],
)
def test_wrong_arguments_are_named(judge, call, message):
    with pytest.raises(ValueError, match=message):
        call(judge)


def test_a_share_of_nothing_is_nan(judge):
    row = judge.columns(["a nice bird"] * 6, judge.test.labels)
    assert math.isnan(row["phrases_true"])
    assert math.isnan(row["read_back_predicted_wrong"])
