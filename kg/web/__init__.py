"""What `kg serve` serves: pages for people, data for programs, and the SPARQL endpoint with its killable workers."""
