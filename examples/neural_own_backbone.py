"""Heads near a common head behind a network of one's own, against separate heads.

    python examples/neural_own_backbone.py

Thirty tasks of twelve rows share a function and differ a little in how they use it. The same
backbone is trained with heads tied by `MeanRegularizedHeads` at several strengths; the error on
new rows falls, and rises again where the tasks are pooled.
"""

import torch
from torch import nn

from polytask.neural import MeanRegularizedHeads

N_TASKS, ROWS, NEW_ROWS = 30, 12, 200


def make_tasks(seed=0):
    """Rows (m, n, 5) and targets (m, n, 1), whose coefficients are common ones and a bit of own."""
    generator = torch.Generator().manual_seed(seed)
    X = torch.randn(N_TASKS, ROWS + NEW_ROWS, 5, generator=generator)
    hidden = torch.tanh(X @ torch.randn(5, 4, generator=generator))
    W = torch.randn(1, 4, generator=generator) + 0.3 * torch.randn(N_TASKS, 4, generator=generator)
    noise = 0.3 * torch.randn(N_TASKS, ROWS + NEW_ROWS, generator=generator)
    return X, ((hidden * W[:, None]).sum(dim=2) + noise)[..., None]


def train(alpha, epochs=300):
    """Mean squared error on new rows after training with heads of this strength."""
    torch.manual_seed(0)
    X, y = make_tasks()
    task = torch.arange(N_TASKS).repeat_interleave(ROWS)
    rows, target = X[:, :ROWS].reshape(-1, 5), y[:, :ROWS].reshape(-1, 1)
    backbone = nn.Sequential(nn.Linear(5, 16), nn.Tanh())
    heads = MeanRegularizedHeads(in_features=16, n_tasks=N_TASKS, alpha=alpha)
    optimizer = torch.optim.Adam([*backbone.parameters(), *heads.parameters()], 0.01)
    for _ in range(epochs):
        loss = 0.5 * (heads(backbone(rows), task) - target).square().mean() + heads.penalty()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    task = torch.arange(N_TASKS).repeat_interleave(NEW_ROWS)
    with torch.no_grad():
        answer = heads(backbone(X[:, ROWS:].reshape(-1, 5)), task)
    return (answer - y[:, ROWS:].reshape(-1, 1)).square().mean().item()


def main():
    print("alpha     error on new rows")
    for alpha in (0.0, 0.001, 0.003, 0.01, 0.1, 10.0):
        print(f"{alpha:<9} {train(alpha):.3f}")


if __name__ == "__main__":
    main()
