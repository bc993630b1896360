"""What a feed showed, as a list that explains itself where a comparison with it fails."""

from collections.abc import Callable, Sequence


class FeedProducts(list[str]):
    """The product ids of a feed, the most recent first: a list like any other.

    ``explain`` says, for the products that were expected, why the feed shows what it shows, as lines.
    """

    def __init__(self, products: Sequence[str], question: str, explain: Callable[[Sequence[str]], list[str]]) -> None:
        super().__init__(products)
        self._question, self._explain = question, explain

    def explain_comparison(self, operator: str, other: object, *, is_left: bool) -> list[str]:
        """Explain why ``feed == other`` (or ``other in feed``) is not true, as lines; none for other operators."""
        if operator == "==" and isinstance(other, list | tuple):
            expected = [str(one) for one in other]
        elif operator == "in" and not is_left:
            expected = [str(other)]
        elif operator == "not in" and not is_left:
            expected = []
        else:
            return []
        wanted = f"{operator} {list(other)!r}" if isinstance(other, list | tuple) else f"{other!r} {operator} it"
        return [f"{self._question} shows {list(self)!r}; expected: {wanted}", "", *self._explain(expected)]
