"""The work list: which cases are corrected, in which order, and who has them open."""
