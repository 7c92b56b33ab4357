import collections
import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interpnet_tf.data import sketchbirds
from interpnet_tf.data.sketchbirds import NAMES, SPECIES, VARYING, parse_facts, render, sample_facts
from interpnet_tf.data.sketchbirds.drawing import COLOURS
from interpnet_tf.data.sketchbirds.lexicon import part_of


@pytest.fixture(scope="module")
def birds():
    return sketchbirds.load("validation")


def any_bird(label, seed):
    return sample_facts(SPECIES[NAMES[label]], np.random.default_rng(seed))


some_bird = st.builds(any_bird, st.integers(0, 23), st.integers(0, 10**6))


class TestSpecies:
    def test_there_are_24_species_8_pairs_of_them_twins(self):
        assert len(NAMES) == 24
        assert sum(species.twin is not None for species in SPECIES.values()) == 16

    @pytest.mark.parametrize("species", [s for s in SPECIES.values() if s.twin], ids=lambda s: s.name)
    def test_twins_differ_in_the_one_attribute_named(self, species):
        twin = SPECIES[species.twin]
        assert (twin.twin, twin.distinguishing) == (species.name, species.distinguishing)
        assert [name for name in species.attributes if species.attributes[name] != twin.attributes[name]] == [
            species.distinguishing
        ]

    def test_species_other_than_twins_differ_in_more(self):
        for species in SPECIES.values():
            for other in SPECIES.values():
                different = species.attributes.items() ^ other.attributes.items()
                if other.name not in (species.name, species.twin):
                    assert len({name for name, _ in different}) > 1

    @pytest.mark.parametrize("species", SPECIES.values(), ids=lambda s: s.name)
    def test_every_bird_has_every_attribute(self, species):
        all_attributes = {
            *(
                "size",
                "bill_shape",
                "bill",
                "crown",
                "cheek",
                "eye_ring",
                "breast_pattern",
                "breast",
                "belly",
            ),
            *("wings", "wing_bars", "tail_shape", "tail", "legs", "place"),
        }
        assert species.attributes.keys() | species.varying.keys() == all_attributes
        assert not species.attributes.keys() & species.varying.keys()

    @pytest.mark.parametrize("species", SPECIES.values(), ids=lambda s: s.name)
    def test_what_is_drawn_white_or_in_ink_shows_on_what_is_beneath(self, species):
        has = species.attributes
        assert has["wing_bars"] == "no" or has["wings"] != "white"
        assert has["breast_pattern"] == "plain" or sum(COLOURS[has["breast"]]) > 350
        assert has["breast"] not in species.varying["cheek"]
        assert has["crown"] != has["breast"]


class TestFacts:
    @given(some_bird)
    def test_what_tells_twins_apart_is_never_hidden(self, bird):
        assert bird.distinguishing is None or bird.distinguishing in bird.visible

    @given(some_bird)
    def test_a_bird_has_the_attributes_of_its_species(self, bird):
        assert SPECIES[bird.species].attributes.items() <= bird.attributes.items()
        assert bird.visible <= bird.attributes.keys()
        for name in bird.varying:
            assert bird.attributes[name] in VARYING[name]

    def test_varying_values_and_hidden_parts_all_occur(self, birds):
        for name, values in VARYING.items():
            assert {bird.attributes[name] for bird in birds.facts if name in bird.varying} == set(values)
        hidden = {part_of(name) for bird in birds.facts for name in bird.attributes.keys() - bird.visible}
        assert hidden == {"tail", "legs", "belly"}


class TestParse:
    @pytest.mark.parametrize(
        ("sentence", "facts"),
        [
            ("this bird has a red crown.", {("crown", "red")}),
            ("a bird with a short orange beak.", {("bill_shape", "short"), ("bill", "orange")}),
            ("a little bird with speckled yellow chest.",
             {("size", "small"), ("breast_pattern", "spotted"), ("breast", "yellow")}),
            ("its bill is short and orange and its cap is red.",
             {("bill_shape", "short"), ("bill", "orange"), ("crown", "red")}),
            ("its crown is red and it has orange legs.", {("crown", "red"), ("legs", "orange")}),
            ("the crown of this bird is red and it flies.", {("crown", "red"), ("place", "air")}),
            ("blue wings, white wing bars and no eye ring.",
             {("wings", "blue"), ("wing_bars", "white"), ("eye_ring", "no")}),
            ("a red crown and a blue crown.", {("crown", "red"), ("crown", "blue")}),
            ("a bird with a forked belly.", {("belly_shape", "forked")}),
            ("perched on a twig, this bird shows no cheek patch.", {("place", "branch"), ("cheek", "no")}),
            ("red.", set()),
            ("", set()),
        ],
    )  # fmt: skip
    def test_reads_what_is_said(self, sentence, facts):
        assert parse_facts(sentence) == facts

    @given(st.text(alphabet=st.sampled_from("abcdefghijklmnopqrstuvwxyz ,.")))
    def test_reads_any_text(self, text):
        parse_facts(text)

    @settings(max_examples=300)
    @given(st.data(), st.integers(0, 10**6))
    def test_reads_back_exactly_what_was_rendered(self, data, seed):
        bird = data.draw(some_bird)
        facts = data.draw(st.sets(st.sampled_from(sorted(bird.visible_facts)), min_size=1, max_size=5))
        if {name for name, _ in facts} <= {"size", "place"}:
            facts.add(("crown", bird.attributes["crown"]))
        assert parse_facts(render(facts, np.random.default_rng(seed))) == facts

    def test_a_sentence_about_no_part_is_refused(self):
        with pytest.raises(ValueError, match="name a part of the bird"):
            render({("place", "branch")}, np.random.default_rng(0))


class TestSentences:
    def test_every_sentence_states_two_to_five_visible_facts(self, birds):
        for bird, sentences in zip(birds.facts, birds.explanations, strict=True):
            for sentence in sentences:
                facts = parse_facts(sentence)
                assert facts <= bird.visible_facts, sentence
                assert 2 <= len(facts) <= 5, sentence

    def test_they_look_like_sentences(self, birds):
        for sentence in (s for sentences in birds.explanations for s in sentences):
            assert sentence == sentence.lower()
            assert sentence.endswith(".")
            assert 5 <= len(sentence.split()) <= 30
            assert " an o" in sentence or " an " not in sentence.replace(" an abdomen", "")
            assert " a o" not in sentence

    def test_most_name_what_tells_twins_apart(self, birds):
        named = [
            bird.distinguishing in dict(parse_facts(sentence))
            for bird, sentences in zip(birds.facts, birds.explanations, strict=True)
            for sentence in sentences
            if bird.distinguishing
        ]
        assert np.mean(named) > 0.75

    def test_vocabulary_is_small_and_every_word_recurs(self, birds):
        sentences = [s for sentences in birds.explanations for s in sentences]
        words = collections.Counter(w for s in sentences for w in s.replace(",", "").replace(".", "").split())
        assert 80 <= len(words) <= 200
        assert min(words.values()) >= 5
        assert len(set(sentences)) > 0.8 * len(sentences)


class TestLoad:
    def test_parts(self, birds):
        assert birds.inputs.shape == (24 * 12, 64, 64, 3)
        assert birds.inputs.dtype == np.uint8
        assert birds.class_names == list(NAMES)
        assert {len(sentences) for sentences in birds.explanations} == {10}
        assert len(set(birds.ids)) == len(birds)
        assert [birds.class_names[label] for label in birds.labels] == [bird.species for bird in birds.facts]

    def test_same_arguments_give_the_same_bytes(self):
        first, second = (sketchbirds.load("train", per_species=2) for _ in range(2))
        assert first.inputs.tobytes() == second.inputs.tobytes()
        assert first.explanations == second.explanations
        assert first.facts == second.facts

    def test_another_process_draws_the_same(self):
        # Sets of strings are ordered anew in every process.
        code = (
            "import hashlib; from interpnet_tf.data import sketchbirds;"
            " d = sketchbirds.load('test', per_species=1);"
            " print(hashlib.sha256(d.inputs.tobytes() + repr(d.explanations).encode()).hexdigest())"
        )
        root = Path(sketchbirds.__file__).parents[3]
        digests = {
            subprocess.run(
                [sys.executable, "-c", code],
                env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(root)},
                capture_output=True,
                text=True,
                check=True,
            ).stdout
            for seed in ("1", "2")
        }
        assert len(digests) == 1

    def test_splits_and_seeds_are_draws_of_their_own(self, birds):
        draws = [
            sketchbirds.load(split, seed, per_species=4) for split in sketchbirds.SPLITS for seed in (0, 1)
        ]
        images = [image.tobytes() for draw in draws for image in draw.inputs]
        assert len(set(images)) == len(images)

    def test_a_smaller_draw_is_the_start_of_a_larger_one(self, birds):
        few = sketchbirds.load("validation", per_species=1)
        np.testing.assert_array_equal(few.inputs, birds.inputs[::12])
        assert few.explanations == birds.explanations[::12]

    def test_facts_and_sentences_do_not_depend_on_the_image_size(self):
        small, large = (sketchbirds.load("test", per_species=1, image_size=size) for size in (32, 96))
        assert large.inputs.shape[1:] == (96, 96, 3)
        assert small.facts == large.facts
        assert small.explanations == large.explanations

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"split": "trian"}, "split must be one of train, validation, test, got 'trian'"),
            ({"split": "test", "per_species": 0}, "per_species must be an integer of at least 1, got 0"),
            ({"split": "test", "per_species": 1.5}, "per_species must be an integer of at least 1, got 1.5"),
            ({"split": "test", "seed": -1}, "seed must be an integer of at least 0, got -1"),
            ({"split": "test", "image_size": 2}, "image_size must be an integer of at least 8, got 2"),
        ],
    )
    def test_wrong_arguments_are_named(self, arguments, message):
        with pytest.raises(ValueError, match=message):
            sketchbirds.load(**arguments)


class TestPictures:
    """A change of one fact must change the picture, or no network could see it."""

    @staticmethod
    def changed_pixels(bird, **changes):
        """Number of pixels that clearly differ once `changes` are made, in the same pose and scene."""
        other = dataclasses.replace(bird, attributes={**bird.attributes, **changes})
        first, second = (sketchbirds.draw(b, np.random.default_rng(7)).astype("int32") for b in (bird, other))
        return int((np.abs(first - second).max(axis=-1) > 40).sum())

    @pytest.mark.parametrize("species", [s for s in SPECIES.values() if s.twin], ids=lambda s: s.name)
    def test_twins_look_different(self, species):
        value = SPECIES[species.twin].attributes[species.distinguishing]
        for seed in range(5):
            bird = sample_facts(species, np.random.default_rng(seed))
            assert self.changed_pixels(bird, **{species.distinguishing: value}) >= 12

    @settings(max_examples=40, deadline=None)
    @given(some_bird, st.data())
    def test_what_varies_is_seen(self, bird, data):
        name = data.draw(st.sampled_from(sorted((bird.varying & bird.visible) - {"place"})))
        values = [v for v in SPECIES[bird.species].varying[name] if v != bird.attributes[name]]
        assert self.changed_pixels(bird, **{name: data.draw(st.sampled_from(values))}) >= 12

    @settings(max_examples=60, deadline=None)
    @given(some_bird.filter(lambda bird: bird.visible < bird.attributes.keys()), st.data())
    def test_nothing_shows_of_what_is_hidden(self, bird, data):
        name = data.draw(st.sampled_from(sorted(bird.attributes.keys() - bird.visible)))
        values = {species.attributes.get(name, bird.attributes[name]) for species in SPECIES.values()}
        other = {**bird.attributes, name: data.draw(st.sampled_from(sorted(values)))}
        first, second = (
            sketchbirds.draw(dataclasses.replace(bird, attributes=attributes), np.random.default_rng(7))
            for attributes in (bird.attributes, other)
        )
        np.testing.assert_array_equal(first, second)
