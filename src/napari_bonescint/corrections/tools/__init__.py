"""Tools that suit bones: pure functions on one view, each returning a new mask. Points are (row, column) in pixels."""
