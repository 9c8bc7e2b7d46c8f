package main

import (
	"github.com/spf13/cobra"

	"esplanade/bench/conns"
	"esplanade/bench/crowd"
	"esplanade/bench/flood"
	"esplanade/bench/handshake"
	"esplanade/bench/netstack"
	"esplanade/bench/rekey"
	"esplanade/bench/sas"
	"esplanade/bench/sidebyside"
	"esplanade/bench/soak"
	"esplanade/bench/strangers"
	"esplanade/bench/thousand"
	"esplanade/bench/users"
)

func subcommands() []*cobra.Command {
	return []*cobra.Command{
		sidebyside.Command(sidebyside.Compare), handshake.Command(handshake.Run), sas.Command(sas.Run), crowd.Command(crowd.Run), conns.Command(conns.Run), netstack.Command(netstack.Run),
		flood.Command(flood.Run),
		strangers.Command(strangers.Run), thousand.Command(thousand.Run), rekey.Command(rekey.Run), soak.Command(soak.Run), users.Command(users.Run),
	}
}
