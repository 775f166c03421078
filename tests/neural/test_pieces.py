"""Losses, penalties, batches and units: each against its definition."""

import numpy as np
import pytest
import torch

from polytask.neural.coding import make_groups
from polytask.neural.heads import CommonHead, MeanRegularizedHeads, SeparateHeads
from polytask.neural.kinds import KINDS
from polytask.neural.samples import deal
from polytask.neural.targets import Targets, hold_out
from polytask.neural.units import measure_units


def targets_of_sizes(sizes, y=None, seed=0):
    rng = np.random.default_rng(seed)
    code = np.repeat(np.arange(len(sizes)), sizes)
    values = rng.normal(size=len(code)) if y is None else y
    share = np.full(len(sizes), 1 / len(sizes))
    return Targets(np.arange(len(code)), code, values, rng.uniform(0.5, 2, len(code)), share)


@pytest.mark.parametrize(
    ("kind", "y"),
    [("squared", 0.3), ("huber", 0.3), ("huber", 4.0), ("logistic", 1.0), ("poisson", 2.0)],
)
def test_gradients_of_losses(kind, y):
    z = torch.linspace(-2, 2, 7, dtype=torch.float64).reshape(-1, 1).requires_grad_()
    target = torch.full((7,), y, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda z: KINDS[kind].loss(z, target, 1.35), (z,))


def test_gradient_of_the_multinomial_loss():
    z = torch.randn(6, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    target = torch.tensor([0.0, 1, 2, 3, 0, 1], dtype=torch.float64)
    assert torch.autograd.gradcheck(
        lambda z: KINDS["multinomial"].loss(z, target, 0.0), (z.requires_grad_(),)
    )


def test_losses_are_those_of_their_names():
    z, y = torch.tensor([[0.5], [3.0]]), torch.tensor([0.0, 1.0])
    assert KINDS["squared"].loss(z, y, 1.0).tolist() == pytest.approx([0.125, 2.0])
    assert KINDS["huber"].loss(z, y, 1.0).tolist() == pytest.approx([0.125, 1.5])
    expected = [np.log1p(np.exp(0.5)), np.log1p(np.exp(3.0)) - 3.0]
    assert KINDS["logistic"].loss(z, y, 1.0).tolist() == pytest.approx(expected)
    both = torch.tensor([[0.0, 0.5], [0.0, 3.0]])
    assert KINDS["multinomial"].loss(both, y, 1.0).tolist() == pytest.approx(expected)
    assert KINDS["poisson"].loss(z, y, 1.0).tolist() == pytest.approx(
        [np.exp(0.5), np.exp(3.0) - 3.0]
    )


def test_gradient_of_the_penalty():
    heads = MeanRegularizedHeads(3, 4, 2, alpha=0.3, alpha_common=0.2, alpha_intercept=0.1).double()
    for parameter in heads.parameters():
        torch.nn.init.normal_(parameter, generator=torch.Generator().manual_seed(1))
    names = [name for name, _ in heads.named_parameters()]

    def penalty(*values):
        return torch.func.functional_call(
            _Penalty(heads), {f"heads.{n}": v for n, v in zip(names, values, strict=True)}, ()
        )

    assert torch.autograd.gradcheck(
        penalty, tuple(p.detach().requires_grad_() for p in heads.parameters())
    )
    expected = (
        0.3 * heads.deviation.square().sum()
        + 0.2 * heads.common.weight.square().sum()
        + 0.1 * heads.level.square().sum()
    )
    assert heads.penalty().item() == pytest.approx(expected.item())


class _Penalty(torch.nn.Module):
    def __init__(self, heads):
        super().__init__()
        self.heads = heads

    def forward(self):
        return self.heads.penalty()


def test_heads_by_look_up_are_heads_by_matrix():
    heads = MeanRegularizedHeads(3, 5, 2).double()
    torch.nn.init.normal_(heads.deviation)
    torch.nn.init.normal_(heads.level)
    features, task = torch.randn(7, 3, dtype=torch.float64), torch.tensor([0, 4, 2, 2, 1, 0, 3])
    every = heads(features)
    assert every.shape == (7, 5, 2)
    torch.testing.assert_close(heads(features, task), every[torch.arange(7), task])
    one = features[1] @ heads.weight[4].T + heads.bias[4]
    torch.testing.assert_close(every[1, 4], one)


def test_negative_strength_is_refused():
    with pytest.raises(ValueError, match="alpha must be zero or positive; got -1"):
        MeanRegularizedHeads(3, 5, alpha=-1.0)


def test_common_and_separate_heads():
    features = torch.randn(7, 3)
    common = CommonHead(3, 4, 2, alpha=0.5)
    torch.testing.assert_close(common(features)[:, 2], common(features, torch.zeros(7)))
    separate = SeparateHeads(3, 4, 2, alpha=torch.tensor([1.0, 0, 0, 2.0]))
    torch.nn.init.normal_(separate.weight)
    blocks = torch.randn(4, 6, 3)
    torch.testing.assert_close(separate(blocks)[3], blocks[3] @ separate.weight[3])
    squares = separate.weight.square().sum(dim=(1, 2))
    torch.testing.assert_close(separate.penalty(), squares[0] + 2 * squares[3])


def test_a_batch_estimates_the_mean_loss_of_every_task_without_bias(seed):
    """The mean over many deals of the weighted sum in one slot, times the number of slots."""
    sizes = np.array([1, 3, 8, 40])
    targets = targets_of_sizes(sizes, seed=seed)
    loss, rng, n_batches, n_deals = targets.y**2, np.random.RandomState(seed), 6, 4000
    exact = np.bincount(targets.code, weights=targets.weight * loss)
    estimates = np.empty((n_deals, 4))
    for k in range(n_deals):
        mine = deal(targets.code, n_batches, rng) == 2
        weight = targets.weight * mine
        estimates[k] = n_batches * np.bincount(targets.code, weights=weight * loss)
    error = estimates.std(axis=0) / np.sqrt(n_deals)
    assert (np.abs(estimates.mean(axis=0) - exact) < 4 * error + 1e-12).all()


def test_every_slot_has_its_share_of_every_task():
    sizes = np.array([1, 3, 8, 40])
    code = np.repeat(np.arange(4), sizes)
    slot = deal(code, 6, np.random.RandomState(0))
    counts = np.zeros((6, 4), dtype=int)
    np.add.at(counts, (slot, code), 1)
    assert (counts.sum(axis=0) == sizes).all()
    assert (counts >= np.floor(sizes / 6)).all()
    assert (counts <= np.ceil(sizes / 6)).all()


@pytest.mark.parametrize("wide", [False, True])
def test_the_validation_part_leaves_every_task_rows(wide):
    targets = targets_of_sizes([1, 2, 3, 30])
    train, held = hold_out(targets, 0.25, wide, np.random.RandomState(0))
    assert (np.bincount(train.code, minlength=4) > 0).all()
    assert len(train.y) + len(held.y) == 36
    assert held.share.sum() == pytest.approx(1)
    assert hold_out(targets_of_sizes([1, 1, 1]), 0.1, False, np.random.RandomState(0))[1] is None


def test_units_are_of_the_group_or_of_each_separate_task():
    y = np.concatenate([np.full(4, 5.0), [0.0, 10, 20], [1.0, 0, 1]])
    targets = targets_of_sizes([4, 3, 3], y)
    groups = make_groups(["squared", "squared", "logistic"], [None, None, np.array([0, 1])])
    joint = measure_units(targets, groups, separate=False)
    assert joint.scale[0] == joint.scale[1] > 1
    assert joint.scale[2] == 1
    assert joint.offset[2] == 0
    alone = measure_units(targets, groups, separate=True)
    assert alone.offset[0] == pytest.approx(5)
    assert alone.scale[0] == 1  # constant
    assert (alone.pull == 1).all()


def test_multinomial_tasks_are_tied_only_with_the_same_labels():
    a, b = np.array(["x", "y", "z"]), np.array(["u", "v", "w"])
    groups = make_groups(["multinomial", "squared", "multinomial", "multinomial"], [a, None, b, a])
    assert [(g.kind.name, g.tasks.tolist(), g.width) for g in groups] == [
        ("multinomial", [0, 3], 3), ("squared", [1], 1), ("multinomial", [2], 3),
    ]  # fmt: skip
