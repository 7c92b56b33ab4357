"""What carried the decisions of a report, estimated from phrases."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from interpnet_tf import Explanation
from interpnet_tf.analysis.report import Carried, write_report
from interpnet_tf.analysis.report.carried import estimated
from interpnet_tf.speakers import Reasons


def test_phrases_of_people_and_network_are_scored_and_what_is_said_is_marked():
    """Of the first bird both speak of the crown, people alone of the bill; no share is above 1."""
    asked = []

    def phrases(x, sentences):
        asked.extend(sentences)
        return [{"red crown": 1.2, "long bill": 0.25}, {}]

    read = {"its crown is red.": (1,), "a bird.": ()}.__getitem__
    concepts = SimpleNamespace(names=["long bill", "red crown"], read=read)
    said = [Explanation("crow", 0, 1.0, text, (), ()) for text in ("its crown is red.", "a bird.")]
    people = [["a red crown and a long bill."], []]
    found = estimated(SimpleNamespace(phrases=phrases, concepts=concepts), np.zeros((2, 3)), said, people)
    assert asked == [["its crown is red.", "a red crown and a long bill."], ["a bird."]]
    assert list(found.values) == [{"red crown": 1.0, "long bill": 0.25}, {}]
    assert found.named == [{"red crown"}, set()]
    assert "estimated" in found.how


def test_some_of_the_examples():
    carried = Carried("how", [{"crown": 0.5}, {"bill": 0.1}, {}], [{"crown"}, set(), set()])
    assert carried.subset([2, 0]) == Carried("how", [{}, {"crown": 0.5}], [set(), {"crown"}])
    assert dataclasses.replace(carried, named=None).subset([1]) == Carried("how", [{"bill": 0.1}])


@pytest.fixture(scope="module")
def speaker(trained, birds):
    return Reasons(trained, birds, minimum_count=3)


def test_the_examples_that_are_shown_have_reasons(speaker, trained, birds, tmp_path, monkeypatch):
    """Greedily no bird has a small head: that is the robin's second sentence."""
    (said,) = speaker.explain(birds.inputs[2:3], samples=1, beams=1, seed=0)
    words = ("this", "red", "bird", "has", "a", "small", "head", "and", "a", "short", "bill", ".")
    robin = dataclasses.replace(
        said, text=" ".join(words[:-1]) + ".", words=words, log_probabilities=(-0.1,) * 12, alternatives=()
    )
    write_report(tmp_path / "plain.html", trained, birds, "birds", examples=2, carried=speaker.scores)
    monkeypatch.setattr(speaker, "explain", lambda x, **_: [robin] * len(x))
    options = {"examples": 2, "carried": speaker.scores, "speaker": speaker}
    write_report(tmp_path / "reasons.html", trained, birds, "birds", **options)
    plain, reasons = ((tmp_path / f"{name}.html").read_text("utf-8") for name in ("plain", "reasons"))
    for html in (plain, reasons):
        assert "What carried a decision is estimated" in html
        assert "<strong>said</strong>" in html
    assert [html.count(">small<") > 0 for html in (plain, reasons)] == [False, True]
    assert ["best says what carried" in html for html in (plain, reasons)] == [False, True]
