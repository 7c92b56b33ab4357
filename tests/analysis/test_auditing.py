import numpy as np
import pytest

from interpnet_tf.analysis import ReasonScores, audit, auditing
from interpnet_tf.analysis.auditing import foretold
from interpnet_tf.speakers import Reasons

# Eight classes of three parts, each of which is one of two; a class is a combination.
PARTS = np.array([[a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)], float)


def softmax(logits):
    exponentials = np.exp(logits)
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def examples(logits_of_class, times=4):
    labels = np.tile(np.arange(8), times)
    said = np.concatenate([PARTS, 1 - PARTS], axis=1)[labels]
    return softmax(logits_of_class[labels]), labels, said


class TestForetold:
    def test_a_network_that_decides_by_what_is_said_is_foretold(self):
        compositional = (2 * PARTS - 1) @ (2 * PARTS - 1).T  # linear in what is said
        found = foretold(examples(compositional), examples(compositional))
        assert found["value"] > 0.95
        assert found["interval"][0] > 0.9
        assert found["others"] < 0
        assert found["classes"] == 8

    def test_a_network_that_decides_by_something_else_is_not(self):
        shortcut = 6 * np.eye(8)  # of a class it knows the class, which follows from no part
        found = foretold(examples(shortcut), examples(shortcut))
        assert found["value"] < 0

    def test_few_classes_tell_nothing(self):
        probabilities, labels, said = examples(np.eye(8))
        two = labels < 2
        found = foretold(*[(probabilities[two], labels[two], said[two])] * 2)
        assert found == {"value": None, "interval": None, "classes": 2, "others": None}

    def test_the_same_seed_gives_the_same_interval(self):
        same = [foretold(examples(np.eye(8)), examples(np.eye(8)), samples=20, seed=4) for _ in range(2)]
        assert same[0] == same[1]


@pytest.fixture(scope="module")
def result(trained, birds, valid_birds):
    patched = pytest.MonkeyPatch()
    defaults = ReasonScores.__init__.__defaults__
    patched.setattr(ReasonScores.__init__, "__defaults__", (defaults[0], 3, *defaults[2:]))
    patched.setattr(Reasons.explain, "__defaults__", (4, 2, None, 64))
    yield audit(trained, valid_birds, birds, metrics=["gain_own"], examples=5)
    patched.undo()


def test_audit(result):
    assert result["foretold"]["classes"] == 3
    assert list(result["carried"]) == ["greedy", "one human", "template", "constant", "reasons"]
    assert all(0 <= figure["value"] <= 1 for figure in result["carried"].values())
    assert result["examples"] == 5
    assert result["nouns"][0]["noun"] == "bird"
    assert list(result["faithfulness"]) == ["gain_own"]
    low, high = result["foretold"]["interval"]
    assert result["flagged"] is (None if low <= 0 <= high else high < 0)


def test_report_begins_with_the_verdict(result):
    lines = auditing.report(result).splitlines()
    assert result["verdict"].startswith(lines[0])
    begins = {None: "Whether the network", True: "WARNING", False: "The network decides by"}
    assert lines[0].startswith(begins[result["flagged"]])
    assert any(line.startswith("gain_own: ") for line in lines)
    unknown = {"value": None, "interval": None, "classes": 2, "others": None}
    few = {**result, "foretold": unknown, "faithfulness": {}, "nouns": []}
    assert "foretold x 100" not in auditing.report(few)


def test_rows_of_a_page(result):
    page = auditing.for_report(result)
    assert page.verdict == result["verdict"]
    by_name = {row.name: row for row in page.rows}
    assert list(by_name)[:2] == ["foretold", "carried, greedy"]
    assert by_name["carried, greedy"].value == f"{result['carried']['greedy']['value']:.0%}"
    assert by_name["gain_own"].value == f"{result['faithfulness']['gain_own']['value']:.2f}"


def test_examples_are_counted(trained, birds):
    with pytest.raises(ValueError, match="examples must be at least 1, got 0"):
        audit(trained, birds, birds, examples=0)
