"""The commands of `bonescint`, one module each: `add_to` adds its arguments, `run` does the work.

A new command is a new module here, and its name in `cli`. Arguments of several commands are in `argument_types`.
"""
