"""Lists of names on the command line."""

from polytask.cli.inputs import split_names


def test_names():
    assert split_names(None) is None
    assert split_names(["a, b", "c"]) == ("a", "b", "c")
    assert split_names(['"a,b",c']) == ("a,b", "c")
    assert split_names(["a,b"], columns=["a,b"]) == ("a,b",)
    assert split_names(["a,a,,"]) == ("a",)
    assert split_names([","]) == ()
