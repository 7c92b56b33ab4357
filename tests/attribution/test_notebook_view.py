"""What a notebook shows of an attribution."""

import numpy as np
import pytest

from interpnet_tf.analysis import Attribution


def attribution(scores, words=("a", "red", "<crow>"), method="shapley"):
    scores = np.array(scores, "float32").reshape(len(words), 2)
    return Attribution(words, ("hidden", "out&put"), scores, scores.sum(1), 0 * scores.sum(1), method)


def test_strongest_layer_of_each_word():
    """Of the greatest score, 2 nats, a twentieth is 0.1: "a" has less from any layer."""
    found = attribution([[0.09, 0.0], [0.5, 1.0], [2.0, -3.0]]).strongest
    assert found == [(None, 0.0), (1, 0.5), (0, 1.0)]


def test_nothing_is_marked_where_nothing_contributed():
    assert attribution([[0, 0], [-1, -2], [0.001, 0]]).strongest == [(None, 0.0)] * 3
    assert attribution([], words=()).strongest == []


@pytest.mark.parametrize(("method", "unit"), [("shapley", "nats"), ("attention", "weights of attention")])
def test_view_escapes_and_explains(method, unit):
    page = attribution([[0, 0], [0.5, 1], [2, -3]], method=method)._repr_html_()
    assert "<crow>" not in page
    assert "&lt;crow&gt;" in page
    assert 'title="hidden +2.00, out&amp;put -3.00"' in page
    assert f"<summary>{unit}, {method}</summary>" in page
    assert page.count("out&amp;put</span>") == 1  # the legend


def test_an_empty_sentence_has_a_view():
    assert "<table>" in attribution([], words=())._repr_html_()
