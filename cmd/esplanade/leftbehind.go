package main

import (
	"fmt"

	"esplanade/tun"
)

// noTable is no routing table: that of a gateway whose device the host does not route to.
const noTable = -1

// sayLeftBehind warns of what refuses packets of this host for a gateway that does not run: another one, or this one before its
// routing table or its device was changed.
func (g *gateway) sayLeftBehind() {
	o := linkOptions(g.conf)
	if g.link == nil {
		o.Table = noTable
	}
	tables, err := tun.LeftBehind(o)
	if err != nil || len(tables) == 0 {
		return // what can't be asked for can't be in the way: it takes no privilege
	}
	g.log.Warn("packets of this host are refused for a gateway that does not run: " + tableList(tables) +
		"; if that was this one, with another routing table or device: esplanade unblock --all FILE")
}

// tableList names routing tables.
func tableList(tables []int) string {
	text := "routing table"
	if len(tables) > 1 {
		text += "s"
	}
	for i, t := range tables {
		if i > 0 {
			text += ","
		}
		text += fmt.Sprint(" ", t)
	}
	return text
}
