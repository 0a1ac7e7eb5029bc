"""How often: limits that are charged together, all or none, in memory or in Redis, with one contract."""
