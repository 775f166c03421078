"""`python -m polytask`, the same as the command `polytask`."""

import sys

from polytask.cli import main

if __name__ == "__main__":
    sys.exit(main())
