"""The release on the web: pages for people, data for programs."""
