"""Three nodes on one PostgreSQL with a standby and RabbitMQ, while things go wrong.

`python -m tests.nodes --rounds 500` is the long form. Senders post signals to all nodes, and note
which were acknowledged; after each round an independent count compares these notes with the
database: none is lost, none is there twice, none is traded twice.
"""
