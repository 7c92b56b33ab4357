from types import SimpleNamespace

import keras
import numpy as np
import pytest

from interpnet_tf import Explanation
from interpnet_tf.data import sketchbirds
from interpnet_tf.experiments import reasons
from interpnet_tf.experiments.reasons import cache

PART = "belly"  # has two other values, so that none is left to chance


@pytest.fixture
def two_birds(monkeypatch):
    """The first two pictures of the test split are all that there are."""
    first = sketchbirds.sketches("test", per_species=2)[:2]
    assert all(PART in sketch.facts.visible for sketch in first)
    monkeypatch.setattr(sketchbirds, "sketches", lambda *arguments, **options: first)
    return first


def belly_pixel(sketch):
    """Row and column of the pixel that changes most where the belly is repainted."""
    pictures = [sketch.draw(64, {PART: value}) for value in sketchbirds.VALUES[PART]]
    change = np.ptp(np.stack(pictures).astype("int32"), axis=0).sum(axis=-1)
    return np.unravel_index(change.argmax(), change.shape)


def classifier_of_pixel(row, column):
    """Decides between two classes by how blue one pixel is: P(second class) = sigmoid(blue / 255)."""
    inputs = keras.Input((64, 64, 3))
    x = keras.layers.Cropping2D(((row, 63 - row), (column, 63 - column)))(inputs)
    x = keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(x))
    classifier = keras.Model(inputs, keras.layers.Dense(2, "softmax")(x))
    classifier.layers[-1].set_weights([np.array([[0.0, 0.0], [0.0, 0.0], [0.0, 1.0]]), np.zeros(2)])
    return classifier


class TestEffects:
    def test_of_a_classifier_that_sees_one_pixel(self, two_birds):
        row, column = belly_pixel(two_birds[0])
        effects = reasons.measure_effects(classifier_of_pixel(row, column))
        assert effects.parts == reasons.PARTS == tuple(sketchbirds.VALUES)
        assert effects.values.shape == effects.flips.shape == (2, 14)

        def probability(value):
            blue = int(two_birds[0].draw(64, {PART: value})[row, column, 2])
            return 1 / (1 + np.exp(-blue / 255))

        own = two_birds[0].facts.attributes[PART]
        others = [value for value in sketchbirds.VALUES[PART] if value != own]
        expected = np.mean([abs(probability(value) - probability(own)) for value in others])
        effect = dict(zip(effects.parts, effects.values[0], strict=True))
        assert effect[PART] == pytest.approx(expected, abs=1e-6)
        assert effect[PART] > 0.05
        moves_the_bird = {"size", "bill_shape", "tail_shape"}
        assert {name for name, value in effect.items() if value > 0} - moves_the_bird == {PART}
        assert effects.counted[0]
        assert np.nanmax(effects.relative[0]) == 1

    def test_what_a_picture_does_not_show_has_none(self, two_birds):
        effects = reasons.measure_effects(classifier_of_pixel(0, 0))
        for sketch, values, flips in zip(two_birds, effects.values, effects.flips, strict=True):
            shown = [part in sketch.facts.visible for part in reasons.PARTS]
            np.testing.assert_array_equal(~np.isnan(values), shown)
            np.testing.assert_array_equal(~np.isnan(flips), shown)
        assert np.nanmax(effects.values) == 0  # the corner of the frame shows no bird
        assert not effects.counted.any()

    def test_flips_are_repaintings_after_which_another_class_wins(self, two_birds):
        row, column = belly_pixel(two_birds[0])
        classifier = classifier_of_pixel(row, column)
        blue = {v: int(two_birds[0].draw(64, {PART: v})[row, column, 2]) for v in sketchbirds.VALUES[PART]}
        assert blue["white"] > max(blue["red"], blue["yellow"]) + 100
        between = (blue["white"] + max(blue["red"], blue["yellow"])) / 510
        kernel, _ = classifier.layers[-1].get_weights()
        classifier.layers[-1].set_weights([kernel, np.array([0.0, -between])])  # white is the second class
        effects = reasons.measure_effects(classifier)
        expected = {"white": 1.0, "red": 0.5, "yellow": 0.5}[two_birds[0].facts.attributes[PART]]
        assert effects.flips[0, effects.parts.index(PART)] == expected


class TestCache:
    @pytest.fixture
    def measured(self, two_birds, tmp_path, monkeypatch):
        """A classifier whose effects are kept, and which cannot be asked again."""
        classifier = classifier_of_pixel(*belly_pixel(two_birds[0]))
        effects = reasons.measure_effects(classifier, cache_folder=tmp_path)
        monkeypatch.setattr(classifier, "predict", lambda *arguments, **options: 1 / 0)
        return classifier, effects

    def test_a_second_call_asks_nobody(self, measured, tmp_path):
        classifier, effects = measured
        again = reasons.measure_effects(classifier, cache_folder=tmp_path)
        np.testing.assert_array_equal(again.values, effects.values)
        np.testing.assert_array_equal(again.flips, effects.flips)
        assert again.parts == effects.parts

    @pytest.mark.parametrize("change", [{"seed": 1}, {"split": "validation"}, {"mark": "right"}])
    def test_other_pictures_are_measured(self, measured, tmp_path, change):
        with pytest.raises(ZeroDivisionError):
            reasons.measure_effects(measured[0], cache_folder=tmp_path, **change)

    def test_another_classifier_is_measured(self, measured, tmp_path):
        classifier, _ = measured
        kernel, bias = classifier.layers[-1].get_weights()
        classifier.layers[-1].set_weights([kernel, bias + 1])
        with pytest.raises(ZeroDivisionError):
            reasons.measure_effects(classifier, cache_folder=tmp_path)

    def test_a_damaged_file_is_written_anew(self, measured, tmp_path, monkeypatch):
        classifier, effects = measured
        (file,) = tmp_path.iterdir()
        file.write_bytes(b"no zip")
        assert cache.read(file, "values") is None
        with pytest.raises(ZeroDivisionError):
            reasons.measure_effects(classifier, cache_folder=tmp_path)
        monkeypatch.setattr(classifier, "predict", type(classifier).predict.__get__(classifier))
        reasons.measure_effects(classifier, cache_folder=tmp_path)
        np.testing.assert_array_equal(cache.read(file, "values")["values"], effects.values)


# The crown carries the decision about the first picture, the wings that about the second. The third has no
# reason: none of its parts reaches 0.05.
EFFECTS = reasons.Effects(
    ("crown", "wings", "tail"),
    np.array([[0.4, 0.1, np.nan], [0.1, 0.8, 0.4], [0.01, 0.04, 0.02]]),
    np.array([[1.0, 0.0, np.nan], [0.0, 1.0, 0.5], [0.0, 0.0, 0.0]]),
)


class TestJudging:
    def test_named_parts(self):
        sentences = ["a red crown and a red tail.", "its wings are blue.", "a bird."]
        expected = [[True, False, True], [False, True, False], [False, False, False]]
        np.testing.assert_array_equal(reasons.named_parts(EFFECTS, sentences), expected)
        with pytest.raises(ValueError, match="one sentence for each of the 3 pictures, got 1"):
            reasons.named_parts(EFFECTS, ["a bird."])

    @pytest.mark.parametrize(
        ("first", "second", "names", "said"),
        [
            # 0.4 of 0.4, and 0.8 of 0.8
            ("a red crown.", "blue wings.", 1.0, 1.0),
            # 0.1 of 0.4 is less than half, 0.4 of 0.8 is half
            ("blue wings.", "a red tail.", 0.5, (0.25 + 0.5) / 2),
            # what is not visible has no effect: (1 + 0) / 2; and (0.125 + 1 + 0.5) / 3
            (
                "a red crown and a red tail.",
                "a red crown, blue wings and a red tail.",
                1.0,
                (0.5 + 1.625 / 3) / 2,
            ),
            # no part; a place is none
            ("a bird.", "this bird flies.", 0.0, 0.0),
        ],
    )
    def test_sentences(self, first, second, names, said):
        sentences = [first, second, "a red crown and blue wings."]
        assert reasons.names_reason(EFFECTS, sentences) == names
        assert reasons.effect_said(EFFECTS, sentences) == pytest.approx(said)

    def test_scores_of_parts(self):
        scores = np.array([[2.0, 1.0, np.nan], [2.0, 3.0, 1.0], [np.nan, 0.0, 0.0]])
        with pytest.raises(ValueError, match="a number for every part that a picture shows"):
            reasons.rank_correlation(EFFECTS, scores)
        scores[2] = 0
        # 1 in the first; ranks (2, 3, 1) beside (1, 3, 2) are 1 - 6 (1 + 0 + 1) / (3 (9 - 1)) = 0.5
        assert reasons.rank_correlation(EFFECTS, scores) == pytest.approx((1 + 0.5) / 2)
        assert reasons.effect_of_first(EFFECTS, scores) == 1
        assert reasons.effect_of_first(EFFECTS, -scores) == pytest.approx((0.1 / 0.4 + 0.4 / 0.8) / 2)
        assert reasons.reason_among_first(EFFECTS, -scores) == 0.5
        assert reasons.reason_among_first(EFFECTS, -scores, 2) == 1
        with pytest.raises(
            ValueError, match=r"scores must be \(pictures, parts\), \(3, 3\) here, got \(3,\)"
        ):
            reasons.rank_correlation(EFFECTS, scores[0])

    def test_scores_that_are_all_equal_rank_nothing(self):
        assert reasons.rank_correlation(EFFECTS, np.ones((3, 3))) == 0

    def test_the_truth_ranks_itself(self):
        assert reasons.rank_correlation(EFFECTS, EFFECTS.values) == pytest.approx(1)
        assert reasons.effect_of_first(EFFECTS, EFFECTS.values) == 1

    def test_mean_effects_elsewhere(self):
        expected = [[0.055, 0.42, np.nan], [0.205, 0.07, 0.02], [0.25, 0.45, 0.4]]
        np.testing.assert_allclose(reasons.mean_effects_elsewhere(EFFECTS), expected)

    def test_no_picture_with_a_reason_gives_no_number(self):
        nothing = reasons.Effects(("crown",), np.zeros((1, 1)), np.zeros((1, 1)))
        assert np.isnan(reasons.names_reason(nothing, ["a red crown."]))
        assert np.isnan(reasons.rank_correlation(nothing, np.ones((1, 1))))


@pytest.fixture(scope="module")
def three():
    return sketchbirds.load("test", per_species=1).subset([0, 1, 2])


class TestTable:
    @pytest.mark.usefixtures("quick_meteor")
    def test_a_row_a_speaker(self, three):
        crowns = [bird.attributes["crown"] for bird in three.facts]

        def of_crowns(model, dataset, train):
            return [f"a bird with a {crown} crown." for crown in crowns]

        result = reasons.score_speakers(
            None, three, EFFECTS, three, {"crowns": of_crowns}, rank_phrases=False
        )
        assert (result["pictures"], result["counted"]) == (3, 2)
        row = {"names_reason": 0.5, "effect_said": (1 + 0.125) / 2, "attribute_precision": 1.0, "words": 6.0}
        row |= {"meteor": 0.5, "cider_d": result["rows"]["crowns"]["cider_d"]}
        assert result["rows"] == {"crowns": pytest.approx(row)}
        assert result["phrases"] == {}
        assert result["parts"]["wings"]["effect"] == pytest.approx((0.1 + 0.8 + 0.04) / 3)
        assert result["parts"]["wings"]["flips"] == pytest.approx(1 / 3)
        assert result["parts"]["wings"]["named"] == {"crowns": 0.0}
        assert result["parts"]["tail"]["effect"] == pytest.approx(0.21)
        assert result["parts"]["crown"]["named"] == {"crowns": 1.0}
        lines = reasons.report(result).splitlines()
        assert lines[2].split()[:5] == ["crowns", "50.0", "56.2", "100.0", "50.0"]
        assert [line.split()[0] for line in lines[-3:]] == ["wings", "tail", "crown"]

    def test_rows_are_greedy_beam_and_a_person(self, three):
        class Model:
            def explain(self, dataset, sampler="greedy"):
                return [Explanation("", 0, 1.0, f"a {sampler} bird.", (), ()) for _ in dataset.ids]

        said = {
            name: speak(Model(), three, three)
            for name, speak in reasons.SPEAKERS.items()
            if name != "reasons"
        }
        assert said["greedy"] == ["a greedy bird."] * 3
        assert said["beam"] == ["a beam bird."] * 3
        assert said["one human"] == [sentences[0] for sentences in three.explanations]

    def test_effects_of_other_pictures_are_refused(self, three):
        with pytest.raises(ValueError, match="the data set's 2 pictures, got those of 3"):
            reasons.score_speakers(None, three.subset([0, 1]), EFFECTS, three)


def test_phrases_are_scored_each_alone(three):
    class Concepts:
        def read(self, sentence):
            return (sentence,)

    class Scores:
        concepts = Concepts()

        def of_concepts(self, dataset, asked):
            return [{sentence: float(len(sentence)) for sentence in of_one} for of_one in asked]

    table = reasons.score_phrases(Scores(), three)
    facts = three.facts[0]
    crown, size = facts.attributes["crown"], facts.attributes["size"]
    assert table[0, reasons.PARTS.index("crown")] == len(f"this bird has a {crown} crown.")
    assert table[0, reasons.PARTS.index("size")] == len(f"this is a {size} bird.")
    for row, of_one in zip(table, three.facts, strict=True):
        assert {part for part, value in zip(reasons.PARTS, row, strict=True) if value == 0} == {
            part for part in reasons.PARTS if part not in of_one.visible
        }


class TestCounterfactualMentions:
    def test_correlation_by_hand(self):
        """Two edits of each of two pictures; the same part has an effect of 0.1 and 0.3, the other of 0.5."""
        mentions = reasons.CounterfactualMentions(
            picture=np.array([0, 0, 1, 1]),
            part=np.array([3, 5, 3, 5]),
            effect=np.array([0.1, 0.5, 0.3, 0.5]),
            named=np.array([False, True, True, True]),
        )
        assert mentions.correlation == pytest.approx(np.corrcoef(mentions.effect, mentions.named)[0, 1])
        # The means are 0.35 and 0.75.
        products = [(-0.25 * -0.75 + 0.15 * 0.25), (-0.05 * 0.25 + 0.15 * 0.25)]
        scale = np.sqrt(np.mean(np.array([0.25, 0.15, 0.05, 0.15]) ** 2)) * np.sqrt(3) / 4
        np.testing.assert_allclose(mentions.figures, np.array(products) / 2 / scale)
        # Without the means of the parts: -0.1, 0, 0.1, 0 and -0.5, 0, 0.5, 0.
        assert mentions.correlation_within_parts == pytest.approx(1)

    def test_a_constant_sentence_has_none_within_parts(self):
        part = np.arange(12) % 3
        mentions = reasons.CounterfactualMentions(
            np.arange(12) // 3, part, np.linspace(0, 1, 12) + part, part == 1
        )
        assert mentions.correlation_within_parts == pytest.approx(0)
        nothing = reasons.CounterfactualMentions(mentions.picture, part, mentions.effect, part < 0)
        assert nothing.correlation == 0

    def test_who_names_the_belly_where_it_counts(self, two_birds):
        model = SimpleNamespace(
            classifier=classifier_of_pixel(*belly_pixel(two_birds[0])), output_kind="probabilities"
        )
        pictures = []

        def speak(edited):
            pictures.append(edited)
            return ["this bird has a white belly."] * len(edited)

        mentions = reasons.counterfactual_mentions(model, edits=5, speak=speak)
        assert mentions.picture.tolist() == [0] * 5 + [1] * 5
        assert pictures[0].shape == (10, 64, 64, 3)
        np.testing.assert_array_equal(mentions.named, mentions.part == reasons.PARTS.index(PART))
        for index, sketch in enumerate(two_birds):
            assert len(set(mentions.part[mentions.picture == index])) == 5
            shown = {reasons.PARTS[part] for part in mentions.part[mentions.picture == index]}
            assert shown <= sketch.facts.visible
        with pytest.raises(ValueError, match="edits must be at most 5"):
            reasons.counterfactual_mentions(model, edits=6, speak=speak)
