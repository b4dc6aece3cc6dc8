"""The fixtures of real proxies."""

from tests.fleet.fixtures import estate, figures, policy, proxy, shop
from tests.fleet.pair import pair

__all__ = ["estate", "figures", "pair", "policy", "proxy", "shop"]
