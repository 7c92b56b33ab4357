"""Run folders: what a config means, and what a run leaves behind."""

import csv
import dataclasses
import json
import math
from types import SimpleNamespace

import numpy as np
import pytest

from interpnet_tf import runs
from interpnet_tf.runs import config as run_config
from interpnet_tf.runs import folder as run_folder
from interpnet_tf.runs.sentence_source import read_source


def test_a_config_from_before_there_were_schedules(tmp_path):
    config = {"data": "sketchbirds", "variant": "interpnet-1", "cool_down": 3, "options": {"per_species": 2}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert runs.read_config(tmp_path) == runs.RunConfig(
        "sketchbirds",
        variant="interpnet-1",
        cool_down=3,
        options={"per_species": 2},
        schedule="paper",
        warmup_epochs=0.0,
        label_smoothing=0.0,
    )


@pytest.fixture(scope="module")
def whole(birds, valid_birds, tmp_path_factory):
    """A run of verbalized sentences, with a cosine, that learns reasons last; that is noted and not done."""
    config = runs.RunConfig(
        "sketchbirds",
        units=8,
        epochs=2,
        classifier_epochs=2,
        batch_size=10,
        learning_rate=0.01,
        schedule="cosine",
        warmup_epochs=0.5,
        label_smoothing=0.1,
        reason_epochs=3,
        seed=5,
        data_seed=7,
    )
    folder, given = tmp_path_factory.mktemp("whole") / "run", []
    made = dataclasses.replace(birds, source="verbalized")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            run_folder, "train_reasons", lambda *data, **options: given.append(options) or [{"reward": 1.5}]
        )
        patch.setattr(run_folder, "concepts_of", lambda train: None)
        model = runs.train(config, folder, splits=(made, valid_birds))
    return SimpleNamespace(config=config, folder=folder, model=model, given=given)


def test_a_run_with_a_cosine(whole):
    assert read_source(whole.folder) == "verbalized"
    config, model = runs.read(whole.folder)
    assert config == whole.config
    assert model.label_smoothing == 0.1
    # 20 sentences make two batches an epoch: one step of warm-up, then three of the cosine.
    assert model.optimizer.get_config()["learning_rate"]["config"]["decay_steps"] == 3
    with (whole.folder / "history.csv").open(newline="") as file:
        rates = [float(row["learning_rate"]) for row in csv.DictReader(file) if row["stage"] == "explainer"]
    assert rates == pytest.approx([0.01 * 0.75, 0.0], abs=1e-9)  # 0.005 (1 + cos 60°)


def test_a_run_that_is_trained_on_to_say_reasons(tmp_path):
    options = {"per_species": 1}
    config = runs.RunConfig("sketchbirds", units=8, epochs=1, classifier_epochs=1, options=options)
    first = runs.train(config, tmp_path / "first")
    config = dataclasses.replace(config, explainer=str(tmp_path / "first"), reason_epochs=1)
    model = runs.train(config, tmp_path / "reasons")
    for weight, before in zip(model.classifier.get_weights(), first.classifier.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, before)
    pairs = zip(model.decoder.get_weights(), first.decoder.get_weights(), strict=True)
    assert any(np.abs(weight - before).max() > 1e-5 for weight, before in pairs)
    history = runs.read_history(tmp_path / "reasons")
    assert list(history) == ["reasons"]
    for name in ("reward", "val_reward", "val_loss"):
        assert len(history["reasons"][name]) == 1
        assert all(map(math.isfinite, history["reasons"][name]))


def test_a_whole_run_learns_reasons_last(whole):
    ((epochs, seed),) = [(options["epochs"], options["seed"]) for options in whole.given]
    assert (epochs, seed) == (3, 5)
    history = runs.read_history(whole.folder)
    assert list(history) == ["classifier", "explainer", "reasons"]
    assert history["reasons"] == {"reward": [1.5]}


def test_a_run_that_is_trained_on_for_no_epoch(tmp_path):
    with pytest.raises(ValueError, match="reason_epochs must be at least 1"):
        runs.RunConfig("sketchbirds", explainer="run")


def test_reasons_of_sentences_without_phrases_are_refused_before_training(birds, valid_birds, tmp_path):
    wordless = dataclasses.replace(birds, explanations=[["it flies."] for _ in birds.explanations])
    config = runs.RunConfig("sketchbirds", units=8, epochs=1, classifier_epochs=1, reason_epochs=1)
    with pytest.raises(ValueError, match="no phrase, such as 'red crown'"):
        runs.train(config, tmp_path / "run", splits=(wordless, valid_birds))
    assert not (tmp_path / "run").exists()


def test_a_data_set_that_has_moved(monkeypatch):
    given = []
    monkeypatch.setattr(
        run_config.loading, "load", lambda *arguments, **options: given.append((arguments, options))
    )
    config = runs.RunConfig("cub", root="old", seed=3, options={"image_size": 32})
    config.load("test")
    config.load("test", root="new")
    assert given == [(("cub", "test", root, 3), {"image_size": 32}) for root in ("old", "new")]


def test_a_classifier_and_its_r_that_are_at_hand(whole, birds, valid_birds, tmp_path):
    """Gives the weights of a run that trains and reads the same classifier itself."""
    trained = whole.model
    trained.classifier.save(tmp_path / "classifier.keras")
    classifier = str(tmp_path / "classifier.keras")
    shared = dataclasses.replace(whole.config, classifier=classifier, reason_epochs=0)
    r = tuple(trained.introspect(part.explained().inputs) for part in (birds, valid_birds))
    for name, given in {"read": None, "given": r}.items():
        model = runs.train(shared, tmp_path / name, splits=(birds, valid_birds), r=given)
        for weight, expected in zip(model.get_weights(), trained.get_weights(), strict=True):
            np.testing.assert_allclose(weight, expected, atol=1e-6)
        lines = (tmp_path / name / "history.csv").read_text().splitlines()
        assert [line.split(",")[0] for line in lines] == ["stage", "explainer", "explainer"]
    with pytest.raises(ValueError, match=r"r must be \(examples, 808\), got \(12, 5\)"):
        runs.train(shared, tmp_path / "wrong", splits=(birds, valid_birds), r=(r[0][:, :5], r[1]))


def test_dropout_of_the_classifier_is_that_of_the_config(birds, valid_birds, tmp_path):
    config = runs.RunConfig("any", variant="interpnet-1", classifier_epochs=1, classifier_dropout=0.25)
    classifier, history = runs.classifier_of(config, birds, valid_birds, tmp_path)
    assert classifier.get_layer("hidden_1_dropout").rate == 0.25
    assert len(history) == 1
    with pytest.raises(ValueError, match="classifier_dropout must be at least 0 and less than 1, got 1"):
        runs.RunConfig("any", classifier_dropout=1)


def test_the_data_seed_is_that_of_the_data(monkeypatch):
    given = []
    monkeypatch.setattr(run_config.loading, "load", lambda *arguments, **_: given.append(arguments[-1]))
    runs.RunConfig("cub", root="here", seed=3).load("test")
    runs.RunConfig("cub", root="here", seed=3, data_seed=0).load("test")
    assert given == [3, 0]


def test_the_history_of_a_run(tmp_path):
    """A loss that was not finite is not a number; columns that a stage never has are left out."""
    assert runs.read_history(tmp_path) == {}
    rows = [
        "stage,epoch,loss,val_loss,accuracy",
        "classifier,1,2.5,2,0.5",
        "classifier,2,,1,0.75",
        "explainer,1,3,4,",
    ]
    (tmp_path / "history.csv").write_text("\n".join(rows) + "\n")
    history = runs.read_history(tmp_path)
    assert math.isnan(history["classifier"]["loss"].pop())
    assert history == {
        "classifier": {"loss": [2.5], "val_loss": [2, 1], "accuracy": [0.5, 0.75]},
        "explainer": {"loss": [3], "val_loss": [4]},
    }
