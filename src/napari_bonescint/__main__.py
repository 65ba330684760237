"""`python -m napari_bonescint` does what `bonescint` does."""

import sys

from napari_bonescint.cli import main

if __name__ == "__main__":
    sys.exit(main())
