#!/usr/bin/env bash
# Print a Python of 3.11 to 3.13: $PYTHON if that is set, otherwise the first that is found.
set -euo pipefail

candidates=${PYTHON:-python3.11 python3.12 python3.13 python3}
for candidate in $candidates; do
    if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
        echo "$candidate"
        exit 0
    fi
done
echo "Python 3.11, 3.12 or 3.13 was not found (tried: $candidates)." >&2
echo "Install one, or name it: make PYTHON=/path/to/python3.11 ..." >&2
exit 1
