"""Run folders: what a config means, and what a run leaves behind."""

import csv
import json

import pytest

from interpnet_tf import runs


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


def test_a_run_with_a_cosine(birds, valid_birds, tmp_path):
    config = runs.RunConfig(
        "sketchbirds",
        units=8,
        epochs=2,
        classifier_epochs=1,
        batch_size=10,
        learning_rate=0.01,
        schedule="cosine",
        warmup_epochs=0.5,
        label_smoothing=0.1,
    )
    runs.train(config, tmp_path / "run", splits=(birds, valid_birds))
    read_config, model = runs.read(tmp_path / "run")
    assert read_config == config
    assert model.label_smoothing == 0.1
    # 20 sentences make two batches an epoch: one step of warm-up, then three of the cosine.
    assert model.optimizer.get_config()["learning_rate"]["config"]["decay_steps"] == 3
    with (tmp_path / "run" / "history.csv").open(newline="") as file:
        rates = [float(row["learning_rate"]) for row in csv.DictReader(file) if row["stage"] == "explainer"]
    assert rates == pytest.approx([0.01 * 0.75, 0.0], abs=1e-9)  # 0.005 (1 + cos 60°)


def test_a_data_set_that_has_moved(monkeypatch):
    given = []
    monkeypatch.setattr(
        runs.loading, "load", lambda *arguments, **options: given.append((arguments, options))
    )
    config = runs.RunConfig("cub", root="old", seed=3, options={"image_size": 32})
    config.load("test")
    config.load("test", root="new")
    assert given == [(("cub", "test", root, 3), {"image_size": 32}) for root in ("old", "new")]
