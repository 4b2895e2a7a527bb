"""Users of the ledger who never stop, and who keep their own account of what was promised to them."""
