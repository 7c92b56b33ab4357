"""A run on a table: numbers, categories and booleans, cells of which are missing."""

import json
import re

import numpy as np
import pytest

from interpnet_tf import Introspector, classifiers, metrics, runs
from interpnet_tf.cli import main
from interpnet_tf.data import records
from interpnet_tf.runs.data_check import check_classifier
from interpnet_tf.runs.evaluation import evaluate
from interpnet_tf.runs.trained import Trained

COLUMNS = ["alcohol", "acid_ph", "colour", "fine"]
ROW = {"alcohol": 14.1, "acid/ph": 3.0, "colour": "red", "fine": True}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("table")
    lines = ["alcohol,acid/ph,colour,fine,label,explanation,split"]
    for split, count in (("train", 16), ("validation", 4), ("test", 4)):
        for index in range(count):
            red = index % 2 == 0
            alcohol, acid = ("14" if red else "11"), ("" if index == 1 else str(3 + index % 3))
            said = "a red strong wine." if red else "a white light wine."
            lines.append(
                f"{alcohol}.{index % 10},{acid},{'red' if red else 'white'},{red},{red},{said},{split}"
            )
    (folder / "wine.csv").write_text("\n".join(lines) + "\n")
    config = runs.RunConfig(str(folder / "wine.csv"), units=8, epochs=1, classifier_epochs=12, batch_size=4)
    runs.train(config, folder / "run")
    return folder / "run"


def test_what_the_classifier_of_a_table_computes():
    columns = {
        "ash": np.float32([1, 3, np.nan]),  # mean 2, deviation 1
        "hue": np.float32([2, 4, 6]),  # mean 4, deviation √(8/3)
        "fine": np.array([True, False, True]),  # mean 2/3, deviation √2/3
        "colour": np.array(["red", "white", "red"]),
    }
    classifier = classifiers.table_mlp(columns, classes=2, hidden=(3,), seed=0)
    introspector = Introspector(classifier)
    assert introspector.layer_paths == ("features", "hidden_1", "probabilities")
    rows = {
        "ash": np.float32([5, np.nan]),
        "hue": np.float32([4, np.nan]),
        "fine": np.array([False, True]),
        "colour": np.array(["white", "pink"], object),
    }
    half = np.sqrt(2)
    # ash and whether it is missing; hue, of which none is missing; fine; an unknown colour, red, white
    expected = [[3, 0, 0, -half, 0, 0, 1], [0, 1, 0, half / 2, 1, 0, 0]]
    np.testing.assert_allclose(introspector.predict(rows, verbose=0)["features"], expected, atol=1e-6)


def test_columns_that_make_no_classifier():
    with pytest.raises(ValueError, match="a column cannot be called 'hidden_1'"):
        classifiers.table_mlp({"hidden_1": np.zeros(2)}, 2)
    with pytest.raises(ValueError, match=r"'ids' must hold one cell a row, got the shape \(2, 3\)"):
        classifiers.table_mlp({"ids": np.zeros((2, 3))}, 2)
    names = np.array([f"name {index}" for index in range(51)])
    with pytest.warns(UserWarning, match="'name' is left out of the classifier: it holds 51 different texts"):
        classifier = classifiers.table_mlp({"name": names, "ash": np.arange(51.0)}, 2)
    assert list(classifier.input) == ["ash"]
    with (
        pytest.warns(UserWarning, match="is left out"),
        pytest.raises(ValueError, match="no column to classify by among name"),
    ):
        classifiers.table_mlp({"name": names}, 2)


def test_evaluation_of_a_run_on_a_table(run, monkeypatch):
    monkeypatch.setattr(metrics, "score_columns", lambda *_: {})  # of words it computes as ever
    trained = Trained(run)
    test, training = trained.load("test"), trained.load("train")
    assert list(test.inputs) == COLUMNS
    result = evaluate(trained.model, test, training.explanations, yardsticks=False)
    assert result["accuracy"] == 1.0


def test_rows_of_any_form_are_explained_alike(run):
    _, model = runs.read(run)
    arrays = {
        "alcohol": np.float32([14.1, np.nan]),
        "acid_ph": np.float32([3, 4]),
        "colour": ["red", "white"],
        "fine": np.array([True, False]),
        "label": ["unread"] * 2,
    }
    rows = [ROW, {"acid/ph": "4", "colour": "white", "fine": "False", "alcohol": None}]
    said = model.explain(arrays)
    assert [explanation.label for explanation in said] == ["True", "False"]
    assert model.explain(rows) == said
    probabilities = model.predict(rows, verbose=0)["probabilities"]
    np.testing.assert_allclose(probabilities, [one.probabilities for one in said], rtol=1e-5)
    with pytest.raises(ValueError, match=r"must hold the inputs \['acid_ph', .*\['colour', 'fine'\] is miss"):
        model.explain([{"alcohol": 14, "acid/ph": 3, "color": "red"}])
    with pytest.raises(ValueError, match="row 0: column 'alcohol' must hold finite numbers, got 'much'"):
        model.explain([{**ROW, "alcohol": "much"}])
    with pytest.raises(ValueError, match="x holds infinity in example 1"):
        model.explain({**arrays, "alcohol": np.float32([1, np.inf])})


def test_layers_of_a_table_are_attributed(run):
    _, model = runs.read(run)
    attribution = model.attribute([{**ROW, "alcohol": None}], steps=4)[0]
    assert attribution.layers == ("features", "hidden_1", "hidden_2", "probabilities")
    assert np.isfinite(attribution.scores).all()


def test_a_classifier_reads_the_columns_of_its_inputs_names(run, tmp_path):
    path = tmp_path / "wine.csv"
    path.write_text("alcohol,colour,label\n14,red,a\n11,white,b\n")
    _, model = runs.read(run)
    with pytest.raises(ValueError, match=r"has the columns alcohol, colour: .*\['acid_ph', 'fine'\] is miss"):
        check_classifier(model.classifier, records.load(path), "'wine.csv'")
    (tmp_path / "vectors.csv").write_text("features,label\n1 2,a\n3 4,b\n")
    with pytest.raises(ValueError, match=r"holds vectors of 2 numbers; give data with a column of the name"):
        check_classifier(model.classifier, records.load(tmp_path / "vectors.csv"), "'vectors.csv'")


def test_rows_of_files_are_explained(run, tmp_path, capsys):
    path, lines = tmp_path / "new.csv", tmp_path / "new.jsonl"
    path.write_text(",alcohol,acid/ph,colour,fine,id\n0,14.1,3,red,True,first\n1,,4,white,False,\n")
    lines.write_text('{"alcohol": 14.1, "acid_ph": null, "colour": "red", "fine": true}\n')
    assert main(["explain", str(run), str(path), str(lines), "--json"]) == 0
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["file"] for one in said] == ["first", f"{path}[1]", f"{lines}[0]"]
    assert [one["label"] for one in said] == ["True", "False", "True"]
    path.write_text("alcohol,acidity,color,fine\n14.1,3,red,True\n")
    for arguments, message in (
        (
            [str(path)],
            r"reads the columns acid_ph, alcohol, colour, fine; .*\['acid_ph', 'colour'\] is",
        ),
        ([str(tmp_path / "a.png")], r"a\.png: the classifier reads the columns acid_ph, .*\.csv or \.jsonl"),
        (["--text", "red"], "--text is for a classifier of one text, but 'table_mlp' reads the columns"),
        ([], "name the files to explain"),
    ):
        assert main(["explain", str(run), *arguments]) == 2
        assert re.search(message, capsys.readouterr().err)
