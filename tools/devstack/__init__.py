"""Everything a checkout needs around it to run: packages, Postgres, Valkey, front end, processes."""
