package config_test

import (
	"errors"
	"fmt"

	"esplanade/config"
)

// Every mistake of a file is reported at once, each with its place and with what would be right.
func ExampleParse() {
	_, err := config.Parse("gw.toml", []byte(`
[connections.office]
remote_adrs = ["198.51.100.20"]
proposals   = ["aes256gcm16-prfsha384-ecp348"]
[connections.office.local]
auth = "psk"
[connections.office.remote]
auth = "psk"
[connections.office.children.net]
local_ts  = ["10.10.0.0/24"]
remote_ts = ["10.20.0.0/24"]
`))
	var problems config.Errors
	if errors.As(err, &problems) {
		for _, p := range problems {
			fmt.Println(p)
		}
	}
	// Output:
	// gw.toml:3:1: unknown key connections.office.remote_adrs; did you mean remote_addrs?
	// gw.toml:4:16: connections.office.proposals: proposal "aes256gcm16-prfsha384-ecp348": "ecp348" is not the keyword of an algorithm; did you mean ecp384?
	// gw.toml:6:1: there is no secret for connections.office: none names its peer; write a table [secrets.ike.NAME] with the peer's identity as id and a key of its own, or secret_file = "FILE" into [connections.office]
}
