"""Networks to look at and to walk through: the library's, and free exploration from any thing."""
