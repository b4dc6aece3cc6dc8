"""The fixtures of real proxies."""

from tests.fleet.fixtures import estate, figures, proxy, shop

__all__ = ["estate", "figures", "proxy", "shop"]
