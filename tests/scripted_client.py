"""A chat client without a server: tests of what stands above the clients script its answers."""

import asyncio

from pydantic import BaseModel

from pr1.llm.chat import ChatMessage, ChatRequest, ChatResponse, ModelIdentity


class Facts(BaseModel):
    facts: list[str]


class ScriptedClient:
    """Answers each request by calling `answer(request)`; a raised or returned error is raised."""

    def __init__(self, answer):
        self.identity = ModelIdentity("scripted", "http://test", "m", "")
        self.answer = answer
        self.requests = []
        self.in_flight = self.most_at_once = 0

    async def complete(self, request):
        self.requests.append(request)
        self.in_flight += 1
        self.most_at_once = max(self.most_at_once, self.in_flight)
        try:
            await asyncio.sleep(0)
            reply = self.answer(request)
        finally:
            self.in_flight -= 1
        if isinstance(reply, Exception):
            raise reply
        return says(reply) if isinstance(reply, str) else reply

    async def aclose(self):
        pass


def says(text, finish="stop", refusal=None):
    return ChatResponse(
        text=text, finish=finish, refusal=refusal, tokens_in=10, tokens_cached=4, tokens_out=3
    )


def one_by_one(*replies):
    """Each reply once; asking for more is an error of the test."""
    left = iter(replies)
    return lambda request: next(left)


def ask(text="hello", **changes):
    return ChatRequest(
        messages=(ChatMessage("user", (text,)),),
        **{"purpose": "extract", "max_tokens": 100, **changes},
    )
