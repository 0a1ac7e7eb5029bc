"""The composition root: every object of the service is built here, started, and taken down."""
