"""Time of an epoch as a ratio to a plain PyTorch loop, alternating in one run.

    python benchmarks/neural_speed.py [--tasks 10 100 1000 10000] [--rows 20] [--repeats 3]

Shared layer: a body and a separate `nn.Linear` head for each task, whose rows are picked from the
batch by a loop over the tasks that it holds. Network per task: a loop over modules, each with its
own optimizer. Both loops do the same mathematics as the estimators: 20 features, 64 hidden units,
Adam, float32, the same batches. From 10,000 tasks on only the estimators run.
"""

import argparse
import time
import warnings

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from torch import nn

from polytask import SharedHiddenLayerRegressor, SingleTaskNetworkRegressor

D, K, BATCH = 20, 64, 1024


def make_data(m, rows, seed=0):
    """Tasks of equal size, related by their coefficients."""
    rng = np.random.default_rng(seed)
    code = np.repeat(np.arange(m), rows)
    X = rng.normal(size=(m * rows, D)).astype(np.float32)
    W = rng.normal(size=D) + 0.3 * rng.normal(size=(m, D))
    return X, code, np.tanh((X * W[code]).sum(axis=1) / 3).astype(np.float32)


class PlainShared:
    """A body and a layer per task; the loss is the mean over rows, as tasks are of one size."""

    def __init__(self, X, code, y, m):
        self.X, self.code, self.y = torch.tensor(X), torch.tensor(code), torch.tensor(y)
        self.body = nn.Sequential(nn.Linear(D, K), nn.ReLU())
        self.heads = nn.ModuleList(nn.Linear(K, 1) for _ in range(m))
        parameters = [*self.body.parameters(), *self.heads.parameters()]
        self.optimizer = torch.optim.Adam(parameters, 0.003)

    def epoch(self):
        for batch in torch.randperm(len(self.y)).split(BATCH):
            h, code, y = self.body(self.X[batch]), self.code[batch], self.y[batch]
            loss = 0.0
            for i in code.unique().tolist():
                mine = code == i
                loss = loss + (self.heads[i](h[mine])[:, 0] - y[mine]).square().sum()
            self.optimizer.zero_grad()
            (0.5 * loss / len(batch)).backward()
            self.optimizer.step()


class PlainSeparate:
    """A network and an optimizer per task, all rows of the task in a step."""

    def __init__(self, X, code, y, m):
        X, code, y = torch.tensor(X), torch.tensor(code), torch.tensor(y)
        self.parts = [(X[code == i], y[code == i]) for i in range(m)]
        self.nets = [nn.Sequential(nn.Linear(D, K), nn.ReLU(), nn.Linear(K, 1)) for _ in range(m)]
        self.optimizers = [torch.optim.Adam(net.parameters(), 0.003) for net in self.nets]

    def epoch(self):
        for (X, y), net, optimizer in zip(self.parts, self.nets, self.optimizers, strict=True):
            loss = 0.5 * (net(X)[:, 0] - y).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


def estimator_epoch(cls, X, code, y, epochs=4):
    """Seconds of an epoch: a fit of a few epochs less a fit of one, so that set-up cancels."""
    table = np.column_stack([X, code])
    times = []
    for n in (1, 1 + epochs):
        model = cls(
            (K,), task=-1, batch_size=BATCH, max_iter=n, early_stopping=False, random_state=0,
            alpha=0.001, device="cpu",
        )  # fmt: skip
        start = time.perf_counter()
        model.fit(table, y)
        times.append(time.perf_counter() - start)
    return (times[1] - times[0]) / epochs


def compare(name, cls, plain, m, rows, repeats):
    """Alternate plain loop and estimator; medians and their ratio as a row of Markdown."""
    X, code, y = make_data(m, rows)
    loop = plain(X, code, y, m) if m < 10_000 else None
    slow, fast = [], []
    for _ in range(repeats):
        if loop is not None:
            start = time.perf_counter()
            loop.epoch()
            slow.append(time.perf_counter() - start)
        fast.append(estimator_epoch(cls, X, code, y))
    ours = np.median(fast)
    if loop is None:
        print(f"| {name} | {m:,} | not run | {1e3 * ours:.0f} | |", flush=True)
        return
    theirs = np.median(slow)
    print(
        f"| {name} | {m:,} | {1e3 * theirs:.0f} | {1e3 * ours:.1f} | {theirs / ours:.1f} |",
        flush=True,
    )


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", nargs="+", type=int, default=[10, 100, 1000, 10_000])
    parser.add_argument("--rows", type=int, default=20, help="rows per task")
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args(argv)
    warnings.simplefilter("ignore", ConvergenceWarning)
    print(f"PyTorch {torch.__version__}, {torch.get_num_threads()} thread(s)\n")
    print("| | tasks | plain loop, ms | polytask, ms | ratio |\n|---|---|---|---|---|")
    for m in args.tasks:
        for name, cls, plain in (
            ("shared layer", SharedHiddenLayerRegressor, PlainShared),
            ("network per task", SingleTaskNetworkRegressor, PlainSeparate),
        ):
            compare(name, cls, plain, m, args.rows, args.repeats)


if __name__ == "__main__":
    main()
