package contest

import "testing"

func TestConnection(t *testing.T) {
	first := Connection{Local: "192.0.2.1", Remote: "192.0.2.2", LocalTS: "10.1.0.0/24", RemoteTS: "10.2.0.0/24", ESP: "aes128gcm16"}
	const want = `local_addrs = ["192.0.2.1"]
remote_addrs = ["192.0.2.2"]
encap = true
[connections.bench.local]
auth = "psk"
id = "192.0.2.1"
[connections.bench.remote]
auth = "psk"
id = "192.0.2.2"
[connections.bench.children.net]
local_ts = ["10.1.0.0/24"]
remote_ts = ["10.2.0.0/24"]
esp_proposals = ["aes128gcm16"]
`
	if got := first.String(); got != want {
		t.Errorf("%s", got)
	}
	any := Connection{Name: "any", Local: "192.0.2.1", LocalID: "gw.example", Keys: "unique = \"never\"", Child: "all", LocalTS: "10.1.0.0/24",
		RemoteTS: "10.2.0.0/24", ESP: "aes128gcm16", ChildKeys: "start_action = \"none\"\n"}
	const wantAny = `[connections.any]
proposals = ["` + IKEProposal + `"]
local_addrs = ["192.0.2.1"]
remote_addrs = ["%any"]
encap = true
unique = "never"
[connections.any.local]
auth = "psk"
id = "gw.example"
[connections.any.remote]
auth = "psk"
id = "%any"
[connections.any.children.all]
local_ts = ["10.1.0.0/24"]
remote_ts = ["10.2.0.0/24"]
esp_proposals = ["aes128gcm16"]
start_action = "none"
`
	if got := any.String(); got != wantAny {
		t.Errorf("%s", got)
	}
}
