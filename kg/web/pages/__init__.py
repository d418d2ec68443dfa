"""Pages of the release: the start, things, questions, and the data, pictures and tables beside them."""
