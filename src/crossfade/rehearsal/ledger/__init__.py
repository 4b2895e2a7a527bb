"""The sample application of the rehearsal: a ledger's schema and data, its servers, and the launcher that runs them."""
