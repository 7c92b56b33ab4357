"""The command line with a classifier of one's own, and with `.keras` files in place of run folders."""

import json

import keras
import numpy as np
import pytest

import interpnet_tf as itf
from interpnet_tf.cli import main
from interpnet_tf.data import records
from interpnet_tf.runs import folder as runs

SAID = {"crow": "a black bird.", "gull": "a white bird."}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A data set of three numbers, a classifier that knows it, and a model that was trained in Python."""
    folder = tmp_path_factory.mktemp("own")
    rows = ["features,label,explanation,split"]
    for index in range(24):
        name = ("crow", "gull")[index % 2]
        split = ("train", "train", "train", "validation", "test", "test")[index // 2 % 6]
        rows.append(f"{index % 2} {1 - index % 2} 0.5,{name},{SAID[name]},{split}")
    (folder / "birds.csv").write_text("\n".join(rows) + "\n")
    inputs = keras.Input((3,), name="numbers")
    x = keras.layers.Dense(4, "tanh", name="inner")(inputs)
    classifier = keras.Model(inputs, keras.layers.Dense(2, "softmax", name="out")(x), name="mine")
    classifier.get_layer("inner").set_weights([np.eye(3, 4) * 3, np.zeros(4)])
    classifier.get_layer("out").set_weights([np.array([[-5, 5], [5, -5], [0, 0], [0, 0]]), np.zeros(2)])
    classifier.save(folder / "mine.keras")
    train = records.load(folder / "birds.csv", "train")
    tokenizer = itf.ExplanationTokenizer().adapt(train.explanations)
    model = itf.InterpNet(
        classifier,
        tokenizer,
        decoder=itf.LRCNDecoder(tokenizer.vocabulary_size, 8, 8),
        class_names=train.class_names,
    )
    model.compile("adam")
    model.save(folder / "birds.keras")
    np.savez(folder / "birds.npz", features=[[0, 1, 0.5], [1, 0, 0.5]])
    return folder


@pytest.fixture
def interpnet(folder, monkeypatch, capsys):
    """Runs the command line in the folder, and returns exit code, standard output and error."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PATH", "")  # METEOR, in Java, takes most of a minute

    def run(*arguments):
        return main([str(argument) for argument in arguments]), *capsys.readouterr()

    return run


TRAIN = ("train", "--data", "birds.csv", "--epochs", 1, "--units", 8)


@pytest.fixture(scope="module")
def run(folder):
    """A run folder with the classifier."""
    arguments = ["--classifier", "mine.keras", "--layers", "inner", "out", "--out", str(folder / "run")]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert main([*map(str, TRAIN), *arguments]) == 0
    return folder / "run"


def test_its_explainer_is_trained_and_nothing_else(run, folder):
    config = json.loads((run / "config.json").read_text())
    assert (config["variant"], config["classifier"], config["layers"]) == (
        None,
        "mine.keras",
        ["inner", "out"],
    )
    assert {line.split(",")[0] for line in (run / "history.csv").read_text().splitlines()[1:]} == {
        "explainer"
    }
    model, own = itf.load(run / "model.keras"), keras.saving.load_model(folder / "mine.keras")
    assert list(model.introspector.slices) == ["inner", "out"]
    for ours, theirs in zip(model.classifier.get_weights(), own.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_the_run_is_evaluated_and_explains(run, interpnet):
    code, out, err = interpnet("evaluate", "run", "--json")
    assert code == 0, err
    assert json.loads(out)["accuracy"] == 1
    code, out, err = interpnet("explain", "run", "birds.npz", "--json")
    assert [json.loads(line)["label"] for line in out.splitlines()] == ["crow", "gull"]


def test_without_layers_all_explain(interpnet, folder):
    code, _, err = interpnet(*TRAIN, "--classifier", "mine.keras", "--out", "all")
    assert code == 0, err
    slices = itf.load(folder / "all" / "model.keras").introspector.slices
    assert list(slices) == ["numbers", "inner", "out"]


@pytest.mark.parametrize("place", ["mine.keras", "birds.keras", "run"])
def test_the_classifier_of_a_model_may_be_given_as_the_model_or_its_run(run, folder, monkeypatch, place):
    monkeypatch.chdir(folder)
    classifier = runs._read_classifier(place)
    assert [layer.name for layer in classifier.layers] == ["numbers", "inner", "out"]


def test_a_keras_file_explains_and_is_evaluated(interpnet, folder):
    code, out, err = interpnet("explain", "birds.keras", "birds.npz", "--json")
    assert code == 0, err
    assert [json.loads(line)["label"] for line in out.splitlines()] == ["crow", "gull"]
    before = sorted(path.name for path in folder.iterdir())
    code, out, err = interpnet("evaluate", "birds.keras", "--data", "birds.csv", "--json")
    assert code == 0, err
    result = json.loads(out)
    assert (result["accuracy"], result["explained"], result["data"]) == (1, 8, "birds.csv")
    assert "model" in result["rows"]
    assert sorted(path.name for path in folder.iterdir()) == before


@pytest.mark.slow
def test_a_keras_file_is_exported(interpnet, folder):
    code, _, err = interpnet("export", "birds.keras", "export/1")
    assert code == 0, err
    assert json.loads((folder / "export/1/model_card.json").read_text())["class_names"] == ["crow", "gull"]
    litert = ("export", "birds.keras", "birds.tflite", "--format", "litert")
    code, _, err = interpnet(*litert, "--data", "birds.csv")
    assert code == 0, err
    assert json.loads((folder / "birds.model_card.json").read_text())["quality"]["examples"] == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["evaluate", "birds.keras"], "birds.keras does not say what data it is of; name it with --data"),
        (["evaluate", "none.keras", "--data", "birds.csv"], "there is no model file 'none.keras'"),
        (["evaluate", "mine.keras", "--data", "birds.csv"], "mine.keras holds a Functional"),
        (
            ["evaluate", "birds.keras", "--data", "wide.csv"],
            "'mine' reads vectors of 3 numbers, but 'wide.csv'",
        ),
        (["evaluate", "birds.keras", "--data", "three.csv"], "unknown label 'robin'"),
        (["explain", "mine.keras", "birds.npz"], "load it with keras.saving.load_model"),
        (["explain", "birds.keras", "wide.npy"], "wide.npy: holds an array of shape (1, 4)"),
        (["explain", "birds.keras", "words.npy"], "words.npy: holds <U1 and not numbers"),
        (["explain", "birds.keras", "birds.csv"], "birds.csv must hold the inputs ['numbers']"),
        (["explain", "birds.keras", "birds.npz", "--beams", 0], "beams must be at least 1"),
        (
            ["explain", "birds.keras", "birds.npz", "--n-best", 9, "--sampler", "beam"],
            "n_best must be at most",
        ),
        (["export", "none", "out"], "none is not a run folder"),
    ],
)
def test_what_does_not_fit_is_said_in_one_sentence(interpnet, folder, arguments, message):
    rows = (folder / "birds.csv").read_text()
    (folder / "wide.csv").write_text(rows.replace(" 0.5,", " 0.5 1,"))
    (folder / "three.csv").write_text(rows.replace("crow", "robin", 1))
    np.save(folder / "wide.npy", np.ones(4))
    np.save(folder / "words.npy", np.array(["a", "b", "c"]))
    code, out, err = interpnet(*arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert err.startswith(f"interpnet {arguments[0]}: error: ")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--classifier", "mine.keras", "--data", "three.csv"],
            "'mine' knows 2 classes, but 'three.csv' has 3",
        ),
        (["--classifier", "mine.keras", "--data", "wide.csv"], "holds vectors of 4 numbers"),
        (["--classifier", "mine.keras", "--layers", "outer"], "outer"),
        (["--classifier", "mine.keras", "--variant", "interpnet-2"], "features"),
        (["--classifier", "mine.keras", "--backbone", "run"], "backbone is for a classifier to be trained"),
        (["--classifier", "none.keras"], "there is no model file 'none.keras'"),
        (["--classifier", "birds.csv"], "birds.csv is not a run folder"),
        (["--layers", "outer"], "outer"),
        (["--data", "one.csv"], "the class 'crow' only; a classifier needs two or more"),
        (["--max-length", 1], "max_length must be at least 2"),
        (["--minimum-count", 999], "no word that occurs at least minimum_count=999 times"),
        (["--minimum-count", 0], "minimum_count must be at least 1"),
        (["--epochs", 0], "epochs must be at least 1"),
        (["--batch-size", 0], "batch_size must be at least 1"),
        (["--batch-size", 10**30], "batch_size must be at least 1 and at most"),
        (["--units", 0], "units"),
        (["--dropout", 1], "dropout must be at least 0"),
        (["--data", "birds.csv", "--image-size", 8, "--per-species", 2], "has no option per_species"),
        (["--features", "none.npz"], "leave out the file of features"),
        (["--out", "birds.csv/run"], "birds.csv"),
    ],
)
def test_refused_before_anything_is_trained(interpnet, folder, monkeypatch, options, message):
    rows = (folder / "birds.csv").read_text()
    (folder / "wide.csv").write_text(rows.replace(" 0.5,", " 0.5 1,"))
    (folder / "three.csv").write_text(rows.replace("crow", "robin", 1))
    (folder / "one.csv").write_text(rows.replace("gull", "crow"))
    monkeypatch.setattr(keras.Model, "fit", lambda *_, **__: pytest.fail("it was trained"))
    code, out, err = interpnet(*TRAIN, "--out", "out", *options)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
    assert not (folder / "out").exists()


@pytest.mark.parametrize("seed", ["-1", "4294967296", "9" * 5000, "1.5", "٣"])
def test_seeds_out_of_range_are_refused(capsys, seed):
    for command in (["train", "--out", "out"], ["explain", "run", "f.npy"]):
        with pytest.raises(SystemExit):
            main([*command, f"--seed={seed}"])
        assert "must be a whole number from 0 to 2147482647" in capsys.readouterr().err


def test_options_are_not_abbreviated(capsys):
    """`--class` would be `--classifier` today and another tomorrow."""
    with pytest.raises(SystemExit):
        main(["train", "--out", "out", "--class", "mine.keras"])
    assert "unrecognized arguments: --class mine.keras" in capsys.readouterr().err


def test_a_report_of_a_file(folder, interpnet):
    report = ("report", "birds.keras", "--data", "birds.csv", "-o", "page.html", "--examples", 2)
    code, out, error = interpnet(*report, "--sampler", "beam")
    assert (code, out) == (0, "wrote page.html\n"), error
    html = (folder / "page.html").read_text("utf-8")
    assert "model on birds.csv, test examples" in html
    assert "constant sentence" in html
    code, _, error = interpnet(*report, "--worst", "facts")
    assert code == 2
    assert "not known" in error
    code, _, error = interpnet(*report, "--reasons", "--sampler", "beam")
    assert (code, "leave out the sampler" in error) == (2, True), error
