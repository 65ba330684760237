"""Files of all kinds: written whole or not at all, locked, restricted to their owner, and read with checks."""
