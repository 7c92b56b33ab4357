"""`Verbalizer`: true sentences of tables, read back and judged; records with such sentences."""

import json
import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from interpnet_tf.cli import main
from interpnet_tf.data import records
from interpnet_tf.data.verbalizer import Fact, Verbalizer, examples
from interpnet_tf.support.errors import UnreadableFileError

BIRDS = {  # in per cent of annotators
    "crown::red": [90, 10, 40],
    "crown::black": [60, 80, 50],
    "size::small": [55, 30, 0],
    "size::tiny": [45, 25, 0],
    "bill::hooked": [0, 0, 95],
}
SPECIES = ["Alder", "Birch", "Cedar"]
TEMPLATES = {
    "subject": "bird",
    "attributes": {
        "size": {"say": "a {value} bird", "words": {"small": "small", "tiny": ["small", "tiny"]}},
        "bill": "a {value} bill",
        "crown": ["a {value} crown", "its crown is {value}"],
    },
}
WINES = {
    "alcohol": [14.1, 14.3, 13.9, 12.0, 12.2, None],
    "colour": ["red", "red", "white", "white", "red", "white"],
    "is_organic": [True, True, True, False, False, None],
    "has_cork": [1, 1, 1, 1, 1, 0],
}
GRAPES = ["Barbera"] * 3 + ["Riesling"] * 3


@pytest.fixture(scope="module")
def birds():
    return Verbalizer(TEMPLATES).adapt(BIRDS, SPECIES)


@pytest.fixture(scope="module")
def wines():
    return Verbalizer(subject="wine").adapt(WINES, GRAPES)


def row_of(table, row):
    return {name: column[row] for name, column in table.items()}


class TestVerbalizer:
    def test_what_is_true_by_hand(self, birds):
        true = [birds.true_of(row_of(BIRDS, row)) for row in range(3)]
        red, black = Fact("crown", "red"), Fact("crown", "black")
        small = Fact("size", "small")  # of small and tiny birds together: 100, 55, 0 per cent
        assert true == [{red, black, small}, {black, small}, {black, Fact("bill", "hooked")}]

    def test_what_sets_apart_is_said(self, birds):
        sentences = birds.sentences(row_of(BIRDS, 2), "Cedar", n=4)
        # A hooked bill is Cedar's alone; a black crown is less Cedar's than the others'.
        assert all("hooked bill" in sentence for sentence in sentences)
        assert len(set(sentences)) == 4

    def test_numbers_categories_and_missing_cells_by_hand(self, wines):
        # A third of 12.0, 12.2, 13.9, 14.1, 14.3 is at most 12.2, two thirds at most 13.9.
        assert wines.knowledge.attributes[0].thresholds == pytest.approx((13.05, 14.0))
        # Medium is true up to five sixths of them, which is between 14.1 and 14.3.
        facts = {
            Fact("alcohol", "high"),
            Fact("alcohol", "medium"),
            Fact("colour", "red"),
            Fact("is_organic", "it is organic"),
        }
        assert wines.true_of(row_of(WINES, 0)) == facts | {Fact("has_cork", "cork")}
        assert wines.true_of(row_of(WINES, 5)) == {Fact("colour", "white"), Fact("has_cork", "no cork")}

    def test_columns_that_stand_alone_make_words(self, wines):
        said = " ".join(wines.sentences(row_of(WINES, 0), "Barbera"))
        for phrase in ("red wine", "high alcohol", "it is organic"):
            assert phrase in said

    def test_same_seed_same_sentences(self, wines):
        assert wines(WINES, GRAPES, n=4, seed=1) == wines(WINES, GRAPES, n=4, seed=1)
        assert wines(WINES, GRAPES, n=4, seed=1) != wines(WINES, GRAPES, n=4, seed=2)
        assert wines.sentences(row_of(WINES, 0), "Barbera", 4, seed=(1, 0)) == wines(WINES, GRAPES, 4, 1)[0]

    def test_nothing_is_said_of_nothing(self, wines):
        assert wines.sentences(dict.fromkeys(WINES)) == []

    def test_fewer_where_there_is_no_more_to_say(self):
        one = Verbalizer({"frames": "a {subject} with {phrases}."}, subject="bird").adapt(
            {"fur": [True, False]}
        )
        assert one.sentences({"fur": True}, n=10) == ["a bird with fur."]

    def test_arrays(self):
        x = np.array([[1.0, 5.0], [2.0, 6.0], [3.0, 4.0]])
        verbalizer = Verbalizer(subject="flower").adapt(x, ["a", "b", "c"], names=["width", "length"])
        assert verbalizer.sentences(x[2], "c", n=2) == verbalizer.sentences(
            {"width": 3, "length": 4}, "c", n=2
        )
        assert len(verbalizer(x, ["a", "b", "c"], n=2)) == 3
        with pytest.raises(ValueError, match=r"of shape \(3, 1\) and 2 names"):
            verbalizer(x[:, :1])

    def test_judges_what_others_say(self, birds):
        said = ["a red and black crown and a forked tail.", "this tiny bird has a red crown.", "a bird."]
        judgement = birds.judge(said, BIRDS)
        assert judgement == (4, 2, 1)  # true: Alder's red and black; false: Birch is not tiny, nor red
        assert judgement.share_true == 0.5
        assert math.isnan(birds.judge(["a bird."], [row_of(BIRDS, 0)]).share_true)

    def test_saved_and_loaded(self, birds, wines, tmp_path):
        for verbalizer, table, labels in ((birds, BIRDS, SPECIES), (wines, WINES, GRAPES)):
            verbalizer.save(tmp_path / "v.json")
            loaded = Verbalizer.load(tmp_path / "v.json")
            assert loaded(table, labels, n=3) == verbalizer(table, labels, n=3)
            assert loaded.get_config() == verbalizer.get_config()
        (tmp_path / "v.json").write_text('{"threshold": 2}')
        with pytest.raises(UnreadableFileError, match="threshold must be more than 0"):
            Verbalizer.load(tmp_path / "v.json")

    def test_config_of_one_that_has_learnt_nothing(self):
        verbalizer = Verbalizer.from_config(Verbalizer(TEMPLATES, threshold=0.7).get_config())
        assert verbalizer.threshold == 0.7
        with pytest.raises(ValueError, match="learnt from no table yet; call adapt first"):
            verbalizer.sentences({})
        with pytest.raises(ValueError, match="call adapt first"):
            verbalizer.facts_said("a bird.")

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"threshold": 0}, "threshold must be more than 0 and at most 1, got 0"),
            ({"quantiles": (0.7, 0.3)}, "quantiles must rise between 0 and 1"),
            ({"leeway": 1}, "leeway must be at least 0 and less than 1, got 1"),
            ({"levels": ("low", "high")}, "levels must be 3 different words"),
            ({"facts_a_sentence": (0, 2)}, r"facts_a_sentence\[0\] must be at least 1"),
            ({"facts_a_sentence": (3, 2)}, r"facts_a_sentence\[1\] must be at least 3"),
        ],
    )
    def test_says_what_is_wrong(self, options, message):
        with pytest.raises(ValueError, match=message):
            Verbalizer(**options)

    def test_says_what_is_wrong_with_data(self, wines):
        with pytest.raises(ValueError, match="label must be one of Barbera, Riesling, got 'Merlot'"):
            wines.sentences(row_of(WINES, 0), "Merlot")
        with pytest.raises(ValueError, match="labels must be one a row, 6, got 1"):
            wines(WINES, ["Barbera"])
        with pytest.raises(ValueError, match="sentences must be one a row, 6, got 1"):
            wines.judge(["a wine."], WINES)
        with pytest.raises(ValueError, match="table has nothing to say"):
            Verbalizer().adapt({"id": ["a", "a"]})
        with pytest.raises(ValueError, match="no word that could be read"):
            Verbalizer().adapt({"_": [1.0, 2.0]})
        with pytest.raises(ValueError, match="says both"):
            Verbalizer().adapt({"ash (g)": [1.0, 2.0], "ash (%)": [1.0, 2.0]})


def test_needs_no_tensorflow():
    code = (
        "import sys; from interpnet_tf.data.verbalizer import Verbalizer\n"
        "assert Verbalizer().adapt({'ash': [1.0, 2.0]}).sentences({'ash': 1}, n=1)\n"
        "assert not {'tensorflow', 'keras', 'pandas'} & set(sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


CELLS = st.sampled_from([None, 0.5, 1.5, 2.5]), st.sampled_from([None, "red", "dark red", "on sale"])


@given(
    table=st.lists(
        st.fixed_dictionaries(
            {
                "total_ash": CELLS[0],
                "ash": CELLS[0],
                "wine_colour": CELLS[1],
                "origin": CELLS[1],
                "is_old": st.sampled_from([None, True, False]),
                "taste::sweet": st.sampled_from([None, 0.2, 0.9]),
            }
        ),
        min_size=2,
        max_size=6,
    ),
    labels=st.lists(st.sampled_from("ab"), min_size=8, max_size=8),
    seed=st.integers(0, 99),
)
@settings(max_examples=30, deadline=None)
def test_every_sentence_is_true_and_read_back(table, labels, seed):
    table = [*table, {"ash": 0.5, "is_old": True}, {"ash": 1.5, "is_old": False}]  # something to say
    labels = labels[: len(table)]
    verbalizer = Verbalizer(subject="wine").adapt(table, labels)
    for row, label, sentences in zip(table, labels, verbalizer(table, labels, n=3, seed=seed), strict=True):
        true = verbalizer.true_of(row)
        assert bool(sentences) == bool(true)
        assert len(set(sentences)) == len(sentences) <= 3
        for sentence in sentences:
            reading = verbalizer.facts_said(sentence)
            assert reading.facts
            assert set(reading.facts) <= true
            assert reading.unknown == ()
        assert (
            sentences == verbalizer.sentences(row, label, 3, (seed, table.index(row))) or table.count(row) > 1
        )


def write_csv(path, columns):
    rows = [columns, *zip(*columns.values(), strict=True)]
    path.write_text(
        "".join(",".join("" if cell is None else str(cell) for cell in row) + "\n" for row in rows)
    )
    return path


@pytest.fixture
def wine_csv(tmp_path):
    splits = ["train", "train", "test", "train", "train", "validation"]
    return write_csv(tmp_path / "wine.csv", {**WINES, "grape": GRAPES, "split": splits})


class TestExamples:
    def test_table_becomes_records(self, wine_csv, tmp_path, capsys):
        out = tmp_path / "out.jsonl"
        arguments = ["--label", "grape", "--subject", "wine", "--sentences", "3", "--out", str(out)]
        assert main(["verbalize", "--table", str(wine_csv), *arguments]) == 0
        assert "about 6 examples of 2 classes" in capsys.readouterr().out
        dataset = records.load(out)
        assert list(dataset.inputs) == list(WINES)
        assert dataset.source == "verbalized"
        assert dataset.class_names == ["Barbera", "Riesling"]
        assert all(dataset.explanations)
        assert len(records.load(out, "train")) == 4
        verbalizer = Verbalizer.load(tmp_path / "out.verbalizer.json")
        # Learnt on the training rows, whose alcohol is 12.0, 12.2, 14.1, 14.3.
        assert verbalizer.knowledge.attributes[0].thresholds == pytest.approx((12.1 + 1.05, 14.2))
        rows = [json.loads(line) for line in out.read_text().splitlines()]
        sentences = [sentence for row in rows for sentence in row["explanations"]]
        judgement = verbalizer.judge(sentences, [row for row in rows for _ in row["explanations"]])
        assert judgement.facts == judgement.true >= len(sentences)
        assert judgement.unknown == 0

    def test_splits_are_drawn(self, tmp_path):
        path = write_csv(tmp_path / "t.csv", {"size": range(40), "label": ["a", "b"] * 20})
        made = examples.of_table(path, Verbalizer())
        splits = [record["split"] for record in made]
        assert {split: splits.count(split) for split in set(splits)} == {
            "train": 32,
            "validation": 4,
            "test": 4,
        }

    def test_classes_give_their_examples_sentences(self, tmp_path, capsys):
        table = write_csv(tmp_path / "birds.csv", {"label": SPECIES, **BIRDS})
        (tmp_path / "photos").mkdir()
        for name in ("1.png", "2.png"):
            Image.new("RGB", (8, 8)).save(tmp_path / "photos" / name)
        photos = tmp_path / "photos" / "photos.csv"
        photos.write_text("image,label,explanations\n1.png,Alder,old.\n2.png,Cedar,\n")
        (tmp_path / "templates.json").write_text(json.dumps(TEMPLATES))
        out = tmp_path / "made" / "out.jsonl"
        command = ["verbalize", "--attributes", table, "--examples", photos, "--out", out, "--sentences", 2]
        command += ["--templates", tmp_path / "templates.json"]
        assert main([str(part) for part in command]) == 0
        capsys.readouterr()
        dataset = records.load(out, image_size=8)
        assert dataset.inputs.shape == (2, 8, 8, 3)
        assert [len(sentences) for sentences in dataset.explanations] == [2, 2]
        assert "hooked bill" in dataset.explanations[1][0]
        photos.write_text("image,label\n1.png,Dogwood\n")
        assert main([str(part) for part in command]) == 2
        assert "photos.csv:2: birds.csv has no row for the class 'Dogwood'" in capsys.readouterr().err

    def test_cub(self, tmp_path):
        folder = tmp_path / "CUB_200_2011"
        folder.mkdir()
        lists = {
            "images": [f"00{1 + i // 10}.x/{i}.jpg" for i in range(20)],
            "classes": ["001.Alder_Tit", "002.Birch_Tit"],
            "image_class_labels": [1 + i // 10 for i in range(20)],
            "train_test_split": [int(i % 10 > 0) for i in range(20)],
            "attributes": ["has_crown_color::red", "has_crown_color::grey", "has_size::small_(5_-_9_in)"],
        }
        for name, values in lists.items():
            lines = "".join(f"{number} {value}\n" for number, value in enumerate(values, start=1))
            (folder / f"{name}.txt").write_text(lines)
        (folder / "attributes").mkdir()
        table = folder / "attributes" / "class_attribute_labels_continuous.txt"
        table.write_text("90 20 60\n10 70 20\n")
        made = examples.of_cub(tmp_path, Verbalizer("cub"), n=2)
        assert [record["split"] for record in made].count("test") == 2
        assert [record["split"] for record in made].count("validation") == 2
        assert made[0]["image"] == folder / "images" / "001.x" / "0.jpg"
        assert made[0]["label"] == "Alder Tit"
        assert all("red" in sentence or "small" in sentence for sentence in made[0]["explanations"])
        assert all("grey" in sentence or "gray" in sentence for sentence in made[19]["explanations"])

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (["--label", "vine"], "wine.csv has no column 'vine', only alcohol"),
            (["--examples", "x.csv"], "--examples is for --attributes"),
            (["--root", "x"], "--data cub and --root go together"),
            (["--out", "x.csv"], "path must end in .jsonl, got 'x.csv'"),
        ],
    )
    def test_command_says_what_is_wrong(self, wine_csv, tmp_path, capsys, options, message):
        command = [
            "verbalize",
            "--table",
            str(wine_csv),
            "--label",
            "grape",
            "--out",
            str(tmp_path / "o.jsonl"),
        ]
        assert main([*command, *options]) == 2
        assert message in capsys.readouterr().err
