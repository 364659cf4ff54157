"""A Neo4j server of the tests' own."""
