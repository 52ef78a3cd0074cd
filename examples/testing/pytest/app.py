"""The program under test: a support desk that sorts tickets, and drafts replies to them."""

from collections.abc import Iterator

import openai

MODEL = "gpt-4o-mini"
CATEGORIES = ("billing", "shipping", "other")


class SupportDesk:
    def __init__(self, client: openai.OpenAI) -> None:
        self._client = client

    def sort(self, ticket: str) -> str:
        """Says what a ticket is about; "other" where the model says anything else than a category."""
        completion = self._client.chat.completions.create(
            model=MODEL,
            temperature=0,
            messages=[
                {"role": "system", "content": f"Sort the ticket. Answer with one word: {', '.join(CATEGORIES)}."},
                {"role": "user", "content": ticket},
            ],
        )
        said = (completion.choices[0].message.content or "").strip().lower()
        return said if said in CATEGORIES else "other"

    def reply(self, ticket: str) -> Iterator[str]:
        """Drafts a reply to a ticket, piece by piece."""
        stream = self._client.chat.completions.create(
            model=MODEL,
            stream=True,
            messages=[
                {"role": "system", "content": "Draft a reply to the ticket in one sentence."},
                {"role": "user", "content": ticket},
            ],
        )
        for chunk in stream:
            yield chunk.choices[0].delta.content or ""
