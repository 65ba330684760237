"""The label store: a folder of cases, predictions, revisions and patients, in which nothing is changed or deleted."""
