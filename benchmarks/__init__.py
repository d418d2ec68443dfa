"""What is measured, and what it is measured on; see each file's head."""
