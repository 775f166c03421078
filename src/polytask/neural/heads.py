"""Output heads of many tasks as one module: tied to a common head, one for all, or separate."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["CommonHead", "MeanRegularizedHeads", "SeparateHeads"]


class MeanRegularizedHeads(nn.Module):
    """A linear head per task near a common one: w_i = w0 + Δw_i, b_i = b0 + Δb_i.

    The penalty, to be added to the mean loss over tasks, is
    ``alpha ‖ΔW‖_F² + alpha_common ‖w0‖_F² + alpha_intercept ‖Δb‖²``. Large alpha pools the heads;
    large alpha_common leaves heads with a plain ridge. It works behind any backbone, and a task
    costs a row in a table of deviations: ten thousand tasks are one look-up, not a loop.

    Parameters
    ----------
    in_features : int
        Width k of what the backbone gives.
    n_tasks : int
        Number of tasks m.
    out_features : int, default=1
        Outputs q of a task.
    alpha : float, default=0.01
        Strength that pulls the heads to the common one, zero or positive.
    alpha_common : float, default=0.0
        Ridge strength on the common head.
    alpha_intercept : float, optional
        Strength that pulls the intercepts together; alpha if not given.
    device, dtype
        As in `torch.nn.Linear`.

    References
    ----------
    Evgeniou and Pontil, Regularized multi-task learning, KDD 2004, for linear models.

    Examples
    --------
    >>> import torch
    >>> from polytask.neural import MeanRegularizedHeads
    >>> heads = MeanRegularizedHeads(in_features=8, n_tasks=3, alpha=0.1)
    >>> features, task = torch.zeros(5, 8), torch.tensor([0, 0, 2, 1, 2])
    >>> heads(features, task).shape, heads(features).shape
    (torch.Size([5, 1]), torch.Size([5, 3, 1]))
    >>> heads.penalty().item()
    0.0
    """

    def __init__(
        self,
        in_features: int,
        n_tasks: int,
        out_features: int = 1,
        *,
        alpha: float = 0.01,
        alpha_common: float = 0.0,
        alpha_intercept: float | None = None,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        level = alpha if alpha_intercept is None else alpha_intercept
        strengths = {"alpha": alpha, "alpha_common": alpha_common, "alpha_intercept": level}
        for name, value in strengths.items():
            if not 0.0 <= value < float("inf"):
                raise ValueError(
                    f"MeanRegularizedHeads: {name} must be zero or positive; got {value}."
                )
        self.in_features, self.n_tasks, self.out_features = in_features, n_tasks, out_features
        self.alpha, self.alpha_common, self.alpha_intercept = alpha, alpha_common, level
        self.common = nn.Linear(in_features, out_features, device=device, dtype=dtype)
        # A row per task, flat, because a look-up in a table of rows has the fast gradient.
        zeros = torch.zeros(n_tasks, out_features * in_features, device=device, dtype=dtype)
        self.deviation = nn.Parameter(zeros)
        self.level = nn.Parameter(torch.zeros(n_tasks, out_features, device=device, dtype=dtype))

    @property
    def weight(self) -> Tensor:
        """w0 + Δw_i of every task, shape (m, q, k)."""
        deviation = self.deviation.view(self.n_tasks, self.out_features, self.in_features)
        return self.common.weight + deviation

    @property
    def bias(self) -> Tensor:
        """b0 + Δb_i of every task, shape (m, q)."""
        return self.common.bias + self.level

    def forward(self, features: Tensor, task: Tensor | None = None) -> Tensor:
        """Outputs (n, q) of each row's own task, or (n, m, q) of all tasks if ``task`` is None.

        Parameters
        ----------
        features : Tensor of shape (n, k)
        task : integer Tensor of shape (n,), optional
            Task of each row, 0 … m-1.
        """
        if task is None:
            flat = self.weight.reshape(-1, self.in_features)
            out = functional.linear(features, flat, self.bias.reshape(-1))
            return out.view(len(features), self.n_tasks, self.out_features)
        deviation = functional.embedding(task, self.deviation)
        deviation = deviation.view(len(task), self.out_features, self.in_features)
        own = (deviation * features.unsqueeze(1)).sum(dim=2)
        return self.common(features) + own + functional.embedding(task, self.level)

    def penalty(self) -> Tensor:
        """Alpha ‖ΔW‖_F² + alpha_common ‖w0‖_F² + alpha_intercept ‖Δb‖², a scalar."""
        total = self.alpha * _square(self.deviation)
        if self.alpha_intercept:
            total = total + self.alpha_intercept * _square(self.level)
        if self.alpha_common:
            total = total + self.alpha_common * _square(self.common.weight)
        return total

    def extra_repr(self) -> str:
        """What `print` shows."""
        return f"n_tasks={self.n_tasks}, alpha={self.alpha}, alpha_common={self.alpha_common}"


class CommonHead(nn.Module):
    """One linear head for all tasks, with the penalty alpha ‖w‖².

    Parameters
    ----------
    in_features, n_tasks, out_features : int
        Widths k and q, and the number of tasks, which only shapes the answer.
    alpha : float, default=0.0
    """

    def __init__(
        self, in_features: int, n_tasks: int, out_features: int = 1, *, alpha: float = 0.0
    ) -> None:
        super().__init__()
        self.n_tasks, self.alpha = n_tasks, alpha
        self.common = nn.Linear(in_features, out_features)

    def forward(self, features: Tensor, task: Tensor | None = None) -> Tensor:
        """Outputs (n, q), or (n, m, q) if ``task`` is None, the same for every task."""
        out = self.common(features)
        return out.unsqueeze(1).expand(-1, self.n_tasks, -1) if task is None else out

    def penalty(self) -> Tensor:
        """Alpha ‖w‖²."""
        return self.alpha * _square(self.common.weight)


class SeparateHeads(nn.Module):
    """A head per task on features of its own, all in one batched product.

    Parameters
    ----------
    in_features, n_tasks, out_features : int
    alpha : float or Tensor of shape (m,), default=0.0
        The penalty is sum_i alpha_i ‖w_i‖².
    """

    def __init__(
        self, in_features: int, n_tasks: int, out_features: int = 1, *, alpha: float | Tensor = 0.0
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(n_tasks, in_features, out_features))
        self.bias = nn.Parameter(torch.zeros(n_tasks, out_features))
        self.register_buffer("alpha", torch.as_tensor(alpha).expand(n_tasks), persistent=False)

    def forward(self, features: Tensor, task: Tensor | None = None) -> Tensor:
        """Outputs (t, n, q) of features (t, n, k): block j belongs to task[j], or to task j."""
        weight, bias = self.weight, self.bias
        if task is not None:
            weight, bias = weight[task], bias[task]
        return torch.baddbmm(bias.unsqueeze(1), features, weight)

    def penalty(self) -> Tensor:
        """sum_i alpha_i ‖w_i‖²."""
        alpha: Tensor = self.alpha
        if not alpha.any():
            return alpha.new_zeros(())
        return (self.weight.square().sum(dim=(1, 2)) * alpha).sum()


def _square(values: Tensor) -> Tensor:
    flat = values.reshape(-1)
    return torch.dot(flat, flat)
