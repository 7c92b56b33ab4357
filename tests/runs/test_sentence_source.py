"""A run knows where its sentences come from, and keeps what made them."""

import dataclasses

from interpnet_tf.data.verbalizer import Verbalizer
from interpnet_tf.export.model_card import model_card
from interpnet_tf.runs.sentence_source import keep_source, read_source


def test_of_sentences_that_were_made(birds, tmp_path):
    verbalizer = Verbalizer(subject="wine").adapt({"ash": [1.0, 2.0]}, ["a", "b"])
    verbalizer.save(tmp_path / "wine.verbalizer.json")
    made = dataclasses.replace(birds, source="verbalized")
    keep_source(tmp_path / "run", str(tmp_path / "wine.jsonl"), made)
    assert read_source(tmp_path / "run") == "verbalized"
    kept = Verbalizer.load(tmp_path / "run" / "verbalizer.json")
    assert kept.knowledge.attributes[0].thresholds == (1.5, 1.5)
    keep_source(tmp_path / "moved", str(tmp_path / "elsewhere" / "wine.jsonl"), made)
    assert [path.name for path in (tmp_path / "moved").iterdir()] == ["sentences.json"]


def test_of_sentences_that_people_wrote(birds, tmp_path):
    keep_source(tmp_path / "run", "birds.csv", birds)
    assert not (tmp_path / "run").exists()
    assert read_source(tmp_path / "run") is None


def test_the_card_tells(make_model):
    model = make_model()
    assert "people's sentences" in model_card(model, "birds")["limits"][0]
    card = model_card(model, "birds", {"sentences": "verbalized"})
    assert "sentences that were made of a table (verbalized)" in card["limits"][0]
