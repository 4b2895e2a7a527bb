"""The ledger application as it is released: complete in this folder, which may be copied and run elsewhere.

`python -m release settings.json`, started beside the folder, runs one server. It imports nothing of the project around
it, because on a server of the data center there is none.
"""
