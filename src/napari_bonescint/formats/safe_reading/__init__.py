"""Reading files that may be damaged or hostile: limits, child processes, one sentence for each refusal."""
