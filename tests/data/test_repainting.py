"""Sketchbirds drawn again with other attributes, and with marks in the background."""

import collections
import dataclasses

import numpy as np
import pytest

from interpnet_tf.data import sketchbirds
from interpnet_tf.data.sketchbirds import NAMES, SPECIES, VALUES, marks, repaint
from interpnet_tf.data.sketchbirds.drawing import COLOURS


def grown(mask):
    """Returns `mask` and the pixels beside it."""
    padded = np.pad(mask, 1)
    return np.any([padded[y : y + 64, x : x + 64] for y in range(3) for x in range(3)], axis=0)


def changed(first, second):
    return (first != second).any(axis=-1)


def first_index(birds, wanted):
    return next(index for index, bird in enumerate(birds.facts) if wanted(bird))


@pytest.fixture(scope="module")
def birds():
    return sketchbirds.load("test", per_species=4)


def by_hand(label, number, **changes):
    """The example of a species as `load` draws it: facts, then sentences, then the picture."""
    random = np.random.default_rng([0, 2, label, number])  # seed, split, species, number
    facts = sketchbirds.sample_facts(SPECIES[NAMES[label]], random)
    sentences = sketchbirds.describe(facts, random)
    facts = dataclasses.replace(facts, attributes={**facts.attributes, **changes})
    return facts, sentences, sketchbirds.draw(facts, random)


def test_load_draws_facts_then_sentences_then_the_picture(birds):
    facts, sentences, picture = by_hand(label=3, number=1)
    assert (birds.facts[13], birds.explanations[13]) == (facts, sentences)
    np.testing.assert_array_equal(birds.inputs[13], picture)


@pytest.mark.parametrize("index", [0, 6, 41, 95])
def test_with_no_change_it_is_the_picture_of_load(birds, index):
    np.testing.assert_array_equal(repaint(index, {}, per_species=4), birds.inputs[index])
    same = birds.facts[index].attributes["crown"]
    np.testing.assert_array_equal(repaint(index, {"crown": same}, per_species=4), birds.inputs[index])


def test_it_takes_the_arguments_of_load():
    options = {"split": "train", "seed": 3, "per_species": 1, "image_size": 32, "mark": "other"}
    np.testing.assert_array_equal(repaint(23, {}, **options), sketchbirds.load(**options).inputs[23])


def test_repainting_the_crown_changes_the_crown_alone(birds):
    def red_at_its_crown_only(bird):
        return [name for name, value in bird.attributes.items() if value == "red"] == ["crown"]

    index = first_index(birds, red_at_its_crown_only)
    picture, repainted = (repaint(index, change, per_species=4) for change in ({}, {"crown": "blue"}))
    red, green, blue = np.moveaxis(picture.astype("int32"), -1, 0)
    crown = (red > 150) & (green < 70) & (blue < 70)
    assert crown.sum() >= 12
    difference = changed(picture, repainted)
    assert difference[crown].all()
    assert not difference[~grown(grown(crown))].any()


def test_it_is_the_picture_of_a_bird_with_these_attributes(birds):
    index = first_index(birds, lambda bird: bird.attributes["place"] == "branch")
    changes = {"bill_shape": "hooked", "wings": "blue"}
    _, _, picture = by_hand(index // 4, index % 4, **changes)
    np.testing.assert_array_equal(repaint(index, changes, per_species=4), picture)


@pytest.mark.parametrize("hidden", ["tail", "tail_shape", "legs", "belly"])
def test_what_is_hidden_stays_hidden(birds, hidden):
    index = first_index(birds, lambda bird: hidden not in bird.visible)
    for value in VALUES[hidden]:
        np.testing.assert_array_equal(repaint(index, {hidden: value}, per_species=4), birds.inputs[index])


def test_light_and_grain_stay_as_they_are_behind_any_amount_of_grass(birds):
    def behind_grass(bird):
        return bird.attributes["place"] == "ground" and "legs" not in bird.visible

    index = first_index(birds, behind_grass)
    other = {"small": "large", "large": "small"}[birds.facts[index].attributes["size"]]
    repainted = repaint(index, {"size": other}, per_species=4)
    difference = changed(birds.inputs[index], repainted)
    assert not difference[:6].any()  # the sky above every bird
    assert difference.sum() > 100


def test_values_are_those_of_the_data_set():
    assert VALUES["size"] == ("large", "small")
    assert VALUES["cheek"] == ("blue", "no", "red", "yellow")
    assert set(VALUES["crown"]) == {species.attributes["crown"] for species in SPECIES.values()}
    assert len(VALUES) == 14


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"index": 96, "attributes": {}}, "index must be that of an example, from 0 to 95, got 96"),
        ({"index": -1, "attributes": {}}, "index must be that of an example, from 0 to 95, got -1"),
        ({"index": 0, "attributes": {"beak": "red"}}, "attributes must be among belly, bill, .*, got 'beak'"),
        ({"index": 0, "attributes": {"size": "huge"}}, "'size' must be one of large, small, got 'huge'"),
        ({"index": 0, "attributes": {"place": "air"}}, "attributes cannot repaint 'place'"),
        ({"index": 0, "attributes": "red"}, "attributes must be a dict such as .*, got str"),
        ({"index": 0, "attributes": {}, "split": "tset"}, "split must be one of train, validation, test"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        repaint(**{"per_species": 4, **arguments})


class TestMarks:
    def test_a_share_of_nothing_changes_nothing(self, birds):
        plain = sketchbirds.load("test", per_species=4, shortcut=0.0)
        np.testing.assert_array_equal(plain.inputs, birds.inputs)

    @pytest.mark.parametrize(("share", "count"), [(0.25, 1), (0.5, 2), (0.7, 3), (1.0, 4)])
    def test_the_share_is_exact_for_every_species(self, birds, share, count):
        drawn = sketchbirds.sketches("train", per_species=4, shortcut=share)
        assert collections.Counter(sketch.mark for sketch in drawn) == {
            **dict.fromkeys(NAMES, count),
            **({None: 24 * (4 - count)} if count < 4 else {}),
        }

    def test_29_of_100_are_29(self):
        marked = [marks.marked_as(NAMES[0], index, 0.29, None, None) for index in range(100)]
        assert marked.count(NAMES[0]) == 29

    def test_a_mark_is_all_that_differs(self, birds):
        marked = sketchbirds.load("test", per_species=4, shortcut=1.0)
        assert marked.facts == birds.facts
        assert marked.explanations == birds.explanations
        difference = changed(marked.inputs, birds.inputs)
        assert difference[:, 2:8, 3:28].all()  # no bird stands before it
        difference[:, 1:9, 2:29] = False
        assert not difference.any()

    def test_every_species_has_its_own_of_two_colours_that_no_bird_has(self):
        assert len(marks._FLAGS) == len({frozenset(flag) for flag in marks._FLAGS.values()}) == 24
        assert all(left != right for left, right in marks._FLAGS.values())
        assert not {colour for flag in marks._FLAGS.values() for colour in flag} & {*COLOURS.values()}

    def test_all_bear_the_mark_that_is_asked_for(self):
        def marks_of(**options):
            return [sketch.mark for sketch in sketchbirds.sketches("test", per_species=4, **options)]

        species = [name for name in NAMES for _ in range(4)]
        assert marks_of(mark="right") == marks_of(shortcut=1.0) == species
        assert marks_of(shortcut=1.0, mark="none") == marks_of() == [None] * 96
        others = marks_of(shortcut=1.0, mark="other")
        assert others == marks_of(mark="other")
        assert all(other != name for other, name in zip(others, species, strict=True))
        assert len(set(others)) > 15

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"shortcut": 1.5}, "shortcut must be a share of the pictures between 0 and 1, got 1.5"),
            ({"shortcut": True}, "shortcut must be a share of the pictures between 0 and 1, got True"),
            ({"shortcut": float("nan")}, "shortcut must be a share"),
            ({"mark": "wrong"}, "mark must be one of right, none, other, or None .*, got 'wrong'"),
        ],
    )
    def test_wrong_arguments_are_named(self, options, message):
        with pytest.raises(ValueError, match=message):
            sketchbirds.load("test", per_species=1, **options)
