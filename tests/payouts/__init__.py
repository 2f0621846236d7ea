"""Examples of paying people: the month's close, terms, earnings, runs, rails and statements."""
