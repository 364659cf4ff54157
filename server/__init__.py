"""Every face turned outward: GraphQL, tables, exports and the command line."""
