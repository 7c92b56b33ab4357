"""Figures: what is drawn is what was given, and nothing of pyplot is touched."""

import sys

import numpy as np
import pytest

from interpnet_tf.analysis import Attribution, DecisionAttribution, plot


def words(scores=((0.5, 0.0), (2.0, -1.5)), **options):
    scores = np.array(scores, "float32")
    ends = scores.sum(axis=1), np.zeros(len(scores))
    return Attribution(("a", "crow"), ("hidden", "output"), scores, *ends, "integrated_gradients", **options)


def decision(**options):
    scores = np.array([1.0, -3.0], "float32")
    return DecisionAttribution(
        "crow", 0, ("hidden", "output"), scores, -0.1, -0.1 - scores, "shapley", **options
    )


@pytest.fixture(autouse=True)
def _no_pyplot(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)  # importing it fails


def test_words_by_layer_stacks_each_side_of_zero():
    (axis,) = plot.words_by_layer(words([[0.5, 1.0], [2.0, -1.5]])).axes
    pieces = sorted((bar.get_x(), bar.get_width()) for bar in axis.patches if bar.get_width())
    assert pieces == [(0, -1.5), (0, 0.5), (0, 2.0), (0.5, 1.0)]
    with pytest.raises(ValueError, match="without any"):
        plot.words_by_layer(Attribution((), ("hidden",), np.zeros((0, 1)), *np.zeros((2, 0)), "shapley"))


def test_layer_shares_by_hand():
    """|0.5| + |2| of hidden and |0| + |-1.5| of output are 2.5 and 1.5 of 4; of the decision 1 and 3 of 4."""
    assert plot.layer_shares([words()]) == {"hidden": 0.625, "output": 0.375}
    assert plot.layer_shares([decision(), decision()]) == {"hidden": 0.25, "output": 0.75}
    with pytest.raises(ValueError, match="one at least"):
        plot.layer_shares([])


def test_layer_reliance_draws_the_shares():
    shares = {"words": {"hidden": 0.625, "output": 0.375}, "decision": {"hidden": 0.25, "output": 0.75}}
    (axis,) = plot.layer_reliance(shares).axes
    assert [(bar.get_x(), bar.get_width()) for bar in axis.patches] == [
        (0, 62.5),
        (0, 25),
        (62.5, 37.5),
        (25, 75),
    ]
    with pytest.raises(ValueError, match="same layers"):
        plot.layer_reliance({"words": {"a": 1.0}, "decision": {"b": 1.0}})


def test_heat_maps_share_one_scale():
    maps = {"hidden": np.array([[[0, 1], [0, 0]], [[0, 0], [-4, 0]]], "float32")}
    figure = plot.heat_maps(np.zeros((8, 8, 3), "uint8"), words(heat_maps=maps), words=["crow", 0])
    panels = [axis for axis in figure.axes if axis.get_title()]
    assert [axis.get_title() for axis in panels] == ["crow", "a"]
    assert [axis.images[1].get_clim() for axis in panels] == [(-4, 4), (-4, 4)]
    assert panels[0].images[1].get_extent() == [-0.5, 7.5, 7.5, -0.5]


def test_heat_map_of_the_class():
    of_class = decision(heat_maps={"hidden": np.ones((2, 2), "float32")})
    figure = plot.heat_maps(np.zeros((8, 8, 3), "uint8"), of_class)
    assert [axis.get_title() for axis in figure.axes][:2] == ["", "crow"]
    with pytest.raises(ValueError, match="words must be None"):
        plot.heat_maps(np.zeros((8, 8, 3)), of_class, words=["red"])
    of_sequence = decision(heat_maps={"hidden": np.ones(2, "float32")})
    with pytest.raises(ValueError, match="sequence"):
        plot.heat_maps(np.zeros((8, 8, 3)), of_sequence)


def test_risk_coverage():
    (axis,) = plot.risk_coverage([0.25, 1.0], [0.0, 0.5]).axes
    assert axis.lines[0].get_xydata().tolist() == [[25, 0], [100, 50]]
    with pytest.raises(ValueError, match=r"'risk': 1"):
        plot.risk_coverage([0.5, 1.0], [0.1])


def test_training_curves_have_a_panel_for_each_quantity():
    classifier = {"loss": [2, 1], "val_loss": [3, 2], "accuracy": [0.1, 0.2]}
    reasons = {"val_loss": [1.0], "reward": [2.0], "val_reward": [1.5]}
    figure = plot.training_curves(
        {"classifier": classifier, "explainer": {"loss": [1.0]}, "reasons": reasons}
    )
    assert [axis.get_title() for axis in figure.axes] == [
        "classifier: loss",
        "classifier: accuracy",
        "explainer: loss",
        "reasons: reward",
    ]
    assert figure.axes[0].lines[1].get_xydata().tolist() == [[1, 3], [2, 2]]
    with pytest.raises(ValueError, match="got none"):
        plot.training_curves({})
