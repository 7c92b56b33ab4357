"""What the verbalizer learns of a table: columns, attributes, effects, and which facts are chosen."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interpnet_tf.data.tables import as_table, read_csv
from interpnet_tf.data.verbalizer.attributes import Attribute, learn
from interpnet_tf.data.verbalizer.choosing import Chooser, effects_of_classes

THIRDS, LEVELS = (1 / 3, 2 / 3), ("low", "medium", "high")


class Frame:
    """What a pandas DataFrame looks like."""

    def __init__(self, columns):
        self._columns, self.columns, self.iloc = columns, list(columns), None

    def __getitem__(self, name):
        return np.array(self._columns[name], dtype=object)


class TestTables:
    @pytest.mark.parametrize(
        "table",
        [
            {"ash": [2.5, None], "colour": ["red", ""], "fit": [True, None]},
            [{"ash": "2.5", "colour": "red", "fit": True}, {"ash": "", "colour": None}],
            Frame({"ash": [2.5, float("nan")], "colour": ["red", float("nan")], "fit": [True, None]}),
        ],
        ids=["columns", "rows", "frame"],
    )
    def test_forms_give_the_same_columns(self, table):
        columns = as_table(table)
        np.testing.assert_array_equal(columns["ash"], [2.5, math.nan])
        assert columns["colour"].tolist() == ["red", None]
        assert columns["fit"].tolist() == [True, None]

    def test_array_needs_names(self):
        assert as_table(np.eye(2), ["a", "b"])["b"].tolist() == [0.0, 1.0]
        with pytest.raises(
            ValueError, match=r"one name a column, got ndarray of shape \(2, 2\) and no names"
        ):
            as_table(np.eye(2))

    def test_lengths_must_agree(self):
        with pytest.raises(ValueError, match=r"columns of one length, got \{'a': 1, 'b': 2\}"):
            as_table({"a": [1], "b": [1, 2]})

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ("a,b\n1\n", "t.csv:2: 1 cells for the 2 columns"),
            ("a,a\n1,2\n", "t.csv:1: needs a header, one different name a column"),
            ("", "t.csv:1: needs a header"),
            ("a,b\n", "t.csv holds no row"),
            ('a,b\n"1,2\n', "t.csv:2: not valid CSV"),
            (b"a\n\xff\n", "t.csv: not UTF-8"),
        ],
    )
    def test_csv_says_what_is_wrong(self, tmp_path, content, message):
        path = tmp_path / "t.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        with pytest.raises(ValueError, match=message):
            read_csv(path)

    def test_csv(self, tmp_path):
        path = tmp_path / "t.csv"
        path.write_text("\ufeffash,colour\n2.5,red\n\n,\n")
        assert read_csv(path)["colour"].tolist() == ["red", None]
        with pytest.raises(FileNotFoundError):
            read_csv(tmp_path / "none.csv")


class TestAttributes:
    @pytest.mark.parametrize(
        ("column", "thresholds", "levels"),
        [
            ([1, 2, 3, 4, 5, 6], (2.5, 4.5), "low low medium medium high high"),
            ([0, 0, 0, 0, 0, 7], (3.5, 3.5), "low low low low low high"),  # mostly nothing
            ([0, 5, 5, 5, 5, 5], (2.5, 2.5), "low high high high high high"),
            ([1, 2, 3, math.nan, 4, 5, 6], (2.5, 4.5), "low low medium - medium high high"),
        ],
    )
    def test_levels_of_numbers(self, column, thresholds, levels):
        table = {"ash": np.array(column, "float64")}
        (attribute,) = learn(table, {"ash": "number"}, THIRDS, LEVELS)
        assert attribute.thresholds == thresholds
        weights = attribute.weights(table, clearly=True)
        np.testing.assert_array_equal(attribute.weights(table), weights)  # with no leeway
        for of_cell, level in zip(weights, levels.split(), strict=True):
            expected = [math.nan] * 3 if level == "-" else [float(level == name) for name in LEVELS]
            np.testing.assert_array_equal(of_cell, expected)

    def test_levels_reach_into_their_neighbours(self):
        table = {"ash": np.array([1.0, 2, 3, 4, 5, 6])}
        (attribute,) = learn(table, None, THIRDS, LEVELS, leeway=0.5)
        # Low and high reach to the middle, medium over all but a sixth at either end.
        assert attribute.thresholds == (2.5, 4.5)
        assert attribute.reach == ((1.5, 3.5), (3.5, 5.5))
        true = "low", "low medium", "low medium", "medium high", "medium high", "high"
        expected = [[float(level in of_cell.split()) for level in LEVELS] for of_cell in true]
        np.testing.assert_array_equal(attribute.weights(table), expected)
        assert attribute.weights(as_table([{"ash": math.inf}])).tolist() == [[0, 0, 1]]

    def test_kinds(self):
        table = as_table(
            {
                "beak::red": [0, 100],
                "beak::black": [90, 20],
                "ash": [1.5, 2.5],
                "colour": ["red", "white"],
                "fit": ["Yes", "no"],
                "sold": [0, 1],
                "old": [True, False],
                "same": ["x", "x"],
                "constant": [2.0, 2.0],
            }
        )
        assert learn(table, None, THIRDS, LEVELS) == [
            Attribute("beak", "weights", ("red", "black"), ("beak::red", "beak::black"), scale=100.0),
            Attribute("ash", "number", LEVELS, ("ash",), (2.0, 2.0), ((2.0, 2.0), (2.0, 2.0))),
            Attribute("colour", "category", ("red", "white"), ("colour",)),
            *(Attribute(name, "boolean", ("yes", "no"), (name,)) for name in ("fit", "sold", "old")),
        ]

    def test_weights_of_bare_columns(self):
        (furry,) = learn(as_table({"furry": [0.25, 1.0]}), "weights", THIRDS, LEVELS)
        assert (furry.values, furry.scale) == (("yes",), 1.0)
        assert furry.weights(as_table([{"furry": 0.5}])).tolist() == [[0.5]]

    def test_category_is_the_same_in_a_row_of_its_own(self):
        (attribute,) = learn(as_table({"grade": ["1", "2", "good"]}), None, THIRDS, LEVELS)
        assert attribute.weights(as_table([{"grade": 2}])).tolist() == [[0.0, 1.0, 0.0]]
        assert attribute.weights(as_table([{"grade": "new"}])).tolist() == [[0.0, 0.0, 0.0]]
        assert np.isnan(attribute.weights(as_table([{"grade": ""}]))).all()

    def test_names_are_passed_over(self):
        assert learn(as_table({"name": [f"n{i}" for i in range(51)]}), None, THIRDS, LEVELS) == []

    @pytest.mark.parametrize(
        ("table", "kinds", "message"),
        [
            ({"a": ["x", "y"]}, "number", "column 'a' must hold numbers, got 'x'"),
            (
                {"a": [1, 2]},
                {"a": "colour"},
                "kinds must be of weights, number, category, boolean, got 'colour'",
            ),
            ({"a::b": [-1, 0]}, None, r"0\.\.100 per cent, got -1.0 in column 'a::b'"),
            ({"a::b": [101, 0]}, None, r"0\.\.100 per cent, got 101.0 in column 'a::b'"),
        ],
    )
    def test_says_what_is_wrong(self, table, kinds, message):
        with pytest.raises(ValueError, match=message):
            learn(as_table(table), kinds, THIRDS, LEVELS)


class TestChoosing:
    def test_effects_by_hand(self):
        weights = np.array([[1.0, 0.5, math.nan], [1.0, 0.5, 1.0], [0.0, 0.5, math.nan]])
        effects = effects_of_classes(weights, np.array([0, 0, 1]), 2)
        # All against none is pi; what is alike, or not known of the others, sets nobody apart.
        np.testing.assert_allclose(effects, [[math.pi, 0, 0], [-math.pi, 0, 0]], atol=1e-12)
        weights = np.array([[0.5], [0.0], [0.5]])
        effects = effects_of_classes(weights, np.array([0, 1, 2]), 3)
        # arcsin √½ = π/4 and arcsin √¼ = π/6: of the other two classes a quarter has it.
        np.testing.assert_allclose(effects[0], [math.pi / 2 - math.pi / 3])

    def test_what_sets_apart_is_chosen(self):
        effects, true = np.array([2.0, -1.0, 1.0, 0.1, 3.0]), np.array([True, True, True, True, False])
        chooser = Chooser(effects, true, [{i} for i in range(5)], (2, 2), np.random.default_rng(0))
        chosen = [tuple(sorted(chooser.choose())) for _ in range(20)]
        assert set(chosen) == {(0, 2)}  # the last is not true, and the others set nothing apart

    def test_others_are_chosen_where_there_are_hardly_any(self):
        effects, true = np.array([2.0, -1.0, 0.1]), np.array([True, True, True])
        chooser = Chooser(effects, true, [{i} for i in range(3)], (2, 3), np.random.default_rng(0))
        assert {tuple(sorted(chooser.choose())) for _ in range(20)} == {(0, 2)}

    def test_what_overlaps_is_not_said_together(self):
        chooser = Chooser(
            np.ones(3), np.full(3, True), [{0, 1}, {0, 1}, {2}], (3, 3), np.random.default_rng(0)
        )
        chosen = {tuple(sorted(chooser.choose())) for _ in range(50)}
        assert chosen == {(0, 2), (1, 2)}

    @given(
        effects=st.lists(st.floats(-math.pi, math.pi), min_size=1, max_size=8),
        true=st.lists(st.booleans(), min_size=8, max_size=8),
        seed=st.integers(0, 99),
    )
    @settings(max_examples=60, deadline=None)
    def test_only_what_is_true_is_chosen(self, effects, true, seed):
        true = np.array(true[: len(effects)])
        single = [{i} for i in range(len(effects))]
        chooser = Chooser(np.array(effects), true, single, (1, 4), np.random.default_rng(seed))
        for _ in range(3):
            chosen = chooser.choose()
            assert all(true[chosen])
            assert len(set(chosen)) == len(chosen)
            assert min(1, true.sum()) <= len(chosen) <= 4
