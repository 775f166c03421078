"""The script of the public comparison runs on a file of the published form."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.multilevel.test_lme4 import has_r

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_it_takes_a_file_and_says_the_goal(tmp_path):
    if not has_r("rsample"):
        pytest.skip("needs Rscript with rsample, which deals the folds")
    rng, n = np.random.default_rng(0), 400
    person, year = rng.integers(0, 60, n), rng.integers(68, 89, n)
    table = pd.DataFrame({"idcode": person, "year": year, "race": rng.choice(["a", "b"], n)})
    table["ln_wage"] = 0.02 * year + rng.normal(size=60)[person] + 0.3 * rng.normal(size=n)
    table.to_csv(tmp_path / "wages.csv", index=False)
    script = ROOT / "benchmarks" / "public_comparison.py"
    command = [sys.executable, script, tmp_path / "wages.csv", "--task", "idcode",
               "--target", "ln_wage"]  # fmt: skip
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    lines = done.stdout.splitlines()
    assert len(lines) == 2
    for line in lines:
        assert "best published 0.651" in line
        assert float(line.split("MSE ")[1].split()[0]) < 0.4  # of the standardized target
