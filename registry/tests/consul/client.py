"""What py-consul's users do, against the registry on a port: register, pass, watch, list, drain, deregister."""

import sys
import threading
import time

import consul
from consul import Check

client = consul.Consul(host="127.0.0.1", port=int(sys.argv[1]))


def healthy(**more):
    index, entries = client.health.service("web", **more)
    return index, [entry["Service"]["ID"] for entry in entries]


assert client.agent.self()["Config"]["Datacenter"] == "dc1"
assert client.status.leader() and client.catalog.datacenters() == ["dc1"]
assert client.catalog.nodes()[1][0]["Node"] == "mainstay"

first, ids = healthy()
assert int(first) >= 1 and ids == []

seen = []
watcher = threading.Thread(target=lambda: seen.append(healthy(index=first, wait="20s")), daemon=True)
watcher.start()
time.sleep(0.2)
client.agent.service.register(
    "web", service_id="web-1", address="127.0.0.1", port=8080, tags=["v1"], meta={"k": "v"}, check=Check.ttl("10s")
)
watcher.join(5)
assert not watcher.is_alive() and seen[0][1] == ["web-1"] and int(seen[0][0]) > int(first), seen

assert healthy(passing=True)[1] == []
client.agent.check.ttl_pass("service:web-1", "fine")
index, ids = healthy(passing=True, tag="v1")
assert ids == ["web-1"]
begun = time.monotonic()
assert healthy(index=index, wait="1s") == (index, ["web-1"])
assert 0.9 < time.monotonic() - begun < 2

assert client.agent.checks()["service:web-1"]["Output"] == "fine"
assert client.agent.services()["web-1"]["Port"] == 8080
assert client.catalog.services()[1] == {"web": ["v1"]}
assert client.catalog.service("web")[1][0]["ServiceMeta"] == {"k": "v"}
assert [check["Status"] for check in client.health.checks("web")[1]] == ["passing"]
assert len(client.health.state("any")[1]) == 2 and len(client.health.node("mainstay")[1]) == 2

client.agent.check.register("second", check=Check.ttl("10s"), service_id="web-1")
client.agent.check.ttl_warn("second", "so-so")
assert healthy(passing=True)[1] == [] and healthy()[1] == ["web-1"]
client.agent.check.deregister("second")
client.agent.service.maintenance("web-1", True, "new disk")
assert client.agent.checks()["_service_maintenance:web-1"]["Notes"] == "new disk"
client.agent.service.maintenance("web-1", False)
assert healthy(passing=True)[1] == ["web-1"]

try:
    client.health.service("web", node_meta={"a": "b"})
    raise AssertionError("what is not understood is refused")
except consul.ConsulException as error:
    assert "not supported" in str(error)
assert client.agent.check.ttl_pass("service:web-1") and not client.agent.check.ttl_pass("service:nobody")

client.agent.service.deregister("web-1")
assert healthy()[1] == [] and int(healthy()[0]) > int(index)
