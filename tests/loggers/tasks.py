import asyncio
import gc
import logging


class Broke(Exception):
    pass


async def pay(order):
    try:
        {}["purse"]
    except KeyError as error:
        raise Broke(f"order {order}\nis not paid") from error


async def main():
    asyncio.create_task(pay(1))
    await asyncio.sleep(0)
    gc.collect()
    print("next", flush=True)
    loop = asyncio.get_running_loop()
    loop.call_soon(lambda: 1 / 0)
    await asyncio.sleep(0)
    print("next", flush=True)
    future = loop.create_future()
    future.set_exception(Broke("order 2"))
    del future
    gc.collect()
    print("next", flush=True)
    loop.call_exception_handler({"message": "it failed", "order": 3})
    print("next", flush=True)
    asyncio.gather(pay(4), pay(5))
    await asyncio.sleep(0.01)
    gc.collect()


asyncio.run(main())
logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
asyncio.run(main())
