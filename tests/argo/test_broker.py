"""The broker in a folder: messages are whole and in order, and a deleted folder does no harm."""

import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kombu import Connection, Exchange, Producer, Queue
from kombu.exceptions import ChannelError

from argo.broker import Channel
from tests.argo.broker_processes import BINDER, PATIENCE, READER, WRITER, Processes, read_line
from tests.argo.up.processes import wait_until


def open_broker(folder: Path) -> Connection:
    options = {
        "data_folder_in": str(folder),
        "data_folder_out": str(folder),
        "control_folder": str(folder / "control"),
        "polling_interval": 0.01,
    }
    return Connection(transport="argo.broker:Transport", transport_options=options)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "broker"


@pytest.fixture
def channel(folder: Path) -> Iterator[Channel]:
    with open_broker(folder) as connection:
        yield connection.channel()  # type: ignore[misc]  # the stubs know only the base class


@pytest.fixture
def processes(folder: Path) -> Iterator[Processes]:
    running = Processes(folder)
    yield running
    running.end()


def put(channel: Channel, queue: str, *bodies: object) -> None:
    producer = Producer(channel)
    for body in bodies:
        producer.publish(body, routing_key=queue)


def take(channel: Channel, queue: str) -> Any:  # noqa: ANN401  # whatever was put
    message = channel.basic_get(queue, no_ack=True)
    return None if message is None else message.decode()


def take_all(channel: Channel, queue: str, enough: Callable[[list[Any]], bool]) -> list[Any]:
    taken: list[Any] = []
    deadline = time.monotonic() + PATIENCE
    while not enough(taken) and time.monotonic() < deadline:
        body = take(channel, queue)
        if body is None:
            time.sleep(0.001)
        else:
            taken.append(body)
    return taken


def test_a_reader_gets_every_message_of_many_writers_whole_once_and_in_order(
    channel: Channel, processes: Processes
) -> None:
    writers, count = 6, 1000
    running = [processes.start(WRITER, writer, count, 0) for writer in range(writers)]

    taken = take_all(channel, "work", lambda taken: len(taken) == writers * count)

    assert [process.wait(PATIENCE) for process in running] == [0] * writers
    assert take(channel, "work") is None
    assert all(len(body["pad"]) == 3000 for body in taken)
    for writer in range(writers):
        numbers = [body["number"] for body in taken if body["writer"] == str(writer)]
        assert numbers == list(range(count))


@pytest.mark.slow
def test_two_readers_share_the_messages_and_none_comes_twice(processes: Processes) -> None:
    readers = [processes.start(READER, 5) for _ in range(2)]
    writers = [processes.start(WRITER, writer, 500, 0) for writer in range(4)]

    lines = [reader.communicate(timeout=PATIENCE)[0].splitlines() for reader in readers]

    assert [process.wait(PATIENCE) for process in readers + writers] == [0] * 6
    got = sorted(line for share in lines for line in share)
    assert got == sorted(f"{writer} {number}" for writer in range(4) for number in range(500))
    assert all(lines)


def test_messages_that_one_process_puts_at_full_speed_stay_in_order(channel: Channel) -> None:
    put(channel, "work", *range(2000))

    assert take_all(channel, "work", lambda taken: len(taken) == 2000) == list(range(2000))


def test_a_listing_that_misses_a_message_gives_no_younger_one_first(
    channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def list_while_two_are_put(queue: str) -> list[str]:
        monkeypatch.undo()
        put(channel, queue, "first", "second")
        return sorted(channel._names(queue))[1:]

    monkeypatch.setattr(channel, "_names", list_while_two_are_put)

    taken = [take(channel, "work") for _ in range(3)]

    assert [body for body in taken if body] == ["first", "second"]


def test_a_clock_set_back_hides_no_message(channel: Channel) -> None:
    put(channel, "work", "from the future")
    then = time.time_ns() - 3600 * 10**9
    channel.clock = lambda: then

    assert take(channel, "work") == "from the future"


def test_a_queue_holds_only_its_own_messages(channel: Channel) -> None:
    put(channel, "work", 1, 2)
    put(channel, "hard.work", 3)

    assert channel.queue_declare("work", passive=True).message_count == 2
    assert channel.queue_purge("work") == 2
    assert (take(channel, "work"), take(channel, "hard.work")) == (None, 3)


def test_a_torn_message_is_dropped_with_a_warning_and_the_next_one_comes(
    channel: Channel, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put(channel, "work", "torn", "whole")
    sorted(folder.glob("*.work.msg"))[0].write_bytes(b'{"body": "eyJ')

    assert take(channel, "work") == "whole"
    assert "Dropped the message" in caplog.text


def test_a_message_that_cannot_be_written_is_an_error_and_leaves_nothing(
    channel: Channel, folder: Path
) -> None:
    with pytest.raises(ChannelError, match="Cannot put a message into"):
        put(channel, "w" * 300, "a name longer than the file system takes")

    assert [path for path in folder.iterdir() if path.is_file()] == []


def test_every_operation_creates_a_deleted_folder_again(channel: Channel, folder: Path) -> None:
    put(channel, "work", "lost")
    shutil.rmtree(folder)
    assert take(channel, "work") is None

    shutil.rmtree(folder)
    put(channel, "work", "kept")
    assert take(channel, "work") == "kept"

    shutil.rmtree(folder)
    assert channel.queue_declare("work", passive=True).message_count == 0
    assert channel.queue_purge("work") == 0


@pytest.mark.slow
def test_writers_and_readers_continue_while_the_folder_is_deleted(
    channel: Channel, folder: Path, processes: Processes
) -> None:
    count = 1500
    running = [processes.start(WRITER, writer, count, 0.002) for writer in range(3)]
    reader = processes.start(READER, 5)
    take_all(channel, "work", lambda taken: len(taken) > 10)
    for _ in range(20):
        shutil.rmtree(folder, ignore_errors=True)
        time.sleep(0.05)

    lines = reader.communicate(timeout=PATIENCE)[0].splitlines()

    assert [process.wait(PATIENCE) for process in [*running, reader]] == [0] * 4
    assert {f"{writer} {count - 1}" for writer in range(3)} <= set(lines)
    assert len(lines) == len(set(lines))


def test_queues_bound_at_the_same_time_are_all_in_the_table(
    channel: Channel, processes: Processes
) -> None:
    binders = [processes.start(BINDER, f"reader{number}") for number in range(8)]
    for binder in binders:
        assert read_line(binder) == "ready\n"

    bound = {row[2] for row in channel.get_table("news")}

    assert bound == {f"reader{number}" for number in range(8)}


@pytest.mark.parametrize("gone", ["", "control", "control/news.exchange"])
def test_a_broadcast_still_reaches_a_running_reader_after_a_deletion(
    channel: Channel, folder: Path, processes: Processes, gone: str
) -> None:
    reader = processes.start(BINDER, f"reader of {gone or 'all'}".replace("/", "."))
    assert read_line(reader) == "ready\n"

    target = folder / gone
    if target.is_dir():
        shutil.rmtree(target, ignore_errors=True)  # the reader may create it again meanwhile
    else:
        target.unlink()
    wait_until(lambda: bool(channel.get_table("news")))
    publish_news(channel, {"gone": gone})

    assert json.loads(read_line(reader)) == {"gone": gone}


def test_a_table_torn_by_a_power_cut_is_written_again(
    channel: Channel, folder: Path, processes: Processes
) -> None:
    reader = processes.start(BINDER, "reader")
    assert read_line(reader) == "ready\n"

    (folder / "control/news.exchange").write_bytes(b'[["", "", "rea')
    wait_until(lambda: bool(channel.get_table("news")))
    publish_news(channel, "still here")

    assert json.loads(read_line(reader)) == "still here"


def test_a_publisher_reaches_its_own_queue_even_if_the_table_is_gone(
    channel: Channel, folder: Path
) -> None:
    queue = Queue("bound", Exchange("orders", type="direct"), routing_key="buy")
    queue(channel).declare()
    shutil.rmtree(folder)

    producer = Producer(channel)
    producer.publish("order", exchange="orders", routing_key="buy")

    assert take(channel, "bound") == "order"


def test_a_deleted_queue_is_bound_to_nothing(channel: Channel) -> None:
    queue = Queue("passing", Exchange("orders2", type="direct"), routing_key="buy")(channel)
    queue.declare()
    queue.delete()

    assert channel.get_table("orders2") == []


def publish_news(channel: Channel, body: object) -> None:
    exchange = Exchange("news", type="fanout", durable=False)
    Producer(channel).publish(body, exchange=exchange, declare=[exchange])
