"""The named settings are those of the reference table, and changing one changes nothing else."""

import dataclasses

import pytest

from phasescope.studies.grokking.benches import BENCHES, bench
from phasescope.training.settings import TrainingSettings, from_mapping


@pytest.mark.parametrize(
    ("name", "p", "width", "activation", "fraction", "learning_rate", "weight_decay"),
    [
        ("F1", 23, 64, "square", 0.5, 0.01, 1.0),
        ("F2", 31, 64, "square", 0.5, 0.01, 1.0),
        ("F3", 59, 128, "square", 0.4, 0.01, 1.0),
        ("F4", 59, 128, "square", 0.3, 0.01, 1.0),
        ("F3-decay-0.5", 59, 128, "square", 0.4, 0.01, 0.5),
        ("F3-decay-3", 59, 128, "square", 0.4, 0.01, 3.0),
        ("F6", 59, 256, "relu", 0.5, 0.01, 1.0),
        ("F7", 59, 256, "relu", 0.5, 0.003, 1.0),
        ("F8", 31, 128, "relu", 0.6, 0.01, 1.0),
        ("F9", 97, 128, "square", 0.4, 0.01, 1.0),
        ("T1", 53, 64, None, 0.5, 0.003, 1.0),
        ("P113", 113, 128, None, 0.3, 0.001, 1.0),
    ],
)
def test_a_bench_is_the_row_of_the_table(name, p, width, activation, fraction, learning_rate, weight_decay):
    chosen = BENCHES[name]
    assert (chosen.training.modulus, chosen.training.width) == (p, width)
    assert activation is None or chosen.training.activation == activation
    assert (chosen.fraction, chosen.learning_rate, chosen.weight_decay) == (fraction, learning_rate, weight_decay)
    assert chosen.training.betas == (0.9, 0.98)


def test_the_parameters_of_the_published_transformer_are_counted():
    shapes = BENCHES["P113"].training.build_model().shapes().values()
    count = sum(shape[0] * (shape[1] if len(shape) == 2 else 1) for shape in shapes)
    assert count == 114 * 128 + 3 * 128 + 4 * 128**2 + 2 * 128 * 512 + 512 + 128 + 128 * 113


def test_a_change_touches_nothing_else():
    changed = bench("F3", operation="subtract")
    assert dataclasses.replace(changed.training, operation="add") == BENCHES["F3"].training
    assert BENCHES["F3"].training.operation == "add"


def test_seed_names_both_factors_unless_they_are_set_apart():
    run = bench("F3").run(4, split_seed=9)
    assert (run.seed, run.init_seed, run.split_seed) == (4, 4, 9)


@pytest.mark.parametrize(("name", "change"), [("T1", {"activation": "square"}), ("F3", {"n_heads": 2})])
def test_a_setting_that_the_network_does_not_have_is_refused_rather_than_ignored(name, change):
    with pytest.raises(ValueError, match=f"bench {name} has no setting {next(iter(change))}"):
        bench(name, **change)


def test_what_is_recorded_names_only_settings_that_had_a_part_and_reads_back_whole():
    for chosen in BENCHES.values():
        described = chosen.training.described()
        assert ("activation" in described) == (chosen.training.model == "mlp") == ("n_heads" not in described)
        assert from_mapping(TrainingSettings, described).build_model() == chosen.training.build_model()
