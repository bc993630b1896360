from hypothesis import given
from hypothesis import strategies as st

from intempt_core.contract.feeds import FEEDS, FeedId, Interaction, compute_feeds
from intempt_core.contract.fields import EventName

VIEW, ADD, REMOVE, ORDER = EventName.VIEWED, EventName.ADDED, EventName.REMOVED, EventName.ORDERED

interactions = st.lists(
    st.builds(Interaction, st.sampled_from([*EventName, "Identify", "product viewed"]), st.sampled_from("abcd")),
    max_size=30,
)


def shown(feed: str, *steps: tuple[str, str]) -> list[str]:
    return compute_feeds(Interaction(name, product) for name, product in steps)[feed]


def test_the_latest_comes_first_and_each_product_once() -> None:
    assert shown(FeedId.VIEWED, (VIEW, "a"), (VIEW, "b"), (VIEW, "a")) == ["a", "b"]


def test_removed_product_leaves_the_cart_feed() -> None:
    assert shown(FeedId.ADDED, (ADD, "a"), (ADD, "b"), (REMOVE, "a")) == ["b"]


def test_an_add_after_a_remove_shows_again() -> None:
    assert shown(FeedId.ADDED, (ADD, "a"), (ADD, "b"), (REMOVE, "a"), (ADD, "a")) == ["a", "b"]


def test_an_order_does_not_empty_the_cart() -> None:
    assert shown(FeedId.ADDED, (ADD, "a"), (ORDER, "a")) == ["a"]


def test_removing_what_never_was_in_the_cart_changes_nothing() -> None:
    assert shown(FeedId.ADDED, (REMOVE, "a"), (ADD, "b")) == ["b"]


def test_nobody_who_did_nothing_has_empty_feeds() -> None:
    assert compute_feeds([]) == {feed: [] for feed in FEEDS}


def in_feed(feed: str, done: list[Interaction], product: str) -> int | None:
    """The model: when a product last came into a feed, by looking backwards; None where it is not in it."""
    shows = {FeedId.VIEWED: VIEW, FeedId.ADDED: ADD, FeedId.ORDERED: ORDER}[FeedId(feed)]
    for when in reversed(range(len(done))):
        if done[when].product == product and done[when].name == shows:
            return when
        if done[when].product == product and done[when].name == REMOVE and feed == FeedId.ADDED:
            return None
    return None


@given(interactions)
def test_every_feed_is_what_looking_backwards_gives(done: list[Interaction]) -> None:
    for feed, listed in compute_feeds(done).items():
        when = {product: at for product in "abcd" if (at := in_feed(feed, done, product)) is not None}
        assert listed == sorted(when, key=lambda product: -when[product])


@given(interactions, interactions)
def test_what_happened_later_comes_before_what_happened_earlier(
    before: list[Interaction], after: list[Interaction]
) -> None:
    whole, late = compute_feeds(before + after), compute_feeds(after)
    for feed in FEEDS:
        assert whole[feed][: len(late[feed])] == late[feed]
