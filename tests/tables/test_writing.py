"""Tables are written as the ending of a name says."""

import pandas as pd
import pytest

from polytask.tables import TableError, write_table


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.csv.gz", "t.parquet"])
def test_tables_come_back(tmp_path, name):
    table = pd.DataFrame({"a": [1, 2], "b": ["x", "ü,"]})
    write_table(table, tmp_path / name)
    if name.endswith("parquet"):
        back = pd.read_parquet(tmp_path / name)
    else:
        back = pd.read_csv(tmp_path / name, sep="\t" if "tsv" in name else ",")
    pd.testing.assert_frame_equal(back, table, check_dtype=False)


def test_unknown_ending(tmp_path):
    with pytest.raises(TableError, match=r"out must end in \.parquet"):
        write_table(pd.DataFrame({"a": [1]}), tmp_path / "t.xlsx")
