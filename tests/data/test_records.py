"""Tests of `interpnet_tf.data.records` and of `interpnet_tf.data.loading`, which resolves names."""

import csv
import json
from unittest.mock import create_autospec

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from interpnet_tf.data import cub, loading, records, sketchbirds

CSV = """id,features,label,explanations,split
a,0.5 1,gull,a white bird.|it swims.,train
b,2;-3e0,crow, a black bird. ||,test
c,4 5,crow,,train
"""
JSONL = [
    {"id": "a", "features": [0.5, 1], "label": "gull", "explanations": ["a white bird.", "it swims."]},
    {"id": "b", "features": [2, -3.0], "label": "crow", "explanation": " a black bird. "},
    {"id": "c", "features": [4, 5], "label": "crow", "explanations": []},
]
SPLITS = ["train", "test", "train"]


@pytest.fixture
def write(tmp_path):
    """Writes a file of records: text, or a list of objects that become JSON Lines."""

    def to_file(content, name=None):
        path = tmp_path / (name or ("birds.csv" if isinstance(content, str) else "birds.jsonl"))
        if not isinstance(content, str):
            content = "".join(json.dumps(fields) + "\n" for fields in content)
        path.write_bytes(content.encode())
        return path

    return to_file


def write_image(path, grey, size=(8, 8), **options):
    Image.new("RGB", size, (grey, grey, grey)).save(path, **options)


@pytest.mark.parametrize(
    "content",
    [
        CSV,
        CSV.replace("\n", "\r\n"),
        "\ufeff" + CSV,
        CSV.replace("\n", "\n\n"),
        [{**fields, "split": split} for fields, split in zip(JSONL, SPLITS, strict=True)],
    ],
    ids=["csv", "crlf", "bom", "blank lines", "jsonl"],
)
def test_both_formats_give_the_same_examples(write, content):
    dataset = records.load(write(content))
    assert dataset.class_names == ["crow", "gull"]
    assert dataset.labels.tolist() == [1, 0, 0]
    assert dataset.inputs.dtype == np.float32
    assert dataset.inputs.tolist() == [[0.5, 1], [2, -3], [4, 5]]
    assert dataset.explanations == [["a white bird.", "it swims."], ["a black bird."], []]
    assert dataset.ids == ["a", "b", "c"]


def test_jsonl_tolerates_a_bom_crlf_blank_lines_and_line_separators_in_text(write):
    line = json.dumps({"features": [1], "label": "é", "explanation": "a\u2028b"}, ensure_ascii=False)
    dataset = records.load(write(f"\ufeff\r\n{line}\r\n\r\n", "birds.jsonl"))
    assert dataset.class_names == ["é"]
    assert dataset.explanations == [["a\u2028b"]]
    assert dataset.ids == ["birds.jsonl:2"]


def test_the_field_split_selects(write):
    path = write(CSV)
    assert records.load(path, "train").ids == records.load(path, "trainval").ids == ["a", "c"]
    test = records.load(path, "test")
    assert test.ids == ["b"]
    assert test.inputs.tolist() == [[2, -3]]
    assert test.class_names == ["crow", "gull"]
    with pytest.raises(ValueError, match=r"'validation' is empty \(examples: train 2, validation 0, test 1"):
        records.load(path, "validation")


def test_without_the_field_each_class_is_divided_80_10_10(write):
    path = write([{"features": [i], "label": "ab"[i % 3 == 0]} for i in range(90)])
    parts = {split: records.load(path, split, seed=4) for split in ("train", "validation", "test")}
    assert {split: np.bincount(part.labels).tolist() for split, part in parts.items()} == {
        "train": [48, 24],
        "validation": [6, 3],
        "test": [6, 3],
    }
    assert sorted(np.concatenate([part.inputs[:, 0] for part in parts.values()])) == list(range(90))
    assert records.load(path, "test", seed=4).ids == parts["test"].ids
    assert records.load(path, "test", seed=5).ids != parts["test"].ids
    assert sorted(records.load(path, "trainval", seed=4).ids) == sorted(
        parts["train"].ids + parts["validation"].ids
    )


def test_images_are_read_relative_to_the_file(write, tmp_path, monkeypatch):
    (tmp_path / "photos").mkdir()
    monkeypatch.chdir(tmp_path / "photos")
    write_image("one.png", 10)
    write_image("two.png", 200)
    content = f"image,label,explanation\nphotos/one.png,crow,black.\n{tmp_path}/photos/two.png,gull,white.\n"
    dataset = records.load(write(content), image_size=4)
    assert dataset.inputs.dtype == np.uint8
    np.testing.assert_array_equal(dataset.inputs, np.broadcast_to([[[[10]]], [[[200]]]], (2, 4, 4, 3)))
    assert dataset.ids == ["photos/one.png", f"{tmp_path}/photos/two.png"]


def test_an_image_obeys_the_camera_and_loses_its_alpha_channel(write, tmp_path):
    turned = Image.new("RGBA", (8, 8))
    turned.paste((255, 0, 0, 255), (0, 0, 8, 4))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: the first row is the right-hand side
    turned.save(tmp_path / "turned.png", exif=exif)
    image = records.load(write([{"image": "turned.png", "label": "x"}]), image_size=8).inputs[0]
    assert image[:, 6:].tolist() == [[[255, 0, 0]] * 2] * 8
    assert image[:, :2].tolist() == [[[0, 0, 0]] * 2] * 8


def test_repeated_records_join_their_sentences(write, tmp_path):
    write_image(tmp_path / "a.png", 1)
    write_image(tmp_path / "b.png", 2)
    content = "image,label,explanation\na.png,crow,one.\nb.png,gull,two.\na.png,crow,three.|four.\n"
    dataset = records.load(write(content), image_size=2)
    assert dataset.ids == ["a.png", "b.png"]
    assert dataset.explanations == [["one.", "three.", "four."], ["two."]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"label": "gull"}, "birds.jsonl:2: same id 'a' as birds.jsonl:1, but another label"),
        ({"features": [2]}, "birds.jsonl:2: same id 'a' as birds.jsonl:1, but another features"),
        ({"split": "test"}, "birds.jsonl:2: same id 'a' as birds.jsonl:1, but another split"),
    ],
)
def test_repeated_records_must_agree(write, change, message):
    fields = {"id": "a", "features": [1], "label": "crow", "split": "train"}
    with pytest.raises(ValueError, match=message):
        records.load(write([fields, fields | change]))


def test_records_of_features_without_an_id_stay_apart(write):
    dataset = records.load(write("features,label\n1,a\n1,a\n"))
    assert dataset.ids == ["birds.csv:2", "birds.csv:3"]


def labelled(labels):
    return [{"features": [0], "label": label} for label in labels]


@pytest.mark.parametrize(
    ("labels", "class_names", "expected_names", "expected_labels"),
    [
        ([10, 9, 10], None, ["9", "10"], [1, 0, 1]),
        (["10", "9"], None, ["9", "10"], [1, 0]),
        (["b2", "b10"], None, ["b10", "b2"], [1, 0]),
        (["gull"], ["wren", "gull"], ["wren", "gull"], [1]),
        ([1, 0], ["wren", "gull"], ["wren", "gull"], [1, 0]),
        ([2, 1], ["1", "2"], ["1", "2"], [1, 0]),
    ],
)
def test_labels_become_class_ids(write, labels, class_names, expected_names, expected_labels):
    dataset = records.load(write(labelled(labels)), class_names=class_names)
    assert dataset.class_names == expected_names
    assert dataset.labels.tolist() == expected_labels


@pytest.mark.parametrize(
    ("label", "class_names", "message"),
    [
        ("gul", ["wren", "gull"], "birds.jsonl:2: unknown label 'gul'; did you mean 'gull'"),
        ("zebra", ["wren", "gull"], "birds.jsonl:2: unknown label 'zebra'; the classes are wren, gull"),
        (2, ["wren", "gull"], "birds.jsonl:2: unknown label '2'"),
        (0, ["1", "gull"], "birds.jsonl:2: unknown label '0'"),
    ],
)
def test_unknown_labels(write, label, class_names, message):
    with pytest.raises(ValueError, match=message):
        records.load(write(labelled(["gull", label])), class_names=class_names)


GOOD = {"features": [1, 2], "label": "crow"}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"features": [1, 2]}, "no label"),
        ({"features": [1, 2], "label": " "}, "no label"),
        (
            {"features": [1, 2], "label": True},
            "label must be the name of a class or a whole number, got True",
        ),
        ({"features": [1, 2], "label": 1.5}, r"label must be .*, got 1\.5"),
        ({"label": "crow"}, "no features, but"),
        ({"label": "crow", "features": []}, "no features, but"),
        ({"label": "crow", "image": 3}, "image must be text, got 3"),
        ({"label": "crow", "features": [1, 2, 3]}, "3 features, but birds.jsonl:1 has 2"),
        (
            {"label": "crow", "features": [1, float("nan")]},
            "features must be finite float32 numbers, number 1 is nan",
        ),
        (
            {"label": "crow", "features": [1e39, 1]},
            r"features must be finite float32 numbers, number 0 is 1e\+39",
        ),
        ({"label": "crow", "features": [1, "x"]}, "features must be a list of numbers, got"),
        ({"label": "crow", "features": "12"}, "features must be a list of numbers, got 12"),
        ({"label": "crow", "features": [[1], [2]]}, "features must be a list of numbers"),
        ({**GOOD, "explanations": [1]}, r"explanations must be a list of sentences, got \[1\]"),
        ({**GOOD, "explanation": 1}, "explanation must be a list of sentences, got 1"),
        ({**GOOD, "split": "dev"}, "split must be train, validation or test, got 'dev'"),
        ({**GOOD, "id": [1]}, r"id must be text, got \[1\]"),
        ([1], r'must be an object \{"label": \.\.\.\}, got \'\[1\]\''),
    ],
)
def test_a_wrong_record_is_named_by_file_and_line(write, fields, message):
    with pytest.raises(ValueError, match=rf"^birds\.jsonl:2: {message}"):
        records.load(write([GOOD, fields]))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "image,explanation\n",
            r"csv:1: needs the column label, and image, features or columns of a table, has image, expl",
        ),
        ("label\n", r"csv:1: needs the column label, and image, features or columns of a table, has label"),
        ("\nfeatures,label\n1,crow\n", r"csv:1: needs the column"),
        ("features,label,explanation\n1,crow,a, b.\n", r"csv:2: 4 cells for the 3 columns .*double quotes"),
        ('features,label\n1,crow\n2,"gu\nll"x\n', r"csv:4: not valid CSV"),
        ('features,label\n"1\n2",crow\n1 2,gull\n5,gull\n', r"csv:5: 1 features, but birds\.csv:3 has 2"),
        ("features,label\n1 x,crow\n", r"csv:2: features must be a list of numbers"),
        ("features,label\n1 inf,crow\n", r"csv:2: features must be finite"),
        ("features,label\n", "holds no record"),
        ("", "holds no record"),
    ],
)
def test_wrong_csv_files(write, content, message):
    with pytest.raises(ValueError, match=message):
        records.load(write(content))


def test_other_wrong_files(write, tmp_path):
    with pytest.raises(ValueError, match=r"birds\.jsonl:2: not valid JSON: .* at column 11"):
        records.load(write('{"features": [1], "label": "a"}\n{"label": }', "birds.jsonl"))
    with pytest.raises(ValueError, match=r"birds\.jsonl holds no record"):
        records.load(write([]))
    with pytest.raises(ValueError, match=r"path must end in \.csv or \.jsonl, got .*birds\.txt"):
        records.load(write("", "birds.txt"))
    with pytest.raises(FileNotFoundError, match=r"there is no file .*none\.csv"):
        records.load(tmp_path / "none.csv")
    (tmp_path / "latin.csv").write_bytes("features,label\n1,a\n1,é\n".encode("latin-1"))
    with pytest.raises(ValueError, match=r"latin\.csv:3: not UTF-8 text; save the file as UTF-8"):
        records.load(tmp_path / "latin.csv")
    with pytest.raises(
        ValueError, match="split must be None or one of train, validation, test, trainval, got 'dev'"
    ):
        records.load(write(CSV), "dev")


def test_some_records_without_a_split(write):
    with pytest.raises(ValueError, match=r"birds\.jsonl:2: no split, though other records have one"):
        records.load(write([{**GOOD, "split": "train"}, GOOD]), "train")


def test_images_and_features_do_not_mix(write, tmp_path):
    write_image(tmp_path / "a.png", 0)
    image = {"image": "a.png", "label": "crow"}
    for content, line, other in (([image, GOOD], 1, 2), ([GOOD, image], 2, 1)):
        message = rf"^birds\.jsonl:{line}: no features, but birds\.jsonl:{other} has them"
        with pytest.raises(ValueError, match=message):
            records.load(write(content))
    assert records.load(write([{**image, **GOOD}])).ids == ["a.png"]


def test_missing_and_unreadable_images_are_named_by_file_and_line(write, tmp_path):
    content = "image,label\na.png,crow\nb.png,crow\n"
    write_image(tmp_path / "a.png", 0)
    with pytest.raises(FileNotFoundError, match=r"^birds\.csv:3: there is no image '.*b\.png'"):
        records.load(write(content))
    write_image(tmp_path / "b.png", 0, size=(64, 64))
    (tmp_path / "b.png").write_bytes((tmp_path / "b.png").read_bytes()[:50])
    with pytest.raises(ValueError, match=r"^birds\.csv:3: .*b\.png cannot be read as an image"):
        records.load(write(content))


def test_a_cell_longer_than_the_csv_module_allows_at_first(write):
    numbers = " ".join(["0.123456789"] * 20000)
    assert records.load(write(f"features,label\n{numbers},crow\n")).inputs.shape == (1, 20000)


@given(
    st.lists(
        st.tuples(
            st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=3, max_size=3),
            st.sampled_from(["crow", "gull", "wren"]),
            st.lists(st.text("abc ,\"'é.", min_size=1).map(str.strip).filter(bool), max_size=3),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_csv_and_jsonl_give_back_what_was_written(tmp_path_factory, examples):
    folder = tmp_path_factory.mktemp("records")
    with open(folder / "birds.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["features", "label", "explanations"])
        for features, label, sentences in examples:
            writer.writerow([" ".join(map(repr, features)), label, "|".join(sentences)])
    with open(folder / "birds.jsonl", "w", encoding="utf-8") as file:
        for features, label, sentences in examples:
            file.write(json.dumps({"features": features, "label": label, "explanations": sentences}) + "\n")
    for name in ("birds.csv", "birds.jsonl"):
        dataset = records.load(folder / name)
        np.testing.assert_array_equal(dataset.inputs, np.array([e[0] for e in examples], "float32"))
        assert [dataset.class_names[label] for label in dataset.labels] == [e[1] for e in examples]
        assert dataset.explanations == [e[2] for e in examples]


def test_loading_resolves_a_path_of_records(write):
    path = write(CSV)
    assert loading.load(str(path), "test").ids == ["b"]
    assert loading.load(str(path), "test", class_names=["gull", "crow"]).labels.tolist() == [1]
    with pytest.raises(ValueError, match=r"birds\.csv' takes no root \(--root\), got 'there'"):
        loading.load(str(path), "test", root="there")


def test_loading_passes_arguments_to_the_data_set(monkeypatch):
    loads = {module: create_autospec(module.load) for module in (cub, sketchbirds)}
    for module, load in loads.items():
        monkeypatch.setattr(module, "load", load)
    loading.load("cub", "train", root="there", seed=3, image_size=64)
    loading.load("sketchbirds", "test")
    loads[cub].assert_called_once_with(split="train", seed=3, root="there", image_size=64)
    loads[sketchbirds].assert_called_once_with(split="test", seed=0)


def test_loading_names_the_options_that_are_known():
    only = r"'sketchbirds' has no option features, only image_size, mark, per_species, shortcut"
    with pytest.raises(ValueError, match=only):
        loading.load("sketchbirds", "train", features="birds.npz")
    with pytest.raises(
        ValueError, match=r"has no option per_species, only class_names, columns, features, image_size"
    ):
        loading.load("birds.csv", "train", per_species=3)


def test_loading_names_what_is_known():
    with pytest.raises(ValueError, match="unknown data set 'cubs': did you mean 'cub'"):
        loading.load("cubs", "train")
    known = ", ".join(loading.NAMES)
    with pytest.raises(ValueError, match=rf"'flowers': known are {known} and .*\.csv or \.jsonl file"):
        loading.load("flowers", "train")
    with pytest.raises(ValueError, match=r"'cub' needs a root \(--root\)"):
        loading.load("cub", "train")


def test_features_from_a_file_are_found_by_the_paths_of_the_images(write, tmp_path):
    for name in ("a", "b", "c"):
        Image.new("RGB", (8, 8)).save(tmp_path / f"{name}.png")
    path = write(
        "image,label,explanations,split\na.png,gull,a white bird.,test\n"
        "c.png,crow,a black bird.,train\nb.png,gull,a bird.,train\n"
    )
    file = tmp_path / "features.npz"
    np.savez(file, features=np.array([[1.0], [2], [3]], "float16"), ids=["a.png", "b.png", "c.png"])
    train = records.load(path, "train", features=file)
    assert train.ids == ["c.png", "b.png"]
    assert train.inputs.tolist() == [[3.0], [2.0]]
    assert loading.load(str(path), "test", features=file).inputs.tolist() == [[1.0]]
    np.savez(file, features=np.ones((2, 1)), ids=["a.png", "c.png"])
    with pytest.raises(ValueError, match=r"has no features of 'b\.png', only of a\.png, c\.png"):
        records.load(path, "train", features=file)
    with pytest.raises(ValueError, match="the record has features of its own"):
        records.load(write(CSV, "own.csv"), "train", features=file)


def test_labels_that_look_the_same_are_one_class(write):
    labels = ["m\u00e9sange", "me\u0301sange", "\ufeffm\u00e9sange", "m\u00e9\u200bsange"]
    path = write([{"features": [1], "label": label} for label in labels])
    assert records.load(path).class_names == ["m\u00e9sange"]
    assert records.load(path, class_names=["merle", "me\u0301sange"]).labels.tolist() == [1] * 4


def test_files_put_together_with_their_byte_order_marks(write):
    line = json.dumps({"features": [1], "label": "gull"}) + "\n"
    assert len(records.load(write("\ufeff" + line + "\ufeff" + line, "birds.jsonl"))) == 2


@pytest.mark.parametrize("field", ["label", "explanations"])
def test_half_a_surrogate_pair_is_named_by_file_and_line(write, field):
    good = {"features": [1], "label": "gull", "explanations": ["a gull."]}
    broken = {**good, field: "a \ud83d"} if field == "label" else {**good, field: ["a gull.", "a \ud83d"]}
    with pytest.raises(ValueError, match=rf"^birds\.jsonl:2: {field}: .*surrogate"):
        records.load(write([good, broken]))


def test_source_of_the_sentences(write):
    made = [{**fields, "source": "verbalized"} for fields in JSONL]
    assert records.load(write(CSV)).source is None
    assert records.load(write(made)).source == "verbalized"
    assert records.load(write([made[0], *JSONL[1:]])).source == "people, verbalized"
    with pytest.raises(ValueError, match=r"same id 'a' as birds\.jsonl:1, but another source"):
        records.load(write([made[0], JSONL[0]]))
