"""The one place that asks AWS: session, clients, errors, identity and the checks."""
