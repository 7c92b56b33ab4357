"""Tests of `interpnet_tf.data.esnli`, on tiny files of both forms and on the real ones."""

from pathlib import Path

import numpy as np
import pytest

from interpnet_tf.data import esnli, loading
from interpnet_tf.runs.data_check import check_data

REAL = Path(__file__).resolve().parents[3] / "shared/data/esnli"
HEADER = "unique_key\tlabel\tpremise\thypothesis\texplanation1\texplanation2\texplanation3\n"
LABELS = ("neutral", "entailment", "contradiction")


def table(name: str, premises: int) -> str:
    """Three pairs a premise, one of each class; the last pair has one explanation, the others three."""
    lines = [
        f'{name}{p}{c}\t{c}\tPremise "{p}" .\tHypothesis {c} of {name}{p} .\tFirst.\tSecond.\tThird.\n'
        for p in range(premises)
        for c in range(3)
    ]
    lines[-1] = lines[-1].replace("Second.\tThird.", "\t ")
    return HEADER + "".join(lines)


@pytest.fixture
def root(tmp_path):
    (tmp_path / "dev.tsv").write_text(table("d", 10))
    (tmp_path / "test.tsv").write_text(table("t", 2))
    return tmp_path


def official(*rows: str, columns: str = "Explanation_1,Explanation_2,Explanation_3") -> str:
    header = f"pairID,gold_label,Sentence1,Sentence2,{columns}\n"
    return header + "".join(f"{row}\n" for row in rows)


def test_a_table_is_read_as_it_stands(root):
    test = esnli.load(root, "test")
    assert test.ids == ["t00", "t01", "t02", "t10", "t11", "t12"]
    assert test.labels.tolist() == [0, 1, 2, 0, 1, 2]
    assert test.class_names == ["neutral", "entailment", "contradiction"]
    assert test.inputs["premise"].tolist() == ['Premise "0" .'] * 3 + ['Premise "1" .'] * 3
    assert test.inputs["hypothesis"][4] == "Hypothesis 1 of t1 ."
    assert test.explanations == [["First.", "Second.", "Third."]] * 5 + [["First."]]


def test_development_pairs_are_divided_by_premise_and_by_the_seed(root):
    parts = {split: esnli.load(root, split, validation_fraction=0.3) for split in ("train", "validation")}
    premises = {split: set(part.inputs["premise"]) for split, part in parts.items()}
    assert len(premises["train"]) == 7
    assert len(premises["validation"]) == 3  # 0.3 of ten
    assert not premises["train"] & premises["validation"]
    assert len(parts["train"]) == 21
    assert sorted(parts["train"].ids + parts["validation"].ids) == sorted(esnli.load(root, "trainval").ids)
    draws = {tuple(esnli.load(root, "validation", seed=seed).ids) for seed in (0, 0, 1, 2, 3)}
    assert len(draws) > 1
    assert tuple(esnli.load(root, "validation", seed=1).ids) in draws


def test_the_authors_files_go_before_and_bring_a_training_set(root):
    one = '1#r1n,neutral,A dog .,"A big, brown dog .",Not all dogs are big.,,'
    (root / "esnli_train_1.csv").write_text(
        official(one.removesuffix(",,"), columns="Explanation_1"), encoding="utf-8-sig"
    )
    (root / "esnli_train_2.csv").write_text(
        official('2#r1c,contradiction,A dog .,A cat .,"Two\nlines."', columns="Explanation_1")
    )
    (root / "esnli_dev.csv").write_text(official("3#r1e,entailment,A dog .,An animal .,a,b,c"))
    train, validation = esnli.load(root, "train"), esnli.load(root, "validation")
    assert train.ids == ["1#r1n", "2#r1c"]
    assert train.labels.tolist() == [0, 2]
    assert train.inputs["hypothesis"][0] == "A big, brown dog ."
    assert train.explanations == [["Not all dogs are big."], ["Two\nlines."]]
    assert validation.explanations == [["a", "b", "c"]]
    assert esnli.load(root, "trainval").ids == ["1#r1n", "2#r1c", "3#r1e"]
    assert len(esnli.load(root, "test")) == 6  # of the table, where the authors' file is not there

    (root / "esnli_train_2.csv").unlink()
    with pytest.raises(FileNotFoundError, match=r"esnli_train_2\.csv' is missing beside esnli_train_1\.csv"):
        esnli.load(root, "train")


def test_features_are_found_by_the_name_of_the_pair(root):
    ids = esnli.load(root, "test").ids
    np.savez(root / "pairs.npz", features=np.arange(6)[:, None] * [1, 10], ids=ids[::-1])
    dataset = loading.load("esnli", "test", root, features=root / "pairs.npz")
    assert dataset.inputs.tolist() == [[row, 10 * row] for row in (5, 4, 3, 2, 1, 0)]
    (root / "features").mkdir()
    (root / "pairs.npz").rename(root / "features/pairs.npz")
    assert esnli.load(root, "test").inputs.shape == (6, 2)
    assert list(esnli.load(root, "test", features=False).inputs) == ["premise", "hypothesis"]


def test_a_training_on_sentences_as_they_are_names_the_way_out(root):
    with pytest.raises(ValueError, match=r"holds premise and hypothesis as they are.*interpnet features"):
        check_data(esnli.load(root, "train"), "the train split of 'esnli'")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("d9\t3\ta\tb\tc\td\te", r"dev\.tsv:2: label must be 0, 1 or 2, or neutral.*, got '3'"),
        ("d9\t0\ta\tb\tc", r"dev\.tsv:2: another number of cells than the 7 columns"),
        ("d9\t0\t \tb\tc\td\te", r"dev\.tsv:2: premise is empty"),
    ],
)
def test_a_bad_line_is_named(root, line, message):
    (root / "dev.tsv").write_text(f"{HEADER}{line}\n")
    with pytest.raises(ValueError, match=message):
        esnli.load(root, "train")


def test_what_cannot_be_loaded_is_said(root):
    with pytest.raises(ValueError, match="split must be one of train, validation, test, trainval, got 'dev'"):
        esnli.load(root, "dev")
    with pytest.raises(ValueError, match="validation_fraction must lie between 0 and 1, got 1"):
        esnli.load(root, "train", validation_fraction=1)
    with pytest.raises(ValueError, match=r"split 'validation' is empty: .* 10 different premises"):
        esnli.load(root, "validation", validation_fraction=0.01)
    (root / "test.tsv").write_text("label\tpremise\n")
    with pytest.raises(ValueError, match=r"test\.tsv:1: needs the column hypothesis, has label, premise"):
        esnli.load(root, "test")
    (root / "test.tsv").write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match="is not UTF-8 text"):
        esnli.load(root, "test")
    (root / "test.tsv").unlink()
    with pytest.raises(
        FileNotFoundError, match=r"holds neither esnli_test\.csv nor test\.tsv; get the files"
    ):
        esnli.load(root, "test")
    with pytest.raises(FileNotFoundError, match="nowhere' is not a folder"):
        esnli.load(root / "nowhere", "test")


def test_a_name_that_is_there_twice_gets_its_line(root):
    line = "d9\t0\ta\tb\tc\td\te\n"
    (root / "dev.tsv").write_text(HEADER + line + line.replace("d9", "d8") + line)
    assert esnli.load(root, "trainval").ids == ["d9", "d8", "d9 (dev.tsv:4)"]


@pytest.mark.skipif(not (REAL / "dev.tsv").is_file(), reason="e-SNLI is not beside the project")
def test_the_real_pairs_are_complete():
    parts = {split: esnli.load(REAL, split, features=False) for split in esnli.SPLITS}
    assert len(parts["trainval"]) == 9842
    assert len(parts["train"]) + len(parts["validation"]) == 9842
    assert len(parts["test"]) == 4901
    premises = {split: set(part.inputs["premise"]) for split, part in parts.items()}
    assert len(premises["validation"]) == 332  # a tenth of 3,319
    assert not premises["train"] & premises["validation"]
    assert not premises["trainval"] & premises["test"]
    assert {len(sentences) for part in parts.values() for sentences in part.explanations} == {3}
    assert np.bincount(parts["test"].labels).tolist() == [1590, 1701, 1610]
