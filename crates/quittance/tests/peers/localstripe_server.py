"""Serves localstripe on a free port of 127.0.0.1 and prints where. Its own command line binds every interface and keeps
its objects in a file that all its processes share; here it does neither."""

import asyncio

from aiohttp import web
from localstripe.resources import Store
from localstripe.server import app


async def main():
    Store.dump_to_disk = lambda self: None
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    print(f"listening on http://127.0.0.1:{port}", flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
