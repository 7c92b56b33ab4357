"""What the parts of a report are made of."""

import base64
import io
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from interpnet_tf import Explanation, ExplanationDataset
from interpnet_tf.analysis import plot
from interpnet_tf.analysis.report.choosing import choose
from interpnet_tf.analysis.report.confusions import most_confused
from interpnet_tf.analysis.report.images import as_picture, as_svg, centre_of, heat_over, thumbnail
from interpnet_tf.cli.report import WORST
from interpnet_tf.data.sketchbirds import BirdFacts


def said(text, class_id, probabilities, log_probability=-0.1):
    words = tuple(text.replace(".", " .").split())
    names = ("crow", "gull", "robin")
    return Explanation(
        names[class_id],
        class_id,
        probabilities[class_id],
        text,
        words,
        (log_probability,) * len(words),
        probabilities=probabilities,
    )


def dataset(labels, facts=None):
    count = len(labels)
    names = ["crow", "gull", "robin"]
    return ExplanationDataset(
        np.zeros((count, 2)), labels, names, [[]] * count, [f"{i}" for i in range(count)], facts
    )


def test_examples_are_spread_or_the_worst_come_first():
    """The second is taken for a gull by 0.9 - 0.1, the third by 0.5 - 0.4, in the least probable words."""
    explanations = [
        said("a bird.", 0, (1.0, 0.0, 0.0)),
        said("a bird.", 1, (0.1, 0.9, 0.0)),
        said("a bird.", 1, (0.4, 0.5, 0.1), log_probability=-3.0),
        said("a bird.", 1, (0.0, 1.0, 0.0)),
        said("a bird.", 2, (0.0, 0.0, 1.0)),
    ]
    birds = dataset([0, 0, 0, 1, 2])
    assert choose(explanations, birds, 3, None).tolist() == [0, 2, 4]
    assert choose(explanations, birds, 9, None).tolist() == [0, 1, 2, 3, 4]
    assert choose(explanations, birds, 2, "class").tolist() == [1, 2]
    assert choose(explanations, birds, 1, "words").tolist() == [2]
    with pytest.raises(ValueError, match="not known"):
        choose(explanations, birds, 1, "facts")
    with pytest.raises(ValueError, match="class, facts, words"):
        choose(explanations, birds, 1, "length")


def test_most_false_facts_come_first():
    bird = BirdFacts("Crow", {"crown": "red", "legs": "black"}, frozenset({"crown", "legs"}))
    texts = ["a red crown and black legs.", "a blue crown and pink legs.", "a blue crown."]
    explanations = [said(text, 0, (1.0, 0.0, 0.0)) for text in texts]
    assert choose(explanations, dataset([0, 0, 0], [bird] * 3), 3, "facts").tolist() == [1, 2, 0]


def test_choices_of_the_command_line_are_those_of_the_library():
    from interpnet_tf.analysis.report import choosing

    assert set(choosing.WORST) == set(WORST)


def test_confused_classes_and_the_sentences_that_tell_them_apart():
    """Crow and gull have 0.4 + 0.2 of each other, the robin less of any. A sentence's log-probability is
    here 0, but -ln 3 for "black" of a gull and -ln 2 for "white" of a crow."""
    explanations = [
        said("a black bird.", 0, (0.6, 0.4, 0.0)),
        said("a white bird.", 1, (0.2, 0.8, 0.0)),
        said("a red bird.", 2, (0.05, 0.05, 0.9)),
    ]
    facts = [
        BirdFacts(name, {"crown": color, "legs": "red"}, frozenset())
        for name, color in (("crow", "black"), ("gull", "white"), ("robin", "red"))
    ]
    less = {(0, "a white bird."): -np.log(2), (1, "a black bird."): -np.log(3)}
    model = SimpleNamespace(
        max_length=9,
        score_sentences=lambda examples, entries: [
            np.array([less.get((label, text), 0.0) for text in texts])
            for label, texts in zip(examples.labels.tolist(), entries, strict=True)
        ],
    )
    first, *others = most_confused(model, dataset([0, 1, 2], facts), explanations, 2)
    assert len(others) == 1
    assert [(side.label, side.sentence, round(side.times, 6)) for side in first.sides] == [
        ("crow", "a black bird.", 3),
        ("gull", "a white bird.", 2),
    ]
    assert [(side.examples, side.taken) for side in first.sides] == [(1, 0), (1, 0)]
    assert first.differ == ["crown (black / white)"]


def test_thumbnails_have_192_pixels():
    source = thumbnail(as_picture(np.full((20, 40, 3), 255, "uint8")))
    picture = Image.open(io.BytesIO(base64.b64decode(source.removeprefix("data:image/jpeg;base64,"))))
    assert (picture.format, picture.size) == ("JPEG", (192, 96))


def test_floats_and_grey_become_pictures():
    assert as_picture(np.full((2, 2, 1), 0.5, "float32")).getpixel((0, 0)) == (127, 127, 127)
    assert as_picture(np.full((2, 2, 3), 9.0, "float32")).getpixel((0, 0)) == (9, 9, 9)


def test_heat_is_orange_where_it_is_positive_and_violet_where_negative():
    picture = Image.new("RGB", (8, 8), "white")
    heat = heat_over(picture, np.array([[1.0, -1.0], [1.0, -1.0]]))
    left, right = heat.getpixel((0, 90)), heat.getpixel((191, 90))
    assert left[0] > left[2]
    assert right[2] > right[0]
    assert centre_of(np.array([[0, 0, 0], [0, 0, 0], [9.0, 0, 0]])) == "lower left"
    assert centre_of(np.zeros((2, 2))) == "nowhere"


def test_figures_have_ids_of_their_own_and_ask_for_nothing():
    svg = as_svg(plot.risk_coverage([0.5, 1], [0.1, 0.2]), "risk", 'a "curve"')
    assert 'aria-label="a &quot;curve&quot;"' in svg
    assert 'id="risk-figure_1"' in svg
    assert 'id="figure_1"' not in svg
    assert "<metadata" not in svg
    assert "<style" not in svg
