"""The living replicas and what each of them has loaded."""

from fankeep.instances.instances import LIVING_SECONDS, Instance, Instances, Loaded

__all__ = ["LIVING_SECONDS", "Instance", "Instances", "Loaded"]
