"""The processes that evaluate queries: within bounds, without a network, and killed when one takes too long."""
