"""The subcommands of `bonescint`, one module each: `add_to` states its arguments, `run` does its work.

A new one is a new module here and its name in `cli`. Kinds of arguments that several take are in `argument_types`.
"""
