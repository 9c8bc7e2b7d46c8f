# What strongMan's web interface and scripts do with Python's vici: client.py SOCKET
import socket
import sys

import vici

sock = socket.socket(socket.AF_UNIX)
sock.connect(sys.argv[1])
s = vici.Session(sock)


def check(what, ok):
    if not ok:
        sys.exit("client.py: " + what)


def refused(what, call):
    try:
        call()
    except vici.exception.CommandException:
        return
    sys.exit("client.py: no exception: " + what)


check("version", s.version()["version"])
stats = s.stats()
check("stats", int(stats["ikesas"]["total"]) == 0 and stats["plugins"] is not None and stats["uptime"]["since"])
s.load_conn({"lib": {
    "version": "2", "local_addrs": ["198.18.0.1"], "remote_addrs": ["198.18.0.2"], "encap": "yes", "proposals": ["aes256gcm16-prfsha384-ecp384"],
    "local": {"auth": "psk", "id": "a.example"}, "remote": {"auth": "psk", "id": "b.example"},
    "children": {"lib": {"local_ts": ["10.10.0.0/24"], "remote_ts": ["10.20.0.0/24"], "esp_proposals": ["aes256gcm16-ecp384"], "start_action": "none"}},
}})
s.load_shared({"id": "lib", "type": "IKE", "data": "correct horse", "owners": ["a.example", "b.example"]})
check("list-conns", "lib" in [name for c in s.list_conns() for name in c])
check("get-conns", b"lib" in s.get_conns()["conns"])
check("get-shared", b"lib" in s.get_shared()["keys"])
check("control-log", len([line["msg"] for line in s.initiate({"ike": "lib", "child": "lib"})]) > 0)
sas = [sa["lib"] for sa in s.list_sas() if "lib" in sa]
check("list-sas", len(sas) == 1 and sas[0]["state"] == b"ESTABLISHED" and sas[0]["remote-host"] == b"198.18.0.2")
child = list(sas[0]["child-sas"].values())[0]
check("child-sas", child["state"] == b"INSTALLED" and int(child["bytes-in"]) >= 0 and child["local-ts"] == [b"10.10.0.0/24"])
s.load_pool({"libpool": {"addrs": "10.97.0.0/24", "dns": ["10.10.0.1"]}})
check("get-pools", s.get_pools({"leases": "yes"})["libpool"]["base"] == b"10.97.0.0")
s.unload_pool({"name": "libpool"})
check("list-certs", [c["type"] for c in s.list_certs({"type": "X509"})][0] == b"X509")
check("algorithms", "AES_GCM_16" in s.get_algorithms()["aead"])
check("counters", int(s.get_counters({"name": "lib"})["counters"]["lib"]["ike-init-out-req"]) == 1)
refused("a child that is not there", lambda: list(s.initiate({"child": "nobody"})))
refused("an SA that is not there", lambda: list(s.terminate({"ike-id": "9999"})))
check("terminate", list(s.terminate({"ike": "lib"})) is not None)
s.unload_conn({"name": "lib"})
s.unload_shared({"id": "lib"})
check("the end", "lib" not in [name for c in s.list_conns() for name in c])
