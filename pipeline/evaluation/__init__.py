"""A trained run on other labelled data: scores, parity, comparison of several runs."""
