"""The command ``polytask``: the library's main job without writing Python."""

from polytask.cli.main import main

__all__ = ["main"]
