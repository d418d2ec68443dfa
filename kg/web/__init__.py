"""What `kg serve` serves: the SPARQL endpoint, its pool of killable workers, and the pages around it."""
