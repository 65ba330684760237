"""Correction tools for bones: pure functions that take the mask of one view and return a new mask.

All functions use these parameters: `regions`, the present mask (region codes, uint8, shape (y, x)), which is not
changed; `counts` as acquired, shape (y, x); `probability` of bone by the model, float32, shape (y, x); `code`, a region
code; `point`, (row, column) in pixels; `path`, points (y, x) in pixels, shape (n, 2).
"""
