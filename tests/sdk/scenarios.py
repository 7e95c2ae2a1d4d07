"""What a user of the SDK does, and what they see of it.

A scenario takes a side, uses the SDK as its documentation says, and returns an observation: plain data
without ids and times, so that two sides can be compared. `expect` states what the provider documents.
"""

import asyncio
import re
from dataclasses import dataclass
from typing import Any, Callable

import openai


@dataclass(frozen=True)
class Scenario:
    run: Callable[[Any], Any]
    expect: Callable[[Any], None]
    # Messages that a gateway words itself (its own keys, its own models); all other fields must agree.
    own_words: bool = False

    def comparable(self, observation):
        if not self.own_words:
            return observation
        body = {name: value for name, value in observation["body"].items() if name != "message"}
        return {**observation, "body": body, "message": None, "ratelimit": None, "request_id": None}


SCENARIOS = {}


def scenario(expect, **options):
    def register(run):
        SCENARIOS[run.__name__] = Scenario(run, expect, **options)
        return run

    return register


def say(words):
    return [{"role": "user", "content": f"Count the notches. [[{words}]]"}]


def seen(answer):
    """An answer without what differs from call to call."""
    plain = answer.model_dump()
    for name in ("id", "created"):
        plain.pop(name, None)
    return plain


def error(call):
    """The exception that a call ends in, as a user's handler sees it."""
    try:
        call()
    except openai.APIStatusError as caught:
        message = re.sub(r"req_\w+", "req", caught.message)
        return {
            "class": type(caught).__name__,
            "status": caught.status_code,
            "code": caught.code,
            "type": caught.type,
            "param": caught.param,
            "body": caught.body,
            "message": message,
            "retry_after": caught.response.headers.get("retry-after"),
            "request_id": caught.request_id is not None,  # OpenAI's own, passed through
            "ratelimit": "x-ratelimit-remaining-requests" in caught.response.headers,
        }
    except openai.OpenAIError as caught:
        return {"class": type(caught).__name__, "status": None, "body": getattr(caught, "body", None)}
    return {"class": None}


def fails(name, status, code, kind, **more):
    def expect(observation):
        expected = {"class": name, "status": status, "code": code, "type": kind, **more}
        assert {field: observation.get(field) for field in expected} == expected
        assert set(observation["body"]) == {"message", "type", "param", "code"}
        assert observation["message"]

    return expect


def that(condition):
    """An expectation in one line."""

    def expect(observation):
        assert condition(observation), observation

    return expect


def usage_of(prompt, completion, cached=0, reasoning=0):
    def expect(observation):
        usage = observation["usage"]
        assert (usage["prompt_tokens"], usage["completion_tokens"]) == (prompt, completion)
        assert usage["total_tokens"] == prompt + completion
        assert usage["prompt_tokens_details"]["cached_tokens"] == cached
        assert usage["completion_tokens_details"]["reasoning_tokens"] == reasoning
        assert observation["choices"][0]["message"]["content"]

    return expect


# Chat


@scenario(usage_of(120, 30, cached=100))
def chat(side):
    return seen(side.client().chat.completions.create(model="gpt-4o", messages=say("p=120 cached=100 c=30")))


@scenario(usage_of(50, 40, reasoning=25))
def chat_that_reasons(side):
    call = side.client().chat.completions.create
    return seen(call(model="gpt-5-mini", messages=say("p=50 c=40 r=25"), max_completion_tokens=500))


def cut_short(observation):
    usage_of(20, 7)(observation)
    assert observation["choices"][0]["finish_reason"] == "length"


@scenario(cut_short)
def chat_cut_at_its_cap(side):
    call = side.client().chat.completions.create
    return seen(call(model="gpt-4o-mini", messages=say("p=20 c=300"), max_tokens=7))


@scenario(usage_of(20, 9))
def chat_with_fields_that_nobody_knows(side):
    call = side.client().chat.completions.create
    extra = {"x_new_parameter": {"deep": [1, None, "two"]}}
    return seen(call(model="gpt-4o", messages=say("p=20 c=9"), user="u-1", extra_body=extra))


@scenario(usage_of(20, 9))
def chat_whose_body_arrives_in_pieces(side):
    return seen(side.client().chat.completions.create(model="gpt-4o", messages=say("p=20 c=9 split=5")))


def headers_are_the_providers(observation):
    assert observation == {"x-request-id": True, "openai-version": "2020-10-01", "remaining": "9999"}


@scenario(headers_are_the_providers)
def raw_headers(side):
    call = side.client().chat.completions.with_raw_response.create
    headers = call(model="gpt-4o", messages=say("p=20 c=9")).headers
    return {
        "x-request-id": headers.get("x-request-id") is not None,
        "openai-version": headers.get("openai-version"),
        "remaining": headers.get("x-ratelimit-remaining-requests"),
    }


# Streaming


def streamed(side, words, **options):
    call = side.client().chat.completions.create
    with call(model="gpt-4o", messages=say(words), stream=True, **options) as stream:
        return [seen(chunk) for chunk in stream]


def text_of(chunks):
    return "".join(choice["delta"]["content"] or "" for chunk in chunks for choice in chunk["choices"])


def chunks_without_usage(count):
    def expect(chunks):
        assert len(chunks) == count
        # What a naive client does; it must never meet a chunk without choices that it did not ask for.
        assert all(chunk["choices"][0]["index"] == 0 for chunk in chunks)
        assert all(chunk["usage"] is None for chunk in chunks)
        assert chunks[0]["choices"][0]["delta"]["role"] == "assistant"
        assert chunks[-1]["choices"][0]["finish_reason"] == "stop"
        assert text_of(chunks)

    return expect


def chunks_with_usage(count):
    def expect(chunks):
        chunks_without_usage(count)(chunks[:-1])
        assert chunks[-1]["choices"] == []
        assert chunks[-1]["usage"]["total_tokens"] == 60

    return expect


@scenario(chunks_without_usage(8))
def stream(side):
    return streamed(side, "p=20 c=40 chunks=6")


@scenario(chunks_without_usage(8))
def stream_that_declines_usage(side):
    return streamed(side, "p=20 c=40 chunks=6", stream_options={"include_usage": False})


@scenario(chunks_with_usage(8))
def stream_with_usage(side):
    return streamed(side, "p=20 c=40 chunks=6", stream_options={"include_usage": True})


@scenario(chunks_without_usage(8))
def stream_in_pieces_that_cut_through_events(side):
    return streamed(side, "p=20 c=40 chunks=6 split=11")


@scenario(chunks_with_usage(42))
def stream_with_usage_in_pieces(side):
    return streamed(side, "p=20 c=40 chunks=40 split=17", stream_options={"include_usage": True})


@scenario(that(lambda chunks: len(chunks) == 4))
def stream_that_ends_early(side):
    return streamed(side, "p=20 c=40 chunks=6 fault=truncate at=3")


@scenario(chunks_with_usage(8))
def stream_with_the_async_client(side):
    async def run():
        async with side.async_client() as client:
            options = {"include_usage": True}
            call = client.chat.completions.create
            words = "p=20 c=40 chunks=6 delay=2"
            stream = await call(model="gpt-4o", messages=say(words), stream=True, stream_options=options)
            return [seen(chunk) async for chunk in stream]

    return asyncio.run(run())


def breaks_in_the_stream(observation):
    assert observation["chunks"] == 3
    assert observation["class"] == "APIError"
    assert observation["body"]["type"] == "server_error"


@scenario(breaks_in_the_stream)
def stream_that_reports_an_error(side):
    chunks = []
    call = side.client().chat.completions.create

    def read():
        for chunk in call(model="gpt-4o", messages=say("c=40 chunks=6 fault=error_frame at=2"), stream=True):
            chunks.append(chunk)

    return {**error(read), "chunks": len(chunks)}


@scenario(that(lambda o: o["text"] and o["after"]["choices"]))
def stream_left_in_the_middle_and_the_next_call(side):
    client = side.client()
    with client.chat.completions.create(
        model="gpt-4o", messages=say("c=40 chunks=8 delay=5"), stream=True
    ) as stream:
        first = [seen(next(stream)), seen(next(stream))]
    after = seen(client.chat.completions.create(model="gpt-4o", messages=say("c=3 p=3")))
    return {"text": text_of(first), "after": after}


# Embeddings


def vectors(count, size):
    def expect(observation):
        assert [len(item["embedding"]) for item in observation["data"]] == [size] * count
        assert observation["usage"] == {"prompt_tokens": 12, "total_tokens": 12}

    return expect


@scenario(vectors(1, 1536))
def embeddings(side):
    call = side.client().embeddings.create
    return seen(call(model="text-embedding-3-small", input="A stick. [[p=12]]"))


@scenario(vectors(2, 8))
def embeddings_of_several_texts_as_numbers(side):
    call = side.client().embeddings.create
    texts = ["A stick. [[p=12]]", "Another."]
    return seen(call(model="text-embedding-3-large", input=texts, dimensions=8, encoding_format="float"))


# Errors


LIMITED = {"retry_after": "7", "ratelimit": True, "request_id": True}


@scenario(fails("NotFoundError", 404, "model_not_found", "invalid_request_error", param=None), own_words=True)
def wrong_model(side):
    return error(lambda: side.client().chat.completions.create(model="gpt-none", messages=say("c=1")))


@scenario(fails("AuthenticationError", 401, "invalid_api_key", "invalid_request_error"), own_words=True)
def wrong_key(side):
    client = side.client(api_key="sk-nobody-has-this-key")
    return error(lambda: client.chat.completions.create(model="gpt-4o", messages=say("c=1")))


@scenario(fails("AuthenticationError", 401, "invalid_api_key", "invalid_request_error"), own_words=True)
def wrong_key_on_embeddings(side):
    client = side.client(api_key="sk-nobody-has-this-key")
    return error(lambda: client.embeddings.create(model="text-embedding-3-small", input="A stick."))


@scenario(fails("RateLimitError", 429, "rate_limit_exceeded", "tokens", **LIMITED))
def upstream_429(side):
    words = "c=1 fault=429 retry=7"
    return error(lambda: side.client().chat.completions.create(model="gpt-4o", messages=say(words)))


@scenario(fails("RateLimitError", 429, "rate_limit_exceeded", "tokens", **LIMITED))
def upstream_429_on_a_stream(side):
    words = "c=1 fault=429 retry=7"
    return error(lambda: side.client().chat.completions.create(model="gpt-4o", messages=say(words), stream=True))


@scenario(fails("InternalServerError", 500, None, "server_error"))
def upstream_500(side):
    return error(lambda: side.client().chat.completions.create(model="gpt-4o", messages=say("c=1 fault=500")))


@scenario(fails("InternalServerError", 503, None, "server_error"))
def upstream_503(side):
    return error(lambda: side.client().chat.completions.create(model="gpt-4o", messages=say("c=1 fault=503")))


@scenario(fails("BadRequestError", 400, "unsupported_parameter", "invalid_request_error", param="max_tokens"))
def upstream_400(side):
    call = side.client().chat.completions.create
    return error(lambda: call(model="o4-mini", messages=say("c=1"), max_tokens=5))


@scenario(fails("InternalServerError", 500, None, "server_error"))
def upstream_500_on_embeddings(side):
    call = side.client().embeddings.create
    return error(lambda: call(model="text-embedding-3-small", input="[[fault=500]]"))


@scenario(that(lambda o: o == {"class": "APITimeoutError", "status": None, "body": None}))
def a_client_that_cannot_wait(side):
    client = side.client(timeout=0.4)
    return error(lambda: client.chat.completions.create(model="gpt-4o", messages=say("c=1 first=3000")))


@scenario(that(lambda o: o["class"] in ("APITimeoutError", "ReadTimeout")))
def a_client_that_cannot_wait_for_the_next_chunk(side):
    client = side.client(timeout=0.4)

    def read():
        words = "c=40 chunks=6 delay=2000"
        list(client.chat.completions.create(model="gpt-4o", messages=say(words), stream=True))

    try:
        return error(read)
    except Exception as caught:  # the SDK lets its HTTP library's own exception through here
        return {"class": type(caught).__name__}


@scenario(that(lambda o: o["usage"]["total_tokens"] == 12))
def a_retry_that_succeeds(side):
    client = side.client(max_retries=2)
    words = f"n={side.nonce()} p=5 c=7 fault=503 times=1"
    answer = seen(client.chat.completions.create(model="gpt-4o", messages=say(words)))
    # The nonce is part of the prompt, and the fake provider's text follows from the prompt.
    answer["choices"] = len(answer["choices"])
    return answer
