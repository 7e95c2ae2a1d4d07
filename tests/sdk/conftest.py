"""The sides that a scenario runs on, and a report for the Rust runner.

DIRECT_URL and DIRECT_KEY lead straight to the fake provider. PROXY_URL and PROXY_KEY lead through the
gateway; without them only the direct side runs. SDK_REPORT names the file that gets the counts.
"""

import collections
import json
import os
import uuid
from dataclasses import dataclass

import openai
import pytest


@dataclass(frozen=True)
class Side:
    """One way to the provider."""

    name: str
    url: str
    key: str

    def client(self, **options):
        options = {"base_url": self.url, "api_key": self.key, "max_retries": 0, "timeout": 20.0, **options}
        return openai.OpenAI(**options)

    def async_client(self):
        return openai.AsyncOpenAI(base_url=self.url, api_key=self.key, max_retries=0, timeout=20.0)

    def nonce(self):
        """A name for one call, so that the provider counts its attempts apart from all others."""
        return f"{self.name}-{uuid.uuid4().hex}"


def side(name):
    url = os.environ.get(f"{name.upper()}_URL")
    if not url:
        pytest.skip(f"{name.upper()}_URL is not set")
    return Side(name, url, os.environ[f"{name.upper()}_KEY"])


@pytest.fixture
def direct():
    return side("direct")


@pytest.fixture
def proxy():
    return side("proxy")


COUNTS = collections.Counter()


def pytest_runtest_logreport(report):
    if report.when == "call" or report.outcome != "passed":
        COUNTS[report.outcome] += 1


def pytest_sessionfinish(session, exitstatus):
    path = os.environ.get("SDK_REPORT")
    if path:
        with open(path, "w", encoding="utf-8") as file:
            json.dump({name: COUNTS[name] for name in ("passed", "failed", "skipped")}, file)
