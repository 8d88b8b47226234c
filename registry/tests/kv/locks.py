"""What a program written for Consul does with keys and sessions, done with its usual client, py-consul."""

import sys
import threading
import time

import consul


def main(host, port):
    c = consul.Consul(host=host, port=int(port))

    # Keys.
    index, data = c.kv.get("app/a")
    assert data is None and int(index) >= 1, (index, data)
    assert c.kv.put("app/a", "one", flags=7) is True
    index, data = c.kv.get("app/a")
    assert data["Value"] == b"one" and data["Flags"] == 7 and data["Key"] == "app/a", data
    assert data["ModifyIndex"] == int(index), (index, data)
    assert c.kv.put("app/a", "two", cas=0) is False
    assert c.kv.put("app/a", "two", cas=data["ModifyIndex"]) is True
    assert c.kv.put("app/b/c", bytes(range(256))) is True
    assert c.kv.put("app/empty", "") is True
    index, everything = c.kv.get("app/", recurse=True)
    assert [one["Key"] for one in everything] == ["app/a", "app/b/c", "app/empty"], everything
    assert everything[1]["Value"] == bytes(range(256)) and everything[2]["Value"] is None, everything
    index, keys = c.kv.get("app/", keys=True, separator="/")
    assert keys == ["app/a", "app/b/", "app/empty"], keys
    index, data = c.kv.get("app/a", consistency="consistent")
    assert data["Value"] == b"two", data

    # Waiting, for a key that comes.
    index, data = c.kv.get("later")
    threading.Timer(0.2, lambda: consul.Consul(host=host, port=int(port)).kv.put("later", "here")).start()
    start = time.monotonic()
    index, data = c.kv.get("later", index=index, wait="30s")
    assert data["Value"] == b"here" and time.monotonic() - start < 20, data
    start = time.monotonic()
    c.kv.get("later", index=index, wait="200ms")
    assert time.monotonic() - start >= 0.2

    # A lock.
    one = c.session.create(name="one", ttl=10, behavior="release", lock_delay=0)
    two = c.session.create(name="two", node="elsewhere", checks=["serfHealth"], ttl=60, lock_delay=5)
    assert c.kv.put("lock", "one", acquire=one) is True
    assert c.kv.put("lock", "one", acquire=one) is True
    assert c.kv.put("lock", "two", acquire=two) is False
    index, data = c.kv.get("lock")
    assert data["Session"] == one and data["LockIndex"] == 1, data
    assert c.session.renew(one)["ID"] == one
    index, info = c.session.info(one)
    assert info["Name"] == "one" and info["TTL"] == "10s" and info["Behavior"] == "release", info
    index, sessions = c.session.list()
    assert {session["ID"] for session in sessions} == {one, two}, sessions
    index, sessions = c.session.node("elsewhere")
    assert [session["ID"] for session in sessions] == [two], sessions
    assert c.kv.put("lock", "one", release=one) is True
    assert c.kv.put("lock", "two", acquire=two) is True
    assert c.session.destroy(two) is True
    index, data = c.kv.get("lock")
    assert "Session" not in data and data["LockIndex"] == 2, data
    assert c.kv.put("lock", "one", acquire=one) is False, "the lock delay"
    assert c.session.destroy(one) is True
    assert c.session.info(one)[1] is None
    try:
        c.session.renew(one)
    except consul.NotFound:
        pass
    else:
        raise AssertionError("a session that has ended is renewed")
    try:
        c.kv.put("lock", "one", acquire=one)
    except consul.ConsulException as refused:
        assert "invalid session" in str(refused), refused
    else:
        raise AssertionError("a session that has ended has a lock")

    # Deleting.
    assert c.kv.delete("app/a", cas=1) is False
    assert c.kv.delete("app/a") is True
    assert c.kv.delete("app/", recurse=True) is True
    index, data = c.kv.get("app/", recurse=True)
    assert data is None and int(index) > 1, (index, data)
    print("done")


if __name__ == "__main__":
    main(*sys.argv[1:])
