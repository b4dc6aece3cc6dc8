"""The calls of the shoppers."""

from collections import Counter
from random import Random

import pytest

from adapters.operations import catalogue
from proxy.demo.workload import ADD, CARDS_PER_RPS, CHECKOUT, MIX, Call, Deck, Scene, Shopper, call_of
from proxy.rpc.arguments import ArgumentParser

SCENE = Scene("demo", (1, 2), 3, 4, tuple(range(5, 25)))
DECK = sum(MIX.values()) // CARDS_PER_RPS


def made(operation: str, *, cart: dict[int, int] | None = None, seed: int = 1) -> Call:
    """A call of somebody with a cart."""
    return call_of(operation, SCENE, Shopper(7, "demo-1", cart, 9, "completed"), Random(seed))


def test_deck_deals_the_mix_exactly() -> None:
    """Two decks hold each operation twice as often as one, whoever of the drawers has a cart."""
    deck = Deck(Random(1))
    drawn = Counter(deck.draw(has_cart=number % 3 == 0) for number in range(2 * DECK))
    assert {name: 2 * rps // CARDS_PER_RPS for name, rps in MIX.items()} == drawn


def test_draw_gives_an_empty_cart_something_to_check_out() -> None:
    """Nobody is sent to check out an empty cart while there is something to put into one."""
    deck = Deck(Random(1))
    drawn = [deck.draw(has_cart=False) for _ in range(DECK)]
    assert ADD not in drawn[drawn.index(CHECKOUT) :]


@pytest.mark.parametrize("operation", MIX)
@pytest.mark.parametrize("cart", [{}, {5: 1, 6: 2}, None], ids=["empty", "filled", "unknown"])
def test_arguments_are_accepted(operation: str, cart: dict[int, int] | None) -> None:
    """Whatever is drawn, the proxy takes the arguments."""
    parser = ArgumentParser(catalogue()[operation])
    for seed in range(20):
        parser.parse(made(operation, cart=cart, seed=seed).arguments)


def test_arguments_of_a_new_user_are_never_the_same() -> None:
    """One shopper makes a user of another name each time."""
    shopper = Shopper(7, "demo-1", {}, 9, "completed")
    names = {call_of("user.create", SCENE, shopper, Random(1)).arguments["username"] for _ in range(3)}
    assert {"demo-1-1", "demo-1-2", "demo-1-3"} == names


def test_line_is_one_of_the_cart() -> None:
    """Who has something in the cart changes that."""
    assert {5, 6} == {
        made("cart.remove_item", cart={5: 1, 6: 2}, seed=seed).arguments["product_id"] for seed in range(20)
    }


def test_products_are_popular_by_rank() -> None:
    """The first product is asked for about as often as Zipf says: some 28 % of calls among 20."""
    random, shopper = Random(1), Shopper(7, "demo-1", {}, 9, "completed")
    calls = [call_of("product.get_product_with_details", SCENE, shopper, random) for _ in range(2000)]
    asked = Counter(call.arguments["product_id"] for call in calls)
    assert 500 <= asked[5] <= 620
    assert set(SCENE.product_ids) == asked.keys()
