"""CELLAR, from which the Publications Office gives out EU law: queries, addresses, answers."""
