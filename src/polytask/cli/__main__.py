"""``python -m polytask.cli`` is the command ``polytask``."""

import sys

from polytask.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
