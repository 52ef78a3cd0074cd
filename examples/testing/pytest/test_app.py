import openai
import pytest

from app import SupportDesk


@pytest.fixture
def desk(client: openai.OpenAI) -> SupportDesk:
    return SupportDesk(client)


def test_a_ticket_is_sorted_by_what_the_model_says(desk: SupportDesk) -> None:
    assert desk.sort("I was charged twice for order 1234.") == "billing"


def test_what_the_model_says_beside_the_categories_is_other(desk: SupportDesk) -> None:
    assert desk.sort("Do you sell gift cards?") == "other"


def test_a_reply_comes_piece_by_piece(desk: SupportDesk) -> None:
    pieces = list(desk.reply("Where is my parcel?"))
    assert len(pieces) > 3
    assert "".join(pieces) == "Your parcel left our warehouse today and arrives on Friday."


def test_a_rate_limit_is_waited_out(desk: SupportDesk) -> None:
    """The first try gets a 429, the second an answer."""
    assert desk.sort("My parcel is late.") == "shipping"
