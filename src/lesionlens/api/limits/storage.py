"""Where requests are counted: in memory, or in Redis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lesionlens.errors import SettingsError

if TYPE_CHECKING:
    from limits.aio.storage import MemoryStorage, RedisStorage
    from redis.asyncio import ConnectionPool

__all__ = ["MemoryCounts", "RedisCounts", "counts_in"]

_MOST_COUNTS: Final = 20_000
_PREFIX: Final = "lesionlens"


def counts_in(url: str) -> RedisCounts | None:
    """Return the counts that several processes share; no connection is made before they are asked for.

    Args:
        url: Of Redis, or `memory://`.

    Returns:
        None if each process counts by itself.

    Raises:
        SettingsError: The client of Redis is not installed, or cannot make use of the URL.
    """
    return None if url.startswith("memory:") else RedisCounts(url)


class MemoryCounts:
    """Counts of this process, bounded in number.

    Attributes:
        storage: The counts.
    """

    def __init__(self) -> None:
        from limits.aio.storage import MemoryStorage

        self.storage: MemoryStorage = MemoryStorage()

    async def make_room(self) -> None:
        """Forget all counts if there are very many, as with somebody who comes from very many addresses.

        Whoever has those is not bound by a limit for each anyway, and must not fill the memory.
        """
        if len(self.storage.storage) > _MOST_COUNTS:
            await self.storage.reset()

    async def close(self) -> None:
        """Stop what tidies up in the background."""
        if self.storage.timer is not None:
            self.storage.timer.cancel()


class RedisCounts:
    """Counts that several processes share.

    Args:
        url: `redis://…`, `rediss://…` or `redis+unix://…`.

    Attributes:
        storage: The counts. Its failures are `limits.errors.StorageError`, or those of the connection.

    Raises:
        SettingsError: The client of Redis is not installed, or cannot make use of the URL.
    """

    def __init__(self, url: str) -> None:
        try:
            from redis.asyncio import ConnectionPool
            from redis.asyncio.retry import Retry
            from redis.backoff import NoBackoff
        except ModuleNotFoundError as error:
            raise SettingsError(
                "LESIONLENS_RATE_LIMIT_STORAGE names Redis, whose client is not installed; install it with: "
                "pip install 'lesionlens[redis]'"
            ) from error
        from limits.aio.storage import RedisStorage

        try:
            # Once more at once, for a connection that was open when Redis was started again. No time limits here: the
            # limiter has one for all that a request asks.
            self._pool: ConnectionPool = ConnectionPool.from_url(
                url.replace("redis+unix://", "unix://"),
                retry=Retry(NoBackoff(), 1),
            )
        except ValueError:
            raise SettingsError(
                "LESIONLENS_RATE_LIMIT_STORAGE is a URL that the client of Redis does not accept; accepted: "
                "redis://HOST:PORT/DATABASE, rediss://… or redis+unix:///SOCKET"
            ) from None
        self.storage: RedisStorage = RedisStorage(
            f"async+{url}",
            wrap_exceptions=True,
            implementation="redispy",
            key_prefix=_PREFIX,
            connection_pool=self._pool,  # type: ignore[arg-type]  # the package types all options alike
        )

    async def make_room(self) -> None:
        """Do nothing: in Redis counts end by themselves."""

    async def close(self) -> None:
        """Close the connections."""
        await self._pool.disconnect()
