"""Scores where the answer is known: closed forms, brute force, limits; and agreement with the field's own libraries."""

import importlib
import itertools
import json
import math
import warnings

import numpy as np
import pytest
import torch
from torch import nn

from zerosum.data import images, open_source
from zerosum.metrics import Case, classifier_score, frechet, intervals, kernel, memorisation, neighbours, path_length
from zerosum.metrics.features.base import Features, weights_hash
from zerosum.metrics.features.pixels import Flat


def normal(n, d=3, seed=0, mean=0.0, spread=1.0):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * spread + mean


# -- Fréchet distance


def test_frechet_distance_of_gaussians_in_closed_form():
    # moments are made exact, so that the distance is: |m - n|^2 + sum (s - t)^2 for axis-aligned covariances
    def exact(mean, spreads, n=500, seed=0):
        x = normal(n, len(mean), seed)
        x = x - x.mean(0)
        x = x @ torch.linalg.inv(torch.linalg.cholesky(x.T.cov())).T
        return x * torch.tensor(spreads, dtype=torch.float64) + torch.tensor(mean, dtype=torch.float64)

    a, b = exact([0, 0, 1], [1, 2, 3]), exact([1, 0, -1], [2, 2, 0.5], seed=1)
    assert frechet.frechet(a, b) == pytest.approx(1 + 4 + 1 + 0 + 2.5**2, rel=1e-9)
    assert frechet.frechet(a, a) == pytest.approx(0, abs=1e-8)
    assert frechet.frechet(a, a + 2) == pytest.approx(12, rel=1e-9)


def test_frechet_distance_does_not_mind_covariances_that_are_singular():
    a = normal(5, 20)
    assert frechet.frechet(a, a) == pytest.approx(0, abs=1e-5) and frechet.frechet(a, a + 1) == pytest.approx(20, rel=1e-4)


# -- precision, recall, density, coverage


def by_definition(real, fake, k, kd):
    """Kynkäänniemi et al. 2019, eq. 1 and 2; Naeem et al. 2020, eq. 5 and 6: with loops."""
    near = lambda s, i, k: sorted(math.dist(s[i], s[j]) for j in range(len(s)) if j != i)[k - 1]
    real, fake = real.tolist(), fake.tolist()
    inside = lambda x, s, k: [math.dist(x, s[i]) <= near(s, i, k) for i in range(len(s))]
    precision = sum(any(inside(x, real, k)) for x in fake) / len(fake)
    recall = sum(any(inside(x, fake, k)) for x in real) / len(real)
    density = sum(sum(inside(x, real, kd)) for x in fake) / (kd * len(fake))
    coverage = sum(min(math.dist(y, x) for x in fake) <= near(real, i, kd) for i, y in enumerate(real)) / len(real)
    return precision, recall, density, coverage


@pytest.mark.parametrize("seed", range(3))
def test_neighbours_are_the_definitions(seed):
    real, fake = normal(31, 2, seed), normal(23, 2, seed + 10, mean=0.7, spread=0.8)
    found = neighbours.neighbours(real, fake, 3, 5)
    expected = by_definition(real, fake, 3, 5)
    assert (found.precision, found.recall, found.density, found.coverage) == pytest.approx(expected, abs=1e-12)


def test_neighbours_at_their_limits():
    real = normal(2500, 4)
    apart = neighbours.neighbours(real, real + 1000)
    assert (apart.precision, apart.recall, apart.density, apart.coverage) == (0, 0, 0, 0)
    same = neighbours.neighbours(real, real.clone())
    assert (same.precision, same.recall, same.coverage) == (1, 1, 1)
    law = neighbours.neighbours(real, normal(2500, 4, seed=1))
    assert law.density == pytest.approx(1, abs=0.05)
    # of 2n points around a real one the 5 nearest are all real with chance 1/2^5 (Naeem et al. 2020, lemma 1)
    assert law.coverage == pytest.approx(1 - 0.5**5, abs=0.02)


def test_precision_falls_with_junk_and_recall_with_missing_modes():
    modes = lambda n, centres, seed: normal(n, 2, seed, spread=0.1) + torch.tensor(centres)[torch.arange(n) % len(centres)]
    real = modes(1000, [[0.0, 0.0], [10.0, 0.0]], 0)
    lost = neighbours.neighbours(real, modes(1000, [[0.0, 0.0]], 1))
    junk = neighbours.neighbours(real, modes(1000, [[0.0, 0.0], [10.0, 0.0], [50.0, 0.0], [90.0, 0.0]], 1))
    assert lost.precision > 0.9 and abs(lost.recall - 0.5) < 0.05 and abs(lost.coverage - 0.5) < 0.05
    assert abs(junk.precision - 0.5) < 0.05 and junk.recall > 0.9


def test_duplicates_do_not_break_neighbours():
    same = torch.ones(20, 3)
    found = neighbours.neighbours(same, same)
    assert (found.precision, found.recall, found.coverage) == (1, 1, 1)


# -- classifier score


def test_classifier_score_in_closed_form():
    sure = torch.eye(7).repeat(3, 1)
    assert classifier_score.classifier_score(sure) == pytest.approx(7)
    assert classifier_score.classifier_score(sure[:1].repeat(9, 1)) == pytest.approx(1)
    assert classifier_score.classifier_score(torch.full((9, 4), 0.25)) == pytest.approx(1)
    half = torch.tensor([[0.75, 0.25], [0.25, 0.75]])
    kl = 0.75 * math.log(1.5) + 0.25 * math.log(0.5)
    assert classifier_score.classifier_score(half) == pytest.approx(math.exp(kl))


# -- memorisation


def test_memorisation_flags_copies_and_not_the_honest():
    train, held, honest = normal(3000, 8), normal(1000, 8, 1), normal(1000, 8, 2)
    near = lambda x: memorisation.nearest(x, train)
    share = lambda x: float(memorisation.memorised(near(x), near(held)).mean())
    assert share(honest) == pytest.approx(0.05, abs=0.03)
    assert share(train[:500]) == 1
    assert share(train[:500] + normal(500, 8, 3, spread=0.05)) > 0.95
    assert share(torch.cat([train[:100], honest[:900]])) == pytest.approx(0.1 + 0.9 * 0.05, abs=0.03)
    assert share(normal(500, 8, 4, mean=3)) == 0


def test_nearest_is_the_nearest():
    x, training = normal(17, 5), normal(1203, 5, 1)
    assert torch.allclose(memorisation.nearest(x, training), torch.cdist(x, training).min(1).values)


# -- path length


def test_the_great_circle_keeps_lengths_and_turns_evenly():
    a, b = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 3.0]])
    middle = path_length.slerp(a, b, torch.tensor([[0.5]]))
    assert torch.allclose(middle, torch.tensor([[2**0.5, 2**0.5]]), atol=1e-6)
    assert torch.allclose(path_length.slerp(a, b, torch.tensor([[0.0]])), a)
    third = path_length.slerp(a, b, torch.tensor([[1 / 3]]))
    assert math.atan2(*third[0].tolist()[::-1]) == pytest.approx(math.pi / 6, abs=1e-5)


class Linear:
    """A generator x = A z of 4 x 4 pixels, with bounded z, and no labels."""

    labelled = False
    maps = None

    def __init__(self, scale=0.3):
        self.a = normal(16, 5, seed=7).float() * scale

    def inputs(self, n, seed=0):
        return {"z": torch.rand(n, 5, generator=torch.Generator().manual_seed(seed)) * 2 - 1}

    def generate(self, inputs):
        return {"x": (inputs["z"] @ self.a.T).view(-1, 1, 4, 4)}

    def make(self, n, seed=0):
        return self.generate(self.inputs(n, seed))


def small_source():
    """600 images of 4 x 4 pixels that hang together, half of them held out."""
    pixels = ((normal(600, 3) @ normal(3, 16, 1)).sigmoid() * 255).numpy().astype(np.uint8).reshape(-1, 4, 4)
    return images.from_array(pixels, None, (), "small", 0.5)


def pixel_features():
    net = Flat()
    return Features("pixels", "pixels", weights_hash(net, "pixels"), 16, net)


def test_path_length_of_a_linear_generator_in_closed_form():
    maker = Linear()
    case = Case(maker, small_source(), pixel_features, seed=3, items=1500)
    (found,) = path_length.measure(case)
    # along the straight way x moves by A (z1 - z0) whatever t: the path length is the mean of |A (z1 - z0)|^2
    moves = (maker.inputs(1500, 4)["z"] - maker.inputs(1500, 3)["z"]).double() @ maker.a.double().T
    lengths = moves.square().sum(1)
    assert found.value == pytest.approx(float(path_length.trimmed(lengths).mean()), rel=2e-3)
    assert found.low < found.value < found.high
    held = case.held["x"].flatten(1).double()
    assert found.real == pytest.approx(float((held[:150] - held[150:300]).square().sum(1).mean()), rel=1e-5)
    assert found.trivial is None


# -- intervals


def covers(truth, interval):
    return interval[0] <= truth <= interval[1]


def test_intervals_cover_the_truth_about_as_often_as_they_say():
    hits = {"bootstrap": 0, "jackknife": 0, "kernel": 0}
    trials = 60
    for seed in range(trials):
        a, b = normal(400, 2, 2 * seed), normal(400, 2, 2 * seed + 1, mean=1.0)
        hits["bootstrap"] += covers(0.0, intervals.bootstrap(a[:, 0], seed=seed))
        hits["jackknife"] += covers(2.0, frechet.interval(a, b, frechet.frechet(a, b)))
        sums = kernel.Kernel(a, b, intervals.GROUPS)
        # E (x.y/2 + 1)^3 with x.y of variance 2 + |m|^2 + |n|^2 + ... by moments: taken from a large sample instead
        hits["kernel"] += covers(KERNEL_TRUTH, intervals.jackknife(sums.value(), sums.without()))
    assert all(0.85 * trials <= count for count in hits.values()), hits


KERNEL_TRUTH = kernel.kid(normal(20_000, 2, 1000), normal(20_000, 2, 1001, mean=1.0))


def test_parts_need_three_and_keep_to_the_range():
    assert intervals.parts(0.9, [0.5, 0.9]) == (None, None)
    low, high = intervals.parts(0.99, [0.9, 1.0, 1.0, 1.0], 0.0, 1.0)
    assert low < 0.99 and high == 1.0


# -- agreement with torchmetrics, on the same features


@pytest.fixture
def numbers():
    """Features of two laws, as a network that passes them on would give them."""
    return normal(500, 24, 0).float(), normal(450, 24, 1, mean=0.3, spread=1.2).float()


class Through(nn.Module):
    """A network that gives what it gets; torchmetrics asks for the number of features."""

    num_features = 24

    def forward(self, x):
        return x


def metric(place, name, **options):
    """One of torchmetrics' metrics: from its own file, because the package shows it only beside torch-fidelity."""
    pytest.importorskip("torchmetrics")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return vars(importlib.import_module(f"torchmetrics.image.{place}"))[name](**options)


def test_agreement_on_the_frechet_distance(numbers):
    theirs = metric("fid", "FrechetInceptionDistance", feature=Through(), normalize=True)
    theirs.update(numbers[0], real=True)
    theirs.update(numbers[1], real=False)
    assert frechet.frechet(*numbers) == pytest.approx(float(theirs.compute()), rel=1e-4)


def test_agreement_on_the_kernel_distance(numbers):
    a, b = numbers[0][:450], numbers[1]
    theirs = metric("kid", "KernelInceptionDistance", feature=Through(), subsets=1, subset_size=450, normalize=True)
    theirs.update(a, real=True)
    theirs.update(b, real=False)
    assert kernel.kid(a, b) == pytest.approx(float(theirs.compute()[0]), rel=1e-4)


def test_agreement_on_the_inception_score(numbers):
    theirs = metric("inception", "InceptionScore", feature=Through(), splits=1)
    theirs.update(numbers[0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it also takes the standard deviation over its one split
        expected = float(theirs.compute()[0])
    assert classifier_score.classifier_score(numbers[0].softmax(1)) == pytest.approx(expected, rel=1e-4)


# -- what every score carries


def test_scores_carry_protocol_interval_floor_and_ceiling():
    case = Case(Linear(), small_source(), pixel_features, seed=3, items=400)
    measures = (frechet, kernel, neighbours, memorisation, classifier_score)
    scores = [one for metric in measures for one in metric.measure(case)]
    assert [one.name for one in scores] == [
        "Fréchet distance, pixels",
        "kernel distance, pixels",
        *(f"{name}, pixels" for name in ("precision", "recall", "density", "coverage")),
        "memorisation, pixels",
    ]
    digest = pixel_features().hash[:16]
    for one in scores:
        for told in (digest, "seed 3", "300", "held-out", "generated", "interval", "real:", "trivial:"):
            assert told in one.protocol, (one.name, told)
        assert one.low <= one.value <= one.high
        assert one.real < one.trivial if one.better == "lower" else one.real > one.trivial
        assert json.loads(json.dumps(one.to_json())) == one.to_json()


def test_only_the_official_network_may_say_fid():
    official = Features("Inception", "official", "0" * 64, 16, Flat(), official=True)
    names = {}
    for features in (official, pixel_features()):
        case = Case(Linear(), small_source(), lambda features=features: features, items=200)
        names[features.name] = [frechet.measure(case)[0], kernel.measure(case)[0]]
    assert [one.name for one in names["Inception"]] == ["FID", "KID"]
    for one in names["pixels"]:
        assert "FID" not in one.name and "KID" not in one.name


def test_copies_and_collapse_are_told_apart_from_honest_items():
    """A copier has coverage but is flagged; a collapsed generator has neither recall nor coverage."""
    source = open_source("digits")

    class Copier(Linear):
        def make(self, n, seed=0):
            return self.generate(self.inputs(n, seed))

        def inputs(self, n, seed=0):
            return {"row": torch.arange(n)}

        def generate(self, inputs):
            return {"x": source.some(1437)["x"][inputs["row"] % 1437]}

    class Collapsed(Copier):
        def generate(self, inputs):
            return {"x": source.some(1437)["x"][:1].repeat(len(inputs["row"]), 1, 1, 1)}

    look = lambda: Features("pixels", "pixels", weights_hash(Flat(), ""), 64, Flat())
    by_name = lambda maker: {
        one.name.split(",")[0]: one
        for m, case in itertools.product((memorisation, neighbours), [Case(maker, source, look, items=1000)])
        for one in m.measure(case)
    }
    copier, collapsed = by_name(Copier()), by_name(Collapsed())
    assert copier["memorisation"].value == 1 > 3 * copier["memorisation"].real
    assert copier["coverage"].value > 0.9 and copier["recall"].value > 0.7
    assert collapsed["coverage"].value < 0.05 and collapsed["recall"].value < 0.05 and collapsed["precision"].value >= 0
