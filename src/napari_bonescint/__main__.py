"""Run the command line with `python -m napari_bonescint`."""

import sys

from napari_bonescint.cli import main

if __name__ == "__main__":
    sys.exit(main())
