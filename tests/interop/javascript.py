"""Amazon's JavaScript SDKs: installed once from npm, served to pages, and run by Node."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import pathlib
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping

from aiohttp import web

from .conftest import need

FOLDER = pathlib.Path(__file__).parent / "js"
MODULES = FOLDER / "node_modules"
BUNDLE = MODULES / ".hairpin" / "aws.js"
"""The clients of the AWS SDK in one file, made by the first run."""

FILES = {
    "page.html": FOLDER / "page.html",
    "peer.js": FOLDER / "peer.js",
    "service.js": FOLDER / "service.js",
    "aws.js": BUNDLE,
    "kvs-webrtc.js": MODULES / "amazon-kinesis-video-streams-webrtc" / "dist" / "kvs-webrtc.js",
}
"""What the page loads: the WebRTC SDK's dist file as it is published."""


def install() -> None:
    """Put the npm packages beside the pages, unless they are there as the lock file names them.

    Says on standard error what it does; npm shows its own progress there.
    """
    npm, node = need("npm"), need("node")
    with open(FOLDER / "package-lock.json", "rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two runs in one tree
        if _is_installed():
            return
        _say("installing the JavaScript SDKs (once, 40 MB)")
        options = ("--ignore-scripts", "--no-audit", "--no-fund")
        subprocess.run([npm, "ci", *options], cwd=FOLDER, check=True, stdout=sys.stderr)
        _say("bundling the AWS SDK for pages (once)")
        bundler = MODULES / "esbuild-wasm" / "bin" / "esbuild"
        settings = ("--bundle", "--format=esm", "--platform=browser", "--log-level=warning")
        subprocess.run(
            [node, str(bundler), "aws.js", *settings, f"--outfile={BUNDLE}"],
            cwd=FOLDER,
            check=True,
            stdout=sys.stderr,
        )


def _say(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")
    sys.stderr.flush()


def _is_installed() -> bool:
    inputs = [FOLDER / "package-lock.json", FOLDER / "aws.js"]
    made = BUNDLE.stat().st_mtime if BUNDLE.exists() else 0.0
    return all(each.stat().st_mtime < made for each in inputs)


@contextlib.asynccontextmanager
async def pages() -> AsyncIterator[str]:
    """Serve the page, on an origin that is not the service's; gives its address."""

    async def file(request: web.Request) -> web.StreamResponse:
        path = FILES.get(request.match_info["name"])
        if path is None:
            raise web.HTTPNotFound
        return web.FileResponse(path)

    app = web.Application()
    app.router.add_get("/{name}", file)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        yield f"http://127.0.0.1:{port}/page.html"
    finally:
        await runner.cleanup()


async def run_node(script: str, *arguments: str, environment: Mapping[str, str]) -> str:
    """What a script of ours says on standard output; it must end well."""
    process = await asyncio.create_subprocess_exec(
        need("node"),
        str(FOLDER / script),
        *arguments,
        env=dict(environment),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        output, errors = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, errors.decode(errors="replace")
    return output.decode()
