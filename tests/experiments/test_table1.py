"""Table 1 without training: its rows, its files of results, its tests of significance, its report."""

import csv
import dataclasses
import io
import json

import numpy as np
import pytest
from PIL import Image

from interpnet_tf.experiments.table1 import picture, significance
from interpnet_tf.experiments.table1.columns import PARTS
from interpnet_tf.experiments.table1.material import DATA_SEED, Material
from interpnet_tf.experiments.table1.report import Report
from interpnet_tf.experiments.table1.results import Result, Results, plain
from interpnet_tf.experiments.table1.rows import ROWS, chosen
from interpnet_tf.experiments.table1.settings import SETTINGS
from interpnet_tf.experiments.table1.training import Trainer

MATERIAL = {
    "data": "cub",
    "features": "features.npz",
    "explained": {"train": 6, "test": 4},
    "classes_explained": 2,
    "input_shape": [8],
}


def result(row="interpnet-2", seed=0, per_example=None, **columns):
    configuration = {"material": MATERIAL, "training": {"units": 512, "dropout": 0.2}}
    return Result(row, seed, configuration, columns, per_example or {}, {"train": 8.0, "judge": 2.0})


def trainer(tmp_path, birds, valid_birds, data="cub", **overrides):
    material = Material(data, "somewhere", {}, birds, valid_birds, valid_birds, birds)
    return Trainer(tmp_path / "out", material, overrides)


def test_groups_of_rows():
    paper = [row.name for row in chosen(["paper"], "cub")]
    assert paper[:5] == ["captioning", "interpnet-0", "interpnet-1", "interpnet-2", "interpnet-3"]
    beam = [row.base for row in chosen(["beam"], "cub")]
    assert beam == [*paper, "gve-explanation-label"]
    everything = chosen(["all"], "sketchbirds")
    assert {f"{name}-transformer" for name in paper} <= {row.name for row in everything}
    assert "interpnet-2-tuned" not in {row.name for row in everything}
    assert [row.name for row in chosen(["finished"], "cub", ["interpnet-1"])] == ["interpnet-1"]
    with pytest.raises(ValueError, match=r"'interpnet-4' is no row of cub; .*paper.*interpnet-2"):
        chosen(["paper", "interpnet-4"], "cub")
    with pytest.raises(ValueError, match="no row of sketchbirds"):
        chosen(["interpnet-2-tuned"], "sketchbirds")


def test_the_papers_rows_are_trained_as_the_paper_says(tmp_path, birds, valid_birds):
    of_cub = trainer(tmp_path, birds, valid_birds)
    for row in chosen(["paper"], "cub"):
        config = of_cub.config(row, seed=2)
        assert config.seed == 2
        assert config.data_seed == DATA_SEED
        assert (config.dropout, config.learning_rate, config.batch_size) == (0.2, 5e-4, 32)
        assert (config.schedule, config.cool_down, config.mixed_precision) == ("paper", 0, False)
        assert config.decoder_of(vocabulary_size=947).units == 512  # as many as CUB-40 has


def test_rows_with_the_same_hidden_layers_share_a_classifier(tmp_path, birds, valid_birds):
    of_cub = trainer(tmp_path, birds, valid_birds)
    files = {name: of_cub.config(row, 1).classifier for name, row in ROWS.items()}
    assert files["captioning"] == files["interpnet-0"] == files["captioning-transformer"]
    assert files["interpnet-2"] == files["interpnet-2-tuned"] == files["interpnet-2-beam"]
    assert len({files[f"interpnet-{depth}"] for depth in range(4)}) == 4
    assert of_cub.config(ROWS["interpnet-2"], 2).classifier != files["interpnet-2"]


@pytest.mark.parametrize("data", SETTINGS)
def test_a_configuration_is_complete_and_names_no_place(tmp_path, birds, valid_birds, data):
    of_data = trainer(tmp_path, birds, valid_birds, data, epochs=1)
    for row in chosen(["all"], data):
        configuration = of_data.configuration(row, 0)
        text = json.dumps(configuration)
        assert str(tmp_path) not in text
        assert "somewhere" not in text
        assert configuration["training"]["epochs"] == 1
        assert configuration["training"]["cool_down"] == 0
        assert configuration["material"]["examples"] == {"train": 13, "validation": 7, "test": 7}
        assert configuration["material"]["explained"] == {"train": 12, "test": 6}
    greedy, beam = (of_data.configuration(ROWS[name], 0) for name in ("interpnet-2", "interpnet-2-beam"))
    assert greedy["training"] == beam["training"]
    assert beam["decoding"] == {"decode": "explain", "sampler": "beam", "beams": 5}
    assert of_data.run_folder(ROWS["interpnet-2-beam"], 0) == of_data.run_folder(ROWS["interpnet-2"], 0)


def test_other_data_have_another_digest(birds, valid_birds):
    def digest(train):
        return Material("cub", "somewhere", {}, train, valid_birds, valid_birds, train).description["digest"]

    explanations = [*birds.explanations[1:], ["a bird."]]
    assert digest(birds) == digest(dataclasses.replace(birds))
    assert digest(birds) != digest(dataclasses.replace(birds, explanations=explanations))
    assert digest(birds) != digest(dataclasses.replace(birds, inputs=birds.inputs + 1))


def test_results_are_read_as_they_were_written(tmp_path):
    results = Results(tmp_path / "results")
    assert results.all() == []
    scores = {"cider_d": plain(np.array([0.125, np.nan])), "read_back_species": [1.0, 0.0]}
    columns = plain({"meteor_10": 0.25, "phrases_true": float("nan"), "vocabulary": np.int64(7)})
    written = [result("interpnet-1", 1, scores, **columns), result("captioning", 0)]
    for one in written:
        results.write(one)
    assert results.all() == written[::-1]
    assert results.read("interpnet-1", 1).columns == {
        "meteor_10": 0.25,
        "phrases_true": None,
        "vocabulary": 7,
    }
    assert results.read("interpnet-1", 1).per_example["cider_d"] == [0.125, None]
    assert results.read("interpnet-1", 0) is None
    assert results.all()[0].versions["keras"]
    # An array a line.
    assert '\n  "cider_d": [0.125,null],\n' in results.path("interpnet-1", 1).read_text()
    results.path("captioning", 0).write_text('{"row": "captioning"}')
    with pytest.raises(
        ValueError, match=r"captioning-seed0.json cannot be read as the result of a row .* remove it"
    ):
        results.all()


def test_another_configuration_is_named(tmp_path):
    results, found = Results(tmp_path), result()
    results.check(found, {"material": MATERIAL, "training": {"units": 512, "dropout": 0.2}})
    with pytest.raises(ValueError, match=r"interpnet-2-seed0\.json") as error:
        results.check(found, {"material": MATERIAL, "training": {"units": 16, "seed": 1, "dropout": 0.2}})
    assert "training.units is 512 there and 16 now" in str(error.value)
    assert "training.seed is 0 there and 1 now" in str(error.value)
    assert "dropout" not in str(error.value)
    assert "--results" in str(error.value)
    with pytest.raises(ValueError, match="decoding is 'not set' there and 'beam' now"):
        results.check(found, {**found.configuration, "decoding": "beam"})
    # A field that came into being later had its default.
    results.check(
        found, {"material": MATERIAL, "training": {"units": 512, "dropout": 0.2, "schedule": "paper"}}
    )


def test_a_comparison_by_hand():
    better = [
        result("interpnet-2", seed, {"cider_d": [0.2 + shift, 0.4 + shift], "class_rank": [1.0, 2.0]})
        for seed, shift in ((0, 0.1), (1, 0.3), (2, 9.0))
    ]
    worse = [
        result("captioning", seed, {"cider_d": [0.1, 0.2], "class_rank": [4.0, 5.0], "meteor": [0.1, 0.1]})
        for seed in (0, 1)
    ]
    compared = significance.compare(better, worse, "cider_d")
    # Seeds 0 and 1: means 0.4 and 0.6 against 0.15; standard deviations 0.1 * sqrt(2) and 0, pooled 0.1.
    assert compared.seeds == 2
    assert compared.difference == pytest.approx(35)
    assert compared.deviation == pytest.approx(10)
    assert compared.above is True
    assert significance.compare(better, worse, "class_rank").difference == pytest.approx(3)  # lower is better
    assert significance.compare(worse, better, "cider_d").above is False
    assert significance.compare(better, worse, "meteor") is None
    assert significance.compare(better[2:], worse, "cider_d") is None
    alone = significance.compare(better[:1], worse, "cider_d")
    assert (alone.deviation, alone.above) == (None, None)


@pytest.fixture
def report():
    scores = {"cider_d": [0.5, 0.6, 0.7, 0.8], "read_back_species": [1.0, 1.0, 0.0, 1.0]}
    lower = {"cider_d": [0.1, 0.2, 0.3, 0.4], "read_back_species": [0.0, 0.0, 0.0, 1.0]}
    return Report(
        [
            result("yardstick-constant", per_example=lower, cider_d_10=0.25, meteor_10=0.396),
            result("interpnet-2", 0, scores, cider_d_10=0.6, cider_10=0.7, meteor_10=None, class_rank=2.0),
            result("interpnet-2", 1, scores, cider_d_10=0.7, cider_10=0.9, meteor_10=None, class_rank=3.0),
            result("captioning", 0, lower, cider_d_10=0.25, cider_10=0.5, meteor_10=0.3, class_rank=9.5),
        ]
    )


def cells(line):
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_the_table_by_hand(report):
    lines = report.markdown().splitlines()
    header = next(index for index, line in enumerate(lines) if line.startswith("|"))
    assert cells(lines[header]) == ["", "seeds", "METEOR", "paper", "CIDEr", "paper", "CIDEr-D"]
    assert cells(lines[header + 2]) == ["Captioning", "1", "30.0", "32.2", "50.0", "55.5", "25.0"]
    assert cells(lines[header + 3]) == [
        "InterpNET_2",
        "2",
        "n/a",
        "37.9",
        "80.0 ± 14.1",
        "82.1",
        "65.0 ± 7.1",
    ]
    assert cells(lines[header + 4]) == ["constant", "", "39.6", "", "n/a", "", "25.0"]
    assert any(cells(line) == ["InterpNET_2", "2", "2.50 ± 0.71"] for line in lines)


def test_the_terminal_shows_what_markdown_holds(report):
    shown = [line for line in report.markdown().splitlines() if line.startswith("|") and "---" not in line]
    text = report.text().splitlines()
    for line in shown:
        words = " ".join(" ".join(cells(line)).split())
        assert any(" ".join(other.split()) == words for other in text)
    assert "ours for 2 classes (4 test examples, 'judged'); the paper's for 200" in report.text()
    assert "features.npz, 8 numbers" in report.text()


def test_the_papers_order_is_tested(report):
    order = [line for line in report.markdown().splitlines() if "InterpNET_2 over Captioning" in line]
    assert [cells(line)[1] for line in order] == ["CIDEr-D", "read-back"]
    # One seed in common, so that there is no deviation. Each example is better by 0.4: p is 2 / 5001.
    assert cells(order[0])[2:] == ["+40.00", "n/a", "0.0004", "1", "n/a"]
    compared = report.summary()["comparisons"]
    assert {"row": "interpnet-2", "other": "captioning", "metric": "cider_d"}.items() <= compared[0].items()
    assert compared[0]["p_value"] == pytest.approx(2 / 5001)


def test_csv_holds_mean_deviation_and_the_papers_figure(report):
    rows = {row["row"]: row for row in csv.DictReader(io.StringIO(report.csv()))}
    assert list(rows) == ["captioning", "interpnet-2", "yardstick-constant"]
    row = rows["interpnet-2"]
    assert (row["seeds"], row["cider_10"], row["cider_10_sd"], row["cider_10_paper"]) == (
        "2",
        "80.0000",
        "14.1421",
        "82.1",
    )
    assert (row["meteor_10"], row["meteor_10_sd"], row["meteor_10_paper"]) == ("", "", "37.9")
    assert set(rows["captioning"]) > {column.key for part in PARTS.values() for column in part}


def test_the_picture(report, tmp_path):
    picture.save(report, tmp_path / "table.png")
    assert [path.name for path in tmp_path.iterdir()] == ["table.png"]
    with Image.open(tmp_path / "table.png") as image:
        image.load()
        assert image.size[0] > 1000
        assert len(image.convert("RGB").getcolors(1 << 20)) > 10
