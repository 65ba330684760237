"""Python imports this in each process that finds it: with it, a child is as guarded as its parent."""

import local_only

local_only.install()
