"""The cluster of docker-compose.yml, started natively: the same commands, without containers.

:class:`Cluster` reads the file and plays the part of a container engine: it gives each service its
environment and its volumes, starts it when what it depends on is ready, and starts it again when
it ends. PostgreSQL and Redis come from wheels or from the system.
"""

from pipelines.operate.cluster.cluster import Cluster

__all__ = ["Cluster"]
