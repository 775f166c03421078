"""Tables out of real databases: the same rows, and nothing is written."""

import os
import sqlite3

import numpy as np
import pandas as pd
import pytest

from polytask.tables import TableError, read_table
from polytask.tables.database import without_password

duckdb = pytest.importorskip("duckdb", reason="needs polytask[sql]")
pytest.importorskip("adbc_driver_sqlite", reason="needs polytask[sql]")
pytest.importorskip("adbc_driver_postgresql", reason="needs polytask[sql]")

ROWS = 3000  # more than the batch by which the SQLite driver would guess types
MAKE = """
create table sales as select
  '00' || (i % 7) as shop, i * 0.5 as area, cast(i * 1.25 as numeric(10, 2)) as amount,
  case when i % 3 = 0 then null else 'a' end as arm, i % 2 = 0 as promoted
"""
FROM = {
    "duckdb": "from range(3000) t(i)",
    "postgresql": "from generate_series(0, 2999) i",
}


@pytest.fixture(scope="module")
def expected():
    i = np.arange(ROWS)
    arm = np.where(i % 3 == 0, None, "a")
    return pd.DataFrame({"shop": [f"00{k}" for k in i % 7], "area": i * 0.5, "amount": i * 1.25,
                         "arm": arm, "promoted": i % 2 == 0})  # fmt: skip


@pytest.fixture(scope="module")
def duck(tmp_path_factory):
    path = tmp_path_factory.mktemp("duck") / "my shop.duckdb"
    with duckdb.connect(path) as connection:
        connection.execute(MAKE + FROM["duckdb"])
    return f"duckdb:///{path}"


@pytest.fixture(scope="module")
def lite(tmp_path_factory, expected):
    path = tmp_path_factory.mktemp("lite") / "shop?.sqlite"
    connection = sqlite3.connect(path)
    expected.to_sql("sales", connection, index=False)
    connection.execute("create table odd(late, code, amount numeric)")
    rows = [(None if i < 2000 else "text", i if i < 2000 else "z", i if i < 2000 else i + 0.5)
            for i in range(ROWS)]  # fmt: skip
    connection.executemany("insert into odd values(?, ?, ?)", rows)
    connection.commit()
    connection.close()
    return f"sqlite:///{str(path).replace('?', '%3F')}"


@pytest.fixture(scope="module")
def postgres():
    """The server that .ci/run starts, with the table in a schema of its own."""
    url = os.environ.get("POLYTASK_POSTGRES")
    if not url:
        pytest.skip("no PostgreSQL server: POLYTASK_POSTGRES names none (.ci/run starts one)")
    from adbc_driver_postgresql import dbapi

    with dbapi.connect(url) as connection, connection.cursor() as cursor:
        for sql in ("drop schema if exists polytask_test cascade", "create schema polytask_test"):
            cursor.execute(sql)
        cursor.execute(MAKE.replace(" sales ", " polytask_test.sales ") + FROM["postgresql"])
        cursor.execute(
            "create table polytask_test.kinds as select 1::bigint as id, 'x'::char(5) as padded, "
            "'NaN'::numeric as hole, gen_random_uuid() as u, '{\"a\": 1}'::jsonb as doc"
        )
        connection.commit()
    return url


def query(source, sql):
    return f"{source}{'&' if '?' in source.split('query')[0] else '?'}query={sql}"


@pytest.mark.parametrize("kind", ["duck", "lite", "postgres"])
def test_the_rows_are_those_of_the_table(kind, expected, request):
    source = request.getfixturevalue(kind)
    name = "polytask_test.sales" if kind == "postgres" else "sales"
    table, notes = read_table(query(source, f"select * from {name} order by area"))
    assert "select * from" in notes[0]
    assert table["shop"].tolist() == expected["shop"].tolist()
    np.testing.assert_array_equal(
        table[["area", "amount"]].astype(float), expected[["area", "amount"]]
    )
    assert table["amount"].dtype == float  # not text, not exact decimals
    assert table["arm"].isna().tolist() == expected["arm"].isna().tolist()
    np.testing.assert_array_equal(table["promoted"].astype(bool), expected["promoted"])


@pytest.mark.parametrize("kind", ["duck", "lite", "postgres"])
@pytest.mark.parametrize(
    "sql",
    ["create table made(a int)", "delete from {t}", "select 1; delete from {t}",
     "attach 'other.db' as o", "with w as (delete from {t} returning *) select * from w"],
)  # fmt: skip
def test_nothing_is_written(kind, sql, request, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = request.getfixturevalue(kind)
    name = "polytask_test.sales" if kind == "postgres" else "sales"
    with pytest.raises(TableError, match="TABLE must"):
        read_table(query(source, sql.format(t=name)))
    assert list(tmp_path.iterdir()) == []
    table, _ = read_table(query(source, f"select count(*) as n from {name}"))
    assert table["n"].tolist() == [ROWS]


def test_duckdb_writes_no_file_either(duck, tmp_path):
    with pytest.raises(TableError, match="begin"):
        read_table(query(duck, f"copy (select 1) to '{tmp_path}/a.csv'"))
    with pytest.raises(TableError, match="disabled by configuration"):
        read_table(query(duck, f"select * from read_csv('{__file__}')"))
    assert list(tmp_path.iterdir()) == []


def test_types_of_sqlite_are_those_of_all_rows(lite):
    table, _ = read_table(query(lite, "select * from odd"))
    assert table["late"].isna().sum() == 2000
    assert table["amount"].iloc[-1] == ROWS - 0.5
    assert table["code"].iloc[[0, -1]].tolist() == ["0", "z"]


def test_what_postgresql_has_beside_numbers_and_text(postgres):
    source = query(postgres, "select * from polytask_test.kinds")
    table, _ = read_table(source, as_text=lambda name: name == "id")
    row = table.iloc[0]
    assert (row["id"], row["padded"], row["doc"]) == ("1", "x", '{"a": 1}')
    assert np.isnan(row["hole"])
    assert len(row["u"]) == 36


def test_a_query_may_be_percent_encoded_and_hold_signs(duck):
    for sql in ("select%20%27a%26b%3Bc%27%20as%20x", "select 'a&b;c' as x -- done; really\n;"):
        assert read_table(query(duck, sql))[0]["x"].tolist() == ["a&b;c"]


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("duckdb:///none.duckdb?query=select 1", "there is no file 'none.duckdb'"),
        ("sqlite:///none.sqlite?query=select 1", "there is no file 'none.sqlite'"),
        ("duckdb://none.duckdb?query=select 1", "three slashes"),
        ("sqlite:///x.sqlite", "must hold a query; got 'sqlite:///x.sqlite'"),
        ("postgresql://a:secret@localhost:1/x?query=select 1", "Connection refused"),
        ("postgresql://a@localhost:1/x?password=secret&query=select 1", "Connection refused"),
    ],
)
def test_what_cannot_be_asked(source, told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TableError, match=told) as caught:
        read_table(source)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_the_database_says_is_passed_on(duck, lite):
    with pytest.raises(TableError, match="Did you mean"):
        read_table(query(duck, "select * from sale"))
    with pytest.raises(TableError, match="no such table: sale"):
        read_table(query(lite, "select * from sale"))
    with pytest.raises(TableError, match="must have rows; the query has columns"):
        read_table(query(duck, "select * from sales where area < 0"))
    with pytest.raises(TableError, match="distinct"):
        read_table(query(lite, "select area, area from sales"))


def test_passwords_are_not_shown():
    shown = without_password("postgresql://me:p%40ss@h/db?password=other&query=select '//a:b@c'")
    assert "p%40ss" not in shown
    assert "other" not in shown
    assert "me:***@h" in shown
    assert without_password("a:b@c.csv") == "a:b@c.csv"
