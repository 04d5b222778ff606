"""A real S3 server on this machine, bad lines to it, and small trees to fetch."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import boto3
import pytest
from moto.server import ThreadedMotoServer

from homoplasy.datasets._bucket import Bucket
from tests.datasets.proxy import Proxy

REGION = "us-east-2"


@dataclass(frozen=True)
class Served:
    """A bucket that exists on the local server, seen from the keeper's side."""

    name: str
    client: Any

    def put(self, key: str, body: bytes, acl: str = "public-read") -> None:
        self.client.put_object(Bucket=self.name, Key=key, Body=body, ACL=acl)


@pytest.fixture(scope="session")
def s3() -> Iterator[tuple[str, int]]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield server.get_host_and_port()
    server.stop()


@pytest.fixture
def endpoint(s3, monkeypatch) -> str:
    """Point every S3 client at the local server; no credentials of this machine are seen."""
    address = f"http://{s3[0]}:{s3[1]}"
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return address


@pytest.fixture
def serve(endpoint) -> Iterator[Callable[[Mapping[str, bytes]], Served]]:
    """Make a bucket of these objects, readable by everyone."""
    session = boto3.session.Session("keeper-0123456789", "keeper-secret-0123456789", region_name=REGION)
    client = session.client("s3", endpoint_url=endpoint)

    def make(objects: Mapping[str, bytes]) -> Served:
        name = f"served-{uuid4().hex}"
        client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
        served = Served(name, client)
        for key, body in objects.items():
            served.put(key, body)
        return served

    yield make
    client.close()


@pytest.fixture
def line(s3, endpoint, monkeypatch) -> Iterator[Callable[..., Proxy]]:
    """Put a bad line before the server."""
    lines: list[Proxy] = []

    def lay(**faults: Any) -> Proxy:
        lines.append(Proxy(s3, **faults))
        monkeypatch.setenv("AWS_ENDPOINT_URL", lines[-1].address)
        return lines[-1]

    yield lay
    for one in lines:
        one.close()


@pytest.fixture
def client() -> Iterator[Callable[..., Bucket]]:
    """Open a bucket as an anonymous reader."""
    opened: list[Bucket] = []

    def open_bucket(name: str, **settings: Any) -> Bucket:
        opened.append(Bucket(name, **{"anonymous": True, "region": REGION, "timeout": 5.0, **settings}))
        return opened[-1]

    yield open_bucket
    for one in opened:
        one.__exit__()
