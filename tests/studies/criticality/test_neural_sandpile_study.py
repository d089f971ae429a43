"""The neural sandpile under both criteria. Only this file sees verdicts of another rule, seed or system than the one
they are said to be of, and a rule that is called critical though its cut-off stays where it is."""

import numpy as np
import pytest

from phasescope.figures import draw
from phasescope.measures.criticality import criticality
from phasescope.measures.cut_off_growth import cut_off_growth
from phasescope.measures.published_rules import slope_criterion
from phasescope.studies.criticality.neural_sandpile import WARMUP_PER_SITE, neural_sandpile_study
from phasescope.synthetic.neural_sandpile import neural_sandpile


@pytest.fixture(scope="module")
def study():
    return neural_sandpile_study([1_000, 100], n_seeds=3, n_drives=10_000, seed=5)


def test_the_published_rule_passes_the_published_criterion_and_does_not_grow(study):
    published, conservative = study.rules
    assert published.rule == "published"
    assert published.loss == pytest.approx(1.4)
    assert published.passes.all()
    assert published.growth == ("does not grow",) * 3
    assert published.interval[0] < 0.05
    assert published.mean_sizes.max() < 0.65 / 1.4 + 0.03  # mean drive over loss
    assert conservative.growth == ("grows",) * 3
    assert not conservative.passes[-1].any()
    assert conservative.interval[0] > 2  # N² in the mean, as a walk that has to find an end
    assert not published.critical.any()
    assert not conservative.critical.any()
    assert study.caveats[0].startswith("3 of 3 runs of the published rule pass the published criterion, and 0 have")


@pytest.mark.parametrize("conservative", [False, True])
def test_every_entry_is_that_of_its_rule_seed_and_system(study, conservative):
    rule = study.rules[conservative]
    runs = {
        n: neural_sandpile(
            n,
            n_drives=10_000,
            conservative=conservative,
            warmup_drives=WARMUP_PER_SITE * n,
            rng=np.random.default_rng([5, int(conservative), 2, n]),
        )
        for n in (100, 1_000)
    }
    sizes = {n: run.avalanches.sizes for n, run in runs.items()}
    growth = cut_off_growth(sizes)
    np.testing.assert_array_equal(rule.cut_offs[:, 2], growth.cut_offs)
    assert rule.growth[2] == growth.verdict
    for k, n in enumerate((100, 1_000)):
        found = slope_criterion(sizes[n])
        assert rule.mean_sizes[k, 2] == runs[n].estimate
        assert (rule.slopes[k, 2], rule.r_squared[k, 2], rule.largest[k, 2]) == (
            found.slope,
            found.r_squared,
            found.largest,
        )
        assert rule.passes[k, 2] == found.self_organized_critical
    judged = criticality(runs[1_000].avalanches, rng=np.random.default_rng(0))
    assert (rule.verdicts[2], rule.reasons[2]) == (judged.verdict, judged.reason)


def test_the_picture_says_how_many_pass_and_how_many_grow(study):
    figure = draw(study)
    summary = figure.layout.meta["summary"]
    assert "Published rule: the published criterion passes 3 of 3 at N = 1,000, the cut-off grows in 0" in summary
    assert "conservative rule: the published criterion passes 0 of 3 at N = 1,000, the cut-off grows in 3" in summary
    for rule, runs in zip(study.rules, figure.data[::2], strict=True):
        np.testing.assert_array_equal(runs.y, rule.cut_offs.ravel())
        assert list(runs.x) == [100] * 3 + [1_000] * 3
    assert figure.layout.yaxis.type == "log"


@pytest.mark.parametrize(("sizes", "n_seeds"), [([100], 3), ([100, 100], 3), ([0, 10], 3), ([10, 20], 1)])
def test_too_little_to_compare_gets_one_sentence(sizes, n_seeds):
    with pytest.raises(ValueError, match="growth needs two systems of at least one parameter and two seeds; got"):
        neural_sandpile_study(sizes, n_seeds=n_seeds)
