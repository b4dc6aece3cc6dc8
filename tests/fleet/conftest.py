"""The fixtures of real proxies."""

from tests.fleet.fixtures import estate, figures, policy, proxy, shop

__all__ = ["estate", "figures", "policy", "proxy", "shop"]
