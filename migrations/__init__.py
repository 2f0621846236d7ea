"""The schema's history. `tables` gathers every table of the product; `run` upgrades a database."""
