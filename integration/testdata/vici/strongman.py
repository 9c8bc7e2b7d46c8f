# What strongMan, the web interface, sends with Python's vici, and what it reads of the answers: strongman.py SOCKET
import base64
import socket
import sys
import time

import vici

# A key and its certificate, as strongMan keeps them: in DER.
KEY = base64.b64decode(
    "MHcCAQEEIDlXTOIHnFLTNcljP55awFevmXn9VN0Yo+rl4AOap0ntoAoGCCqGSM49AwEHoUQDQgAEkQrSMZEqjreNeuTx01AJmMRd0lhzA0kzvPmcludH+iU4"
    "Xls1X2fdUGtU5GGLq+HQ8lfvvRz5EKkohP0vDm12cg=="
)
CERT = base64.b64decode(
    "MIIBijCCAS+gAwIBAgIBATAKBggqhkjOPQQDAjAcMRowGAYDVQQDExFzdHJvbmdtYW4uZXhhbXBsZTAgFw0yMDAxMDEwMDAwMDBaGA8yMTIwMDEwMTAwMDAw"
    "MFowHDEaMBgGA1UEAxMRc3Ryb25nbWFuLmV4YW1wbGUwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASRCtIxkSqOt4165PHTUAmYxF3SWHMDSTO8+ZyW50f6"
    "JTheWzVfZ91Qa1TkYYur4dDyV++9HPkQqSiE/S8ObXZyo2AwXjAOBgNVHQ8BAf8EBAMCAoQwDwYDVR0TAQH/BAUwAwEB/zAdBgNVHQ4EFgQUJiDCGhHsHZj2"
    "CDii4cGRePf91q4wHAYDVR0RBBUwE4IRc3Ryb25nbWFuLmV4YW1wbGUwCgYIKoZIzj0EAwIDSQAwRgIhAIsHGOyJjA9DdcC4WrZyqwZqvtkTqee53R13SVFH"
    "6DQaAiEAoXXv11FSIa+JDIc+ms6wB/NFLYZInY9nT4TWwqT5B98="
)

sock = socket.socket(socket.AF_UNIX)
sock.connect(sys.argv[1])
s = vici.Session(sock)


def check(what, ok):
    if not ok:
        sys.exit("strongman.py: " + what)


def names():
    return [name for c in s.list_conns() for name in c]


def unload(name):
    if name in names():
        s.unload_conn({"name": name})


def sas(name):
    return [sa[name] for sa in s.list_sas() if name in sa]


def log(lines):
    return [line["msg"].decode("ascii") for line in lines]


# The page "about".
check("version", s.version()["version"])
plugins = s.stats()["plugins"]
plugins.sort()
check("plugins", len(plugins) > 0)

# Pools: one is made, shown, changed, and taken away.
s.load_pool({"smpool": {"addrs": "10.98.0.0/24", "dns": ["10.10.0.1", "10.10.0.2"]}})
s.load_pool({"smpool": {"addrs": "10.98.0.0/24"}})
pool = s.get_pools({"leases": "yes"})["smpool"]
check("pool", pool["base"] == b"10.98.0.0" and pool["size"] == b"254" and pool["online"] == b"0" and pool["offline"] == b"0")
check("leases", len(pool.get("leases", {})) == 0)
check("a pool by its name", list(s.get_pools({"name": "smpool"})) == ["smpool"])
s.unload_pool({"name": "smpool"})
check("a pool that is gone", "smpool" not in s.get_pools({"name": "smpool"}))

# A client's connection with a certificate, its key, and what is entered as a password.
unload("smcert")
s.load_conn({"smcert": {
    "remote_addrs": ["198.18.0.2"], "vips": ["0.0.0.0"], "version": 2, "proposals": ["aes256-sha256-ecp256"],
    "children": {"smcert": {"remote_ts": ["10.20.9.0/24"], "esp_proposals": ["aes256-sha256"]}},
    "local-1": {"auth": "pubkey", "round": 1, "id": "strongman.example", "certs": [CERT]},
    "local-2": {"auth": "eap", "round": 2, "eap_id": "carol"},
    "remote-1": {"auth": "pubkey", "round": 1, "cacerts": [CERT], "id": "b.example"},
}})
s.load_key({"type": "ECDSA", "data": KEY})
s.load_shared({"type": "EAP", "data": "Ar3etTnp", "id": "carol"})
check("list-conns", "smcert" in names())
s.load_cert({"type": "X509", "flag": "None", "data": CERT})
mine = [c for c in s.list_certs({"type": "X509"}) if c["data"] == CERT]
check("list-certs", len(mine) == 1 and mine[0]["type"] == b"X509" and mine[0].get("has_privkey") == b"yes")
unload("smcert")
check("a connection that is gone", "smcert" not in names())

# A gateway's connection, its SAs, and their end: the CHILD SA by the number that is shown, then all of it.
unload("smsite")
s.load_conn({"smsite": {
    "local_addrs": ["198.18.0.1"], "remote_addrs": ["198.18.0.2"], "version": "2", "proposals": ["aes256gcm16-prfsha384-ecp384"],
    "children": {"smsite": {"local_ts": ["10.10.0.0/24"], "remote_ts": ["10.20.0.0/24"], "esp_proposals": ["aes256gcm16-ecp384"], "start_action": "none"}},
    "send_certreq": "no", "encap": "yes",
    "local-1": {"auth": "psk", "round": 1, "id": "a.example"}, "remote-1": {"auth": "psk", "round": 1, "id": "b.example"},
}})
check("a state that is none", sas("smsite") == [])
check("initiate", len(log(s.initiate({"ike": "smsite", "child": "smsite"}))) > 0)
up = sas("smsite")
check("one IKE SA", len(up) == 1 and up[0]["state"].decode("ascii") == "ESTABLISHED" and int(up[0]["uniqueid"]) > 0)
check("its peer", up[0]["remote-host"] == b"198.18.0.2" and up[0]["remote-id"] == b"b.example")
child = list(up[0]["child-sas"].values())[0]
check("traffic selectors", child["remote-ts"][0] == b"10.20.0.0/24" and child["local-ts"][0] == b"10.10.0.0/24")
check("counters", [int(child[k]) for k in ("bytes-in", "bytes-out", "packets-in", "packets-out")] == [0, 0, 0, 0] and int(child["install-time"]) >= 0)
check("terminate a CHILD SA", len(log(s.terminate({"child-id": child["uniqueid"].decode("ascii")}))) > 0)
check("the IKE SA stays", [sa["state"] for sa in sas("smsite")] == [b"ESTABLISHED"])

# It unloads a connection before it terminates it. Where the SAs have gone with the connection, strongMan shows the error as a warning.
s.unload_conn({"name": "smsite"})
try:
    check("terminate", len(log(s.terminate({"ike": "smsite"}))) > 0)
except vici.exception.CommandException as e:
    check("terminate: " + str(e), "no matching SAs to terminate found" in str(e))
end = time.monotonic() + 20
while sas("smsite"):
    check("down", time.monotonic() < end)

# Passwords of users: all that was loaded is taken away, and loaded again.
s.clear_creds()
s.load_shared({"type": "EAP", "data": "Ar3etTnp", "owners": ["carol"]})
check("no certificate is left", [c for c in s.list_certs({"type": "X509"}) if c["data"] == CERT] == [])
s.clear_creds()
