"""The data center on this computer and its twin: real databases, router, servers, users and faults."""
