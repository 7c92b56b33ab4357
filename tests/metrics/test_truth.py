"""Phrases, the table of attributes, and whether the one is true by the other."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interpnet_tf.data import cub_attributes
from interpnet_tf.data.cub_attributes import AttributeTable
from interpnet_tf.metrics.bird_words import COLOR_GROUPS, COLORS, PARTS
from interpnet_tf.metrics.phrases import parse_phrases
from interpnet_tf.metrics.truth import count_phrases, truth

CUB = Path(__file__).resolve().parents[3] / "shared" / "data" / "cub"


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("a black and white bird", "bird:black bird:white"),
        ("this bird has a long, pointy black beak.", "bill:long bill:black"),
        ("yellow crown and breast, and black and white striped wings",
         "crown:yellow breast:yellow wing:black wing:white wing:striped"),
        ("black head, bill, and wings", "head:black bill:black wing:black"),
        ("wings that are black and has an orange belly", "wing:black belly:orange"),
        ("its entire head is black, it has a short beak", "head:black bill:short"),
        ("the bill is short and pointed", "bill:short"),
        ("this bird is black with a white belly", "bird:black belly:white"),
        ("a bird with white on its wings and a red crown", "wing:white crown:red"),
        ("the bird is yellow in color with grey-brown wings", "bird:yellow wing:grey brown"),
        ("a small yellow-bellied bird", "belly:yellow bird:small"),
        ("this medium sized bird has reddish brown feathers on its back", "bird:medium back:brown"),
        ("a bird with a white eye ring and a red cheek patch", ""),
        ("red around the eyes", ""),
        ("a bird with no white wingbars and a black tail", "tail:black"),
        ("it has white markings and a black head", "head:black"),
        ("gray tail feathers and two white wing bars", "tail:gray wing:white"),
        ("a crested bird", "head:crested"),
        ("a black-crested head", "head:crested"),
        ("a small head and a long tail", ""),
        ("BLACK BIRD", "bird:black"),
        ("", ""),
    ],
)  # fmt: skip
def test_phrases_of_a_sentence(sentence, expected):
    said = [f"{phrase.part}:{phrase.word}" for phrase in parse_phrases(sentence)]
    assert " ".join(said) == expected


def test_a_phrase_lists_every_attribute_that_makes_it_true():
    (phrase,) = parse_phrases("a gray blue head")
    assert phrase.attributes == tuple(
        f"has_{group}_color::{color}" for color in ("grey", "blue") for group in ("crown", "forehead", "nape")
    )


def test_beak_and_bill_are_one():
    assert parse_phrases("a red beak") == parse_phrases("a red bill")


words = st.sampled_from(sorted(PARTS) + sorted(COLORS) + "is and , with a its on no that has . zebra".split())  # noqa: SIM905


@given(st.lists(words, max_size=15).map(" ".join))
@settings(deadline=None)
def test_any_words_give_phrases_that_are_each_said_once(sentence):
    phrases = parse_phrases(sentence)
    assert len(set(phrases)) == len(phrases)
    assert all(phrase.attributes for phrase in phrases)


@settings(deadline=None)
@given(
    st.sampled_from(sorted(part for part, groups in COLOR_GROUPS.items() if groups)),
    st.sampled_from(sorted(COLORS)),
)
def test_a_colour_of_a_part_is_read_before_and_after_it(part, color):
    word = next(word for word, of in PARTS.items() if of == part)
    assert parse_phrases(f"a {color} {word}") == parse_phrases(f"the {word} is {color}") != ()


TABLE = AttributeTable(
    ["has_bill_color::red", "has_bill_color::black", "has_crown_color::red"],
    np.array([[80.0, 15.0, 0.0], [14.9, 90.0, 50.0]]),
)


def test_truth_by_hand():
    sentences = [
        "a bird with a red and black beak",  # 80 and 15 per cent: both true
        "a red crown and a black bill",  # 50 and 90
        "a red bill and a green crown",  # 14.9; green crowns are not in the table
        "a nice bird",
    ]
    counts, true = count_phrases(sentences, np.array([0, 1, 1, 0]), TABLE)
    assert (counts.tolist(), true.tolist()) == ([2, 2, 1, 0], [2, 2, 0, 0])
    assert truth(counts, true) == {
        "phrases_true": 4 / 5,
        "sentences_with_false_phrase": 1 / 4,
        "sentences_with_phrase": 3 / 4,
        "phrases_a_sentence": 5 / 4,
    }


def test_truth_of_nothing_is_nan():
    assert math.isnan(truth(*count_phrases(["a nice bird"], np.array([0]), TABLE))["phrases_true"])


@given(st.floats(0, 100), st.floats(0, 100))
@settings(deadline=None)
def test_a_higher_threshold_makes_no_phrase_true(low, high):
    low, high = sorted((low, high))
    sentences, labels = ["a red and black bill", "a red crown"], np.array([0, 1])
    assert (
        count_phrases(sentences, labels, TABLE, low)[1] >= count_phrases(sentences, labels, TABLE, high)[1]
    ).all()


@pytest.mark.parametrize("labels", [[0, 2], [-1, 0]])
def test_a_class_that_the_table_lacks_is_an_error(labels):
    with pytest.raises(ValueError, match=r"labels must lie in 0\.\.1"):
        count_phrases(["a", "b"], np.array(labels), TABLE)


def test_one_label_an_example():
    with pytest.raises(ValueError, match=r"one an example, \(1,\), got \(2,\)"):
        count_phrases(["a"], np.array([0, 1]), TABLE)


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "CUB_200_2011"
    (folder / "attributes").mkdir(parents=True)
    (folder / "images.txt").write_text("1 001.Crow/a.jpg\n")
    (folder / "classes.txt").write_text("1 001.Crow\n2 002.Gull\n")
    (folder / "attributes.txt").write_text("1 has_size::small\n2 has_leg_color::red\n")
    (folder / "attributes/class_attribute_labels_continuous.txt").write_text("0.0 99.5\n12 3e1\n")
    return tmp_path


def test_the_table_is_read_class_by_class(root):
    table = cub_attributes.load(root)
    assert table.names == ["has_size::small", "has_leg_color::red"]
    assert table.percent.tolist() == [[0, 99.5], [12, 30]]
    assert cub_attributes.load(root / "CUB_200_2011").percent.tolist() == table.percent.tolist()


def test_names_may_lie_where_the_archive_puts_them(root):
    (root / "CUB_200_2011/attributes.txt").rename(root / "attributes.txt")
    assert cub_attributes.load(root).names[0] == "has_size::small"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0 1\n", "a line for each of 2 species, got 1"),
        ("0 1\n2\n", ":2: expected 2 numbers.*got 1"),
        ("0 1\n2 x\n", "could not convert"),
        ("0 1\n2 101\n", "must lie in 0..100, got 101.0 for class 1, attribute 'has_leg_color::red'"),
        ("0 1\n2 nan\n", "must lie in 0..100, got nan"),
    ],
)
def test_a_wrong_table_is_named(root, text, message):
    path = root / "CUB_200_2011/attributes/class_attribute_labels_continuous.txt"
    path.write_text(text)
    with pytest.raises(ValueError, match=message) as error:
        cub_attributes.load(root)
    assert path.name in str(error.value)


def test_missing_files_are_named(root):
    (root / "CUB_200_2011/attributes.txt").unlink()
    with pytest.raises(FileNotFoundError, match=r"attributes\.txt is neither in"):
        cub_attributes.load(root)
    with pytest.raises(FileNotFoundError, match="is not a folder"):
        cub_attributes.load(root / "nowhere")


@pytest.mark.parametrize(
    ("names", "percent", "message"),
    [
        (["has_size::small"], [[1.0, 2.0]], r"percent must be \(classes, 1\)"),
        (["small"], [[1.0]], "names must look like"),
        (["a::b", "a::b"], [[1.0, 1.0]], "names must differ"),
    ],
)
def test_a_table_checks_its_parts(names, percent, message):
    with pytest.raises(ValueError, match=message):
        AttributeTable(names, np.array(percent))


@pytest.mark.slow
@pytest.mark.skipif(not CUB.exists(), reason="needs CUB in ../shared/data/cub")
def test_people_tell_the_truth_about_the_species_they_see():
    from interpnet_tf.data import cub

    table = cub_attributes.load(CUB)
    assert table.percent.shape == (200, 312)
    train = cub.load(CUB, "trainval").explained()
    known = [
        {name for phrase in parse_phrases(s[0]) for name in phrase.attributes} for s in train.explanations
    ]
    assert set().union(*known) <= set(table.names) | {"has_eye_color::iridescent"}
    sentences = [sentence for example in train.explanations for sentence in example]
    labels = np.repeat(train.labels, [len(example) for example in train.explanations])
    own = truth(*count_phrases(sentences, labels, table))
    other = truth(*count_phrases(sentences, np.random.default_rng(0).permutation(labels), table))
    assert own["phrases_true"] == pytest.approx(0.92, abs=0.01)
    assert other["phrases_true"] == pytest.approx(0.63, abs=0.02)
    assert own["sentences_with_phrase"] > 0.95
