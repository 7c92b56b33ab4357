"""Columns of a table: what they hold, the arrays that they become, and the inputs that read them."""

import json

import numpy as np
import pytest

from interpnet_tf.data import records
from interpnet_tf.data.columns import by_input, input_name, kind_of, to_array
from interpnet_tf.data.dataset import ExplanationDataset
from interpnet_tf.data.tables import read_csv

# As pandas writes a data frame with its index; two cells of each kind are missing.
PANDAS = """,alcohol,colour,corked,fine,label,explanation
0,14.2,red,True,True,Barbera,a strong red wine.
1,,white,,False,Moscato,a white wine.
2,12,,False,True,Moscato,
"""


def test_a_csv_file_as_pandas_writes_it(tmp_path):
    (tmp_path / "wine.csv").write_text(PANDAS)
    wines = records.load(tmp_path / "wine.csv")
    assert list(wines.inputs) == ["alcohol", "colour", "corked", "fine"]
    np.testing.assert_array_equal(wines.inputs["alcohol"], np.float32([14.2, np.nan, 12]))
    assert wines.inputs["colour"].tolist() == ["red", "white", ""]
    np.testing.assert_array_equal(wines.inputs["corked"], np.float32([1, np.nan, 0]))  # one is missing
    assert wines.inputs["fine"].tolist() == [True, False, True]
    assert wines.explanations[2] == []
    assert list(read_csv(tmp_path / "wine.csv")) == [*wines.inputs, "label", "explanation"]


def test_json_lines_and_kinds_that_are_given(tmp_path):
    rows = [
        {"year": 1990, "sweet": True, "ids": [1, 2], "note": "x", "label": "a", "id": "first"},
        {"year": None, "sweet": False, "ids": [3], "note": "y", "label": "b", "id": "second"},
    ]
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    loaded = records.load(path, columns={"year": "category", "note": "ignored"}).inputs
    assert {name: column.tolist() for name, column in loaded.items()} == {
        "year": ["1990", ""],
        "sweet": [True, False],
        "ids": [[1, 2], [3, 0]],
    }
    for columns, message in (
        ({"yaer": "number"}, "columns names 'yaer', but the file has year, sweet, ids, note"),
        ({"note": "text"}, "must be of number, category, boolean or ignored, got 'text' for 'note'"),
        ({"note": "number"}, r"rows\.jsonl:1: column 'note' must hold finite numbers, got 'x'"),
        ({"year": "boolean"}, r"rows\.jsonl:1: column 'year' must hold true or false, got 1990"),
    ):
        with pytest.raises(ValueError, match=message):
            records.load(path, columns=columns)


def test_every_split_has_the_columns_of_the_whole_file(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("code,gone,label,split\n7,,a,train\n8,,b,train\nx,1,a,test\n")
    train = records.load(path, "train").inputs
    assert train["code"].tolist() == ["7", "8"]
    assert np.isnan(train["gone"]).all()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,a,label\n1,2,x\n", "csv:1: has the column 'a' more than once"),
        ("a b,a_b,label\n1,2,x\n", "'a b' and 'a_b' would both be the input 'a_b'"),
        ("größe,色,label\n1,2,x\n", "column '色' has no letter"),
        ("a,label\ninf,x\n", r"csv:2: column 'a' must hold finite numbers, got 'inf'"),
        ("label,explanation\nx,a b.\n", r"csv:2: neither image nor features, nor any column"),
        ("id,a,label\n7,1,x\n7,2,x\n", r"csv:3: same id '7' as rows\.csv:2, but another columns"),
    ],
)
def test_tables_that_cannot_be_read(tmp_path, content, message):
    (tmp_path / "rows.csv").write_text(content)
    with pytest.raises(ValueError, match=message):
        records.load(tmp_path / "rows.csv")


def test_names_of_inputs():
    assert input_name("od280/od315 of wines") == "od280_od315_of_wines"
    assert input_name("_weight") == "column_weight"
    assert by_input({"crown::red": 1}) == {"crown__red": 1}


def test_kinds_and_arrays_of_cells():
    assert kind_of([None, "", "NaN"]) == "number"
    assert kind_of([0, 1]) == "number"
    assert kind_of(["yes", "no"]) == "category"
    assert to_array([7.0, None, True, "<NA>"], "category", "code").tolist() == ["7", "", "True", ""]
    assert to_array([1, "false", True], "boolean", "fine").tolist() == [True, False, True]
    for cells, kind, message in (
        ([True, None], "boolean", "row 1: column 'c' must hold true or false, got None"),
        ([1, [2]], "number", "row 1: column 'c' must hold one number a row"),
        ([1e39], "number", "must hold finite numbers"),
        ([[1], None], "list", "row 1: column 'c' must hold a list of finite numbers, got None"),
    ):
        with pytest.raises(ValueError, match=message):
            to_array(cells, kind, "c")


def test_rows_become_the_columns_of_a_data_set():
    rows = [{"ash": 2.5, "colour": "red"}, {"ash": None, "colour": "white"}]
    wines = ExplanationDataset(rows, [0, 1], ["a", "b"], [[], []], ["1", "2"])
    assert wines.subset([1]).inputs["colour"].tolist() == ["white"]
    np.testing.assert_array_equal(wines.inputs["ash"], np.float32([2.5, np.nan]))
