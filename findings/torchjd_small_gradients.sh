#!/usr/bin/env bash
# torchjd 0.18.0: UPGrad and DualProj raise the loss of a task whose gradient is small beside the others'.
#
# They are there so that no task's loss goes up. Of 200 random triples of gradients with one a hundredth as long, UPGrad's
# direction raises that task's loss in 95, at worst with a cosine of -0.77; with one a tenth as long in 10. reg_eps of
# 1e-4, which is described as care for the solver, is added to all gradients' squares, scaled together, and outweighs a
# small one. With reg_eps=1e-8 (and double precision) no direction is against any task.
#
# Expected before it was run: no conflict whatever the lengths, up to a cosine of -0.001.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    torchjd==0.18.0 torch==2.14.1 numpy==2.4.6 qpsolvers==4.13.0 quadprog==0.1.14
"$folder/venv/bin/python" - <<'PY'
import torch
from torchjd.aggregation import DualProj, UPGrad
from torchjd.linalg import QuadprogProjector


def against(Aggregator, length, projector=None):
    """Shares of triples in which a direction is against a task, and the worst cosine."""
    found = []
    for seed in range(200):
        torch.manual_seed(seed)
        gradients = torch.randn(3, 6, dtype=torch.float64)
        gradients[0] *= length
        direction = Aggregator(projector=projector)(gradients)
        cosines = gradients @ direction / (gradients.norm(dim=1) * direction.norm())
        found.append(float(cosines.min()))
    return sum(cosine < -0.01 for cosine in found), min(found)


counts = {}
for Aggregator in (UPGrad, DualProj):
    for length in (1.0, 0.1, 0.01):
        careful = against(Aggregator, length, QuadprogProjector(norm_eps=1e-12, reg_eps=1e-8))
        counts[Aggregator, length] = default = against(Aggregator, length)
        print(f"{Aggregator.__name__:8} one gradient of length {length}: against a task in {default[0]} of 200,", end=" ")
        print(f"worst cosine {default[1]:.2f}; with reg_eps=1e-8 in {careful[0]}, {careful[1]:.4f}")
        if careful[0]:
            raise SystemExit("CHANGED: with a small reg_eps too")
for Aggregator in (UPGrad, DualProj):
    if counts[Aggregator, 1.0][0] or not 60 < counts[Aggregator, 0.01][0] < 140 or not counts[Aggregator, 0.1][0]:
        raise SystemExit("CHANGED: directions against tasks of small gradients")
print("as stated: tasks of small gradients are not protected")
PY
