"""The SPARQL endpoint: its protocol, its page, and what it says of itself."""
