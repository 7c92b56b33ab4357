"""METEOR's own program, which reads paraphrases for seconds: one run scores the sentences of every test."""

import importlib
import subprocess
from pathlib import Path

import numpy as np
import pytest
from odd_sentences import WRITTEN

from interpnet_tf import metrics
from interpnet_tf.data import cub
from interpnet_tf.language.tokenizer import ExplanationTokenizer

CUB = Path(__file__).resolve().parents[3] / "shared" / "data" / "cub"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(metrics.meteor_unavailable() is not None, reason="METEOR needs Java and its jar"),
]
needs_cub = pytest.mark.skipif(not CUB.exists(), reason="needs CUB's sentences in ../shared/data/cub")

RED = "this small bird is red ."
PAIRS = [
    ("a black bird .", [RED, "A black bird."]),  # the same as a reference, after normalising
    ("", [RED]),
    ("xyzzy", [RED]),
    ("a bird\nwith ünïcode “quotes” | and <tags>", ["a bird with ünïcode “quotes” | and <tags>"]),
    ("\x85\u2028", [RED]),
    ("this bird is red .", [RED, "a red bird"]),
    ("this bird is red .", ["a red bird", RED, RED, "a red bird"]),
]
# Measured once on the 1,147 official test images of the 40 species with sentences.
KNOWN = {
    "constant": {"meteor": 39.6, "bleu_4": 59.0, "cider_d": 36.6},
    "human": {"meteor": 27.1, "bleu_4": 22.1, "cider_d": 21.1},
}


def said() -> list[str]:
    """Returns `WRITTEN` as a model says it."""
    tokenizer = ExplanationTokenizer().adapt(WRITTEN)
    return tokenizer.detokenize(tokenizer.tokenize(WRITTEN).to_tensor())


@pytest.fixture(scope="module")
def rows():
    """Hypotheses and references of each test, the last three of CUB's images."""
    spoken = said()
    rows = {
        "pairs": tuple(map(list, zip(*PAIRS, strict=True))),
        "as said": (spoken, [[sentence] for sentence in spoken]),
        "as written": (spoken, [[sentence] for sentence in WRITTEN]),
    }
    if CUB.exists():
        references = cub.load(CUB, "test").explained().explanations
        constant = metrics.most_frequent_sentence(cub.load(CUB, "trainval").explanations)
        people, others = metrics.human_row(references)
        rows["constant"] = [constant] * len(references), references
        rows["human"] = people, others
        rows["of another image"] = people[::-9], others[::9]
    return rows


@pytest.fixture(scope="module")
def scores(rows) -> dict[str, list[float]]:
    hypotheses, references = ([one for row in rows.values() for one in row[part]] for part in (0, 1))
    found = iter(metrics.meteor_sentences(hypotheses, references))
    return {name: [next(found) for _ in row[0]] for name, row in rows.items()}


def test_scores_of_odd_sentences(scores):
    *others, few, many = scores["pairs"]
    assert others == [1, 0, 0, 1, 0]
    assert few == many  # repeated references change nothing
    assert 0 < few < 1


def test_sentences_said_score_as_they_were_written(scores):
    assert len(scores["as said"]) == len(WRITTEN)
    assert scores["as written"] == scores["as said"]


@needs_cub
def test_sentences_of_cub_score_as_the_jar_run_by_hand(rows, scores, tmp_path):
    """Of a constant sentence, of people and of people who saw another image, against ten references each."""
    hypotheses, references, expected = [], [], []
    for name, step in (("constant", 3), ("human", 3), ("of another image", 1)):
        hypotheses += rows[name][0][::step]
        references += rows[name][1][::step]
        expected += scores[name][::step]
    assert len(hypotheses) >= 800
    ten = [sentence for of_one in references for sentence in (of_one + of_one[-1:] * 10)[:10]]
    (tmp_path / "hypotheses").write_text("\n".join(hypotheses) + "\n")
    (tmp_path / "references").write_text("\n".join(ten) + "\n")
    jar = importlib.import_module("interpnet_tf.metrics.meteor")._jar()
    command = f"java -jar -Xmx2G {jar} hypotheses references -l en -norm -r 10".split()
    output = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    by_hand = [float(line.split()[-1]) for line in output.split("\n") if line.startswith("Segment")]
    assert expected == by_hand


@needs_cub
@pytest.mark.parametrize("row", KNOWN)
def test_known_numbers_of_cub(rows, scores, row):
    assert len(scores[row]) == 1147
    found = {"meteor": np.mean(scores[row]), **metrics.score(*rows[row], metrics=["bleu_4", "cider_d"])}
    assert {name: round(100 * value, 1) for name, value in found.items()} == KNOWN[row]
