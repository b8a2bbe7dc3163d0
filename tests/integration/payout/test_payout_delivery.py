"""Files on a real OpenSSH server: whole or not at all, the manifest last, and never twice, whatever breaks in between."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import asyncpg
import pytest

from services.payout.delivery import MANIFEST, Courier, pause
from services.payout.sftp import CallFailed, OpenSsh, Remote, Trouble, Upload, read_targets
from shared import logs
from shared.topics import Provider
from tests.integration.payout.payout_bench import PAYER, PERIOD, Bench, an_account
from tests.integration.payout.sftp_server import Server

FOLDER = f"{PERIOD}/{PAYER}/round-1"


def courier(bench: Bench, files: Path, *remotes: tuple[Provider, Remote]) -> Courier:
    return Courier(bench.database, bench.clock, dict(remotes), folder=files, log=logs.configure("payout"))


async def sent(bench: Bench) -> None:
    """A payroll with one bank and the post in two communes."""
    await bench.enrol(account=an_account())
    await bench.enrol(home_delivery=True, area="18499")
    await bench.enrol()
    await bench.close()
    await bench.pay()
    await bench.print_lists()


async def states(bench: Bench) -> dict[str, tuple[str, str | None]]:
    async with bench.database.session() as session:
        rows = await session.fetch("SELECT path, state, trouble FROM delivery ORDER BY path")
    return {row["path"].removeprefix(FOLDER + "/"): (row["state"], row["trouble"]) for row in rows}


def lying(server: Server) -> dict[str, bytes]:
    place = server.folder / "in" / FOLDER
    return {path.relative_to(place).as_posix(): path.read_bytes() for path in sorted(place.rglob("*")) if path.is_file()}


class BadLine:
    """A real server at the end of a bad line: what is in `after` is done and then the answer is lost, `before` never gets there."""

    def __init__(self, remote: Remote, *, before: Sequence[int] = (), after: Sequence[int] = ()) -> None:
        self._remote, self._before, self._after, self.puts = remote, before, after, 0

    async def listing(self, folder: str) -> Mapping[str, int]:
        return await self._remote.listing(folder)

    async def fetch(self, folder: str, name: str, into: Path) -> None:
        await self._remote.fetch(folder, name, into)

    async def put(self, folder: str, uploads: Sequence[Upload]) -> None:
        self.puts += 1
        if self.puts in self._before:
            raise CallFailed(Trouble.AWAY)
        await self._remote.put(folder, uploads)
        if self.puts in self._after:
            raise CallFailed(Trouble.TIMEOUT)


async def test_files_arrive_whole_and_the_manifest_names_them(bench: Bench, sftp_server: Server, tmp_path: Path) -> None:
    await sent(bench)
    remote = OpenSsh(sftp_server.target())
    assert await courier(bench, tmp_path / "files", (Provider.POST, remote), (Provider.BANK_A, remote)).deliver() == 7
    files = lying(sftp_server)
    assert {name for name in files if name.startswith("post/")} == {
        f"post/{name}" for name in ("18496.xlsx", "18496.pdf", "18499.xlsx", "18499.pdf", MANIFEST)
    }
    for name in ("post", "bank-a"):
        manifest = json.loads(files[f"{name}/{MANIFEST}"])
        assert manifest["folder"] == f"{FOLDER}/{name}"
        assert {file["name"] for file in manifest["files"]} == {
            path.split("/")[1] for path in files if path.startswith(name) and not path.endswith(MANIFEST)
        }
        for file in manifest["files"]:
            content = files[f"{name}/{file['name']}"]
            assert (hashlib.sha256(content).hexdigest(), len(content)) == (file["sha256"], file["size"])
    named = json.loads(files[f"post/{MANIFEST}"])["files"]
    assert sum(file["vnd"] for file in named if file["kind"] == "postal_list") == 720_000
    assert {state for state, _trouble in (await states(bench)).values()} == {"delivered"}
    shown = (await bench.page())["deliveries"]
    assert [(row["path"].rsplit("/", 1)[1], row["state"]) for row in shown][-1] == (MANIFEST, "delivered")


async def test_delivering_again_sends_nothing(bench: Bench, sftp_server: Server, tmp_path: Path) -> None:
    await sent(bench)
    line = BadLine(OpenSsh(sftp_server.target()))
    assert await courier(bench, tmp_path / "files", (Provider.POST, line)).deliver() == 5
    assert await courier(bench, tmp_path / "files", (Provider.POST, line)).deliver() == 0
    assert line.puts == 2


async def test_answer_that_is_lost_is_unknown_until_the_listing_proves_it(
    bench: Bench, sftp_server: Server, tmp_path: Path
) -> None:
    await sent(bench)
    line = BadLine(OpenSsh(sftp_server.target()), after=(1, 2))
    deliver = courier(bench, tmp_path / "files", (Provider.POST, line)).deliver
    assert await deliver() == 0
    assert (await states(bench))["post/18496.xlsx"] == ("unknown", "TIMEOUT")
    assert await deliver() == 0, "it is not due before its pause is over"
    bench.clock.move(pause(1))
    assert await deliver() == 4, "files proven; the manifest's answer is lost now"
    assert (await states(bench))[f"post/{MANIFEST}"] == ("unknown", "TIMEOUT")
    bench.clock.move(pause(9))
    assert await deliver() == 1
    assert line.puts == 2, "nothing was sent twice"


async def test_manifest_that_was_taken_with_its_files_is_delivered(bench: Bench, sftp_server: Server, tmp_path: Path) -> None:
    await sent(bench)
    line = BadLine(OpenSsh(sftp_server.target()), after=(2,))
    deliver = courier(bench, tmp_path / "files", (Provider.POST, line)).deliver
    await deliver()
    for path in (sftp_server.folder / "in" / FOLDER / "post").iterdir():
        path.unlink()
    bench.clock.move(pause(9))
    assert await deliver() == 1
    assert lying(sftp_server) == {}
    assert line.puts == 2


async def test_what_never_got_there_is_sent_again(bench: Bench, sftp_server: Server, tmp_path: Path) -> None:
    await sent(bench)
    line = BadLine(OpenSsh(sftp_server.target()), before=(1,))
    deliver = courier(bench, tmp_path / "files", (Provider.POST, line)).deliver
    await deliver()
    bench.clock.move(pause(1))
    assert await deliver() == 5
    assert len(lying(sftp_server)) == 5


async def test_process_that_died_while_sending_looks_first(bench: Bench, sftp_server: Server, tmp_path: Path) -> None:
    await sent(bench)
    remote = OpenSsh(sftp_server.target())
    await courier(bench, tmp_path / "files", (Provider.POST, BadLine(remote, before=(1,)))).deliver()
    async with bench.database.session() as session:  # as the intention was left by a process that died in the call
        await session.execute("UPDATE delivery SET state = 'waiting' WHERE NOT manifest")
        await session.execute("UPDATE delivery SET state = 'sending' WHERE NOT manifest")
    files = tmp_path / "files" / FOLDER / "post"
    await remote.put(f"{FOLDER}/post", [upload(files / "18496.xlsx")])
    bench.clock.move(pause(1))
    line = BadLine(remote)
    assert await courier(bench, tmp_path / "files", (Provider.POST, line)).deliver() == 5
    assert line.puts == 2


def upload(path: Path) -> Upload:
    return Upload(path, path.name, hashlib.sha256(path.read_bytes()).hexdigest())


@pytest.mark.parametrize("had", ["half", "all", "more"])
async def test_part_is_gone_on_with(had: str, sftp_server: Server, tmp_path: Path) -> None:
    content = bytes(range(256)) * 4_096
    local = tmp_path / "big.xml"
    local.write_bytes(content)
    given = upload(local)
    place = sftp_server.folder / "in" / "x"
    place.mkdir(parents=True)
    lies = {"half": content[:500_000], "all": content, "more": content + b"!"}[had]
    (place / given.part).write_bytes(lies)
    await OpenSsh(sftp_server.target()).put("x", [given])
    assert {path.name: path.read_bytes() for path in place.iterdir()} == {"big.xml": content}


async def test_other_content_under_the_name_is_a_conflict(bench: Bench, sftp_server: Server, tmp_path: Path) -> None:
    await sent(bench)
    place = sftp_server.folder / "in" / FOLDER / "post"
    place.mkdir(parents=True)
    (place / "18496.xlsx").write_bytes(b"somebody else's")
    deliver = courier(bench, tmp_path / "files", (Provider.POST, OpenSsh(sftp_server.target()))).deliver
    await deliver()
    bench.clock.move(pause(9))
    await deliver()
    assert (await states(bench))["post/18496.xlsx"] == ("conflict", "REMOTE_DIFFERS")
    assert (place / "18496.xlsx").read_bytes() == b"somebody else's", "nothing is written over"
    assert not (place / MANIFEST).exists(), "without all files no manifest"
    assert 'ansinh_delivery_conflicts{provider="post"} 1.0' in (await bench.client.get("/metrics")).text


async def test_other_content_of_the_same_size_is_a_conflict_too(bench: Bench, sftp_server: Server, tmp_path: Path) -> None:
    await sent(bench)
    place = sftp_server.folder / "in" / FOLDER / "post"
    place.mkdir(parents=True)
    size = (tmp_path / "files" / FOLDER / "post" / "18496.xlsx").stat().st_size
    (place / "18496.xlsx").write_bytes(bytes(size))
    await courier(bench, tmp_path / "files", (Provider.POST, OpenSsh(sftp_server.target()))).deliver()
    assert (await states(bench))["post/18496.xlsx"] == ("conflict", "REMOTE_DIFFERS")


async def test_conflict_is_found_also_after_an_answer_was_lost(bench: Bench, sftp_server: Server, tmp_path: Path) -> None:
    await sent(bench)
    line = BadLine(OpenSsh(sftp_server.target()), after=(1,))
    deliver = courier(bench, tmp_path / "files", (Provider.POST, line)).deliver
    await deliver()
    (sftp_server.folder / "in" / FOLDER / "post" / "18499.pdf").write_bytes(b"written over")
    (sftp_server.folder / "in" / FOLDER / "post" / "18499.xlsx").unlink()
    bench.clock.move(pause(1))
    assert await deliver() == 2
    found = await states(bench)
    assert found["post/18499.pdf"] == ("conflict", "REMOTE_DIFFERS")
    assert found["post/18499.xlsx"] == ("waiting", None)
    assert await deliver() == 0
    assert line.puts == 1


async def test_file_changed_on_our_disk_is_not_sent(bench: Bench, sftp_server: Server, tmp_path: Path) -> None:
    await sent(bench)
    (tmp_path / "files" / FOLDER / "post" / "18496.xlsx").write_bytes(b"tampered")
    await courier(bench, tmp_path / "files", (Provider.POST, OpenSsh(sftp_server.target()))).deliver()
    assert (await states(bench))["post/18496.xlsx"] == ("conflict", "LOCAL_DIFFERS")
    assert 'ansinh_delivery_conflicts{provider="post"} 1.0' in (await bench.client.get("/metrics")).text
    assert lying(sftp_server) == {}


async def test_strange_host_key_ends_the_call(bench: Bench, sftp_server: Server, tmp_path: Path) -> None:
    await sent(bench)
    remote = OpenSsh(sftp_server.target(known_hosts=str(sftp_server.home / "stranger_hosts")))
    await courier(bench, tmp_path / "files", (Provider.POST, remote)).deliver()
    assert (await states(bench))["post/18496.xlsx"] == ("unknown", "HOST_KEY")
    assert lying(sftp_server) == {}


@pytest.mark.parametrize(("changes", "trouble"), [({"user": "nobody_here"}, Trouble.NOT_ALLOWED), ({"port": 1}, Trouble.AWAY)])
async def test_kind_of_trouble(changes: dict[str, object], trouble: Trouble, sftp_server: Server) -> None:
    with pytest.raises(CallFailed) as failed:
        await OpenSsh(sftp_server.target(**changes)).listing("x")
    assert failed.value.trouble is trouble


async def test_machine_without_the_program(sftp_server: Server) -> None:
    with pytest.raises(CallFailed, match="NO_PROGRAM"):
        await OpenSsh(sftp_server.target(), program="sftp-that-is-not-here").listing("x")


async def test_server_away_and_back(bench: Bench, sftp_server: Server, tmp_path: Path) -> None:
    await sent(bench)
    deliver = courier(bench, tmp_path / "files", (Provider.POST, OpenSsh(sftp_server.target()))).deliver
    with sftp_server.stopped():
        assert await deliver() == 0
    bench.clock.move(pause(1))
    assert await deliver() == 5


async def test_names_that_could_be_commands_are_refused(sftp_server: Server) -> None:
    for folder in ("x\nrm *", "..", 'a"b', "a b", "*"):
        with pytest.raises(ValueError, match="no remote folder"):
            await OpenSsh(sftp_server.target()).listing(folder)


def test_targets_are_read_and_a_misspelt_one_is_refused(sftp_server: Server, tmp_path: Path) -> None:
    path = tmp_path / "targets.json"
    target = sftp_server.target()
    path.write_text(json.dumps({"post": target.model_dump(mode="json")}))
    assert read_targets(path) == {Provider.POST: target}
    path.write_text(json.dumps({"post": {**target.model_dump(mode="json"), "hots": "x"}}))
    with pytest.raises(ValueError, match="hots"):
        read_targets(path)


CHANGES = (
    "UPDATE delivery SET sha256 = repeat('0', 64)",
    "UPDATE delivery SET state = 'waiting', settled_at = NULL",
    "UPDATE delivery SET state = 'sending', settled_at = NULL",
    "DELETE FROM delivery",
)


async def test_delivered_never_changes(bench: Bench, sftp_server: Server, tmp_path: Path) -> None:
    await sent(bench)
    await courier(bench, tmp_path / "files", (Provider.POST, OpenSsh(sftp_server.target()))).deliver()
    async with bench.database.session() as session:
        for statement in CHANGES:
            with pytest.raises(asyncpg.PostgresError):
                await session.execute(statement)


async def test_manifest_is_never_sent_first(bench: Bench, sftp_server: Server, tmp_path: Path) -> None:
    await sent(bench)
    line = BadLine(OpenSsh(sftp_server.target()), before=(1,))
    await courier(bench, tmp_path / "files", (Provider.POST, line)).deliver()
    async with bench.database.session() as session:
        with pytest.raises(asyncpg.PostgresError, match="comes last"):
            await session.execute("UPDATE delivery SET state = 'sending' WHERE manifest")


def test_pauses_double_up_to_an_hour() -> None:
    assert [pause(n).total_seconds() for n in (0, 1, 2, 3, 8, 60)] == [30, 30, 60, 120, 3_600, 3_600]


async def test_a_list_waits_for_its_print_unless_nobody_prints(bench: Bench, sftp_server: Server, tmp_path: Path) -> None:
    await bench.enrol()
    await bench.close()
    await bench.pay()
    remote = OpenSsh(sftp_server.target())
    assert await courier(bench, tmp_path / "files", (Provider.POST, remote)).deliver() == 0
    await bench.print_lists()
    assert await courier(bench, tmp_path / "files", (Provider.POST, remote)).deliver() == 3
    assert await bench.print_lists() == 0
