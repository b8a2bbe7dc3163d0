"""A lane writes in order, one at a time, and leaves nothing running behind an error."""

import asyncio

import pytest

from services.registry.lane import Lane


class Writer:
    """Stands for the database: says when something begins and ends."""

    def __init__(self):
        self.told = []

    def writes(self, name, error=None):
        async def write():
            self.told.append(f"{name} begins")
            await asyncio.sleep(0)
            if error:
                raise error
            self.told.append(f"{name} is written")

        return write


async def test_what_is_put_in_is_written_in_order_one_after_another():
    writer = Writer()
    async with Lane() as lane:
        for name in "abc":
            await lane.put(writer.writes(name))
    assert writer.told == [f"{name} {word}" for name in "abc" for word in ("begins", "is written")]


async def test_it_is_written_while_the_next_is_made():
    writer = Writer()
    async with Lane() as lane:
        await lane.put(writer.writes("a"))
        await asyncio.sleep(0)
        assert writer.told == ["a begins"]


async def put_in(*writes, then=None):
    async with Lane() as lane:
        for write in writes:
            await lane.put(write)
        if then:
            raise then


async def test_an_error_of_writing_is_raised_and_nothing_more_is_written():
    writer = Writer()
    with pytest.raises(ZeroDivisionError):
        await put_in(writer.writes("a", ZeroDivisionError()), writer.writes("b"))
    assert writer.told == ["a begins"]


async def test_the_error_of_the_last_is_raised_too():
    with pytest.raises(ZeroDivisionError):
        await put_in(Writer().writes("a", ZeroDivisionError()))


async def test_after_an_error_of_the_maker_nothing_is_left_running():
    writer, before = Writer(), asyncio.all_tasks()
    with pytest.raises(KeyError):
        await put_in(writer.writes("a"), then=KeyError())
    assert asyncio.all_tasks() == before
    assert "a is written" not in writer.told
