"""Without PyTorch this folder is left out: it is in the extra `neural`."""

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("torch") else ["test_*.py"]
