package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"esplanade/config/tree"
	"esplanade/ike/policy"
)

// Several rounds of authentication (RFC 4739) are written as in swanctl.conf: each is a table whose name begins with that of its side,
// [connections.NAME.local] or [connections.NAME.local-2], in the order of the file or by the key round.

// readRounds reads the tables of a side: the first round, and those behind it. handled are their names.
func readRounds(t *table, side string) (first Auth, more []Auth, handled []string) {
	tables := []*table{t.sub(side)}
	if !tables[0].present() && !tables[0].broken {
		tables = nil
	}
	for e := range t.vals.All() {
		if _, is := e.Value.Data.(*tree.Table); is && e.Name != side && strings.HasPrefix(e.Name, side) && !t.asked[t.pattern][e.Name] {
			tables = append(tables, t.open(e.Name, side))
			handled = append(handled, e.Name)
		}
	}
	if len(tables) == 0 {
		return readAuth(t.sub(side), side), nil, nil
	}
	slices.SortStableFunc(tables, func(a, b *table) int { return before(a.src.table, b.src.table) })
	list := make([]Auth, len(tables))
	for i, s := range tables {
		list[i] = readAuth(s, side)
	}
	slices.SortStableFunc(list, func(a, b Auth) int { return cmp.Compare(a.Round, b.Round) })
	if len(list) > policy.MaxRounds {
		t.errorf(list[policy.MaxRounds].Position(), "remove the others", "%s has %d tables %s…: a side proves itself in %d rounds at most", t.title(), len(list), side,
			policy.MaxRounds)
		list = list[:policy.MaxRounds]
	}
	return list[0], append([]Auth(nil), list[1:]...), handled
}

// present reports whether the table is written.
func (t *table) present() bool { return t.vals != nil }

// Rounds are all rounds of authentication of each side, from the first on.
func (n *Connection) Rounds() (local, remote []Auth) {
	return append([]Auth{n.Local}, n.LocalRounds...), append([]Auth{n.Remote}, n.RemoteRounds...)
}

// LastIDs are the rounds by which an IKE SA of the connection is known: those of the last identities.
func (n *Connection) LastIDs() (local, remote Auth) {
	l, r := n.Rounds()
	return l[len(l)-1], r[len(r)-1]
}

// inRound is the connection with the i-th rounds of both sides in the place of the first, or their last ones.
func (n *Connection) inRound(local, remote int) *Connection {
	l, r := n.Rounds()
	out := *n
	out.Local, out.Remote = l[min(local, len(l)-1)], r[min(remote, len(r)-1)]
	return &out
}

// checkRounds looks at the rounds behind the first: is there a key for each, and can what else is configured be had with them.
func (c *Config) checkRounds(r *reader) {
	for _, n := range c.Connections {
		if len(n.LocalRounds)+len(n.RemoteRounds) == 0 {
			continue
		}
		if n.Resumption {
			r.warnf(n.At("resumption"), "remove it", "%s has several rounds of authentication: such IKE SAs are not resumed", n.Source.name)
		}
		if n.HasOwnKey() {
			continue
		}
		for i, a := range n.LocalRounds {
			// The latest identity of the peer is that of the round before when this side calls, and that of the same round otherwise.
			if a.Method == policy.AuthPSK && !c.hasPSK(n.inRound(i+1, i)) && !c.hasPSK(n.inRound(i+1, i+1)) {
				c.noRoundKey(r, n, a)
			}
		}
		for i, a := range n.RemoteRounds {
			if a.Method == policy.AuthPSK && !c.hasPSK(n.inRound(i, i+1)) && !c.hasPSK(n.inRound(i+1, i+1)) {
				c.noRoundKey(r, n, a)
			}
		}
	}
}

func (c *Config) noRoundKey(r *reader, n *Connection, a Auth) {
	r.lackf(a.At("auth"), fmt.Sprintf("write a table [secrets.ike.NAME] with the identities of both sides in that round, or secret_file = \"FILE\" into [%s]", n.Source.name),
		"there is no secret for %s", a.Source.name)
}
