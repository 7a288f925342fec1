"""The errors that mean something to whoever runs a build."""


class ConfigError(ValueError):
    """Stops before any work: names the key, the value and the valid choices."""


class ShardError(RuntimeError):
    """One shard could not be made; the run goes on and ends non-zero."""


class RetryableError(RuntimeError):
    """Worth another try in a moment: a lock, a full disk, a worker that died."""
